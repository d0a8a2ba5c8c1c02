"""CoreDNS of `go.mod` beside this file, built once per machine and version and kept outside the repository."""

import sys
from pathlib import Path

from scripts.core.errors import OperatorError
from scripts.lab.go_module import built

MODULE = Path(__file__).parent


def coredns() -> Path:
    """Return CoreDNS, built first where it is missing: a CPU minute. Raises OperatorError without it."""
    return built(MODULE, title="CoreDNS")


if __name__ == "__main__":
    try:
        coredns()
    except OperatorError as error:
        sys.exit(f"{error.message}; {error.fix}")
