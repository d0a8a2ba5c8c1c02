"""trust-manager of `go.mod` beside this file, built once per machine and version and kept outside the repository."""

import sys
from pathlib import Path

from scripts.core.errors import OperatorError
from scripts.lab.go_module import built

MODULE = Path(__file__).parent


def trust_manager() -> Path:
    """Return trust-manager, built first where it is missing: two CPU minutes. Raises OperatorError without it."""
    return built(MODULE, title="trust-manager")


if __name__ == "__main__":
    try:
        trust_manager()
    except OperatorError as error:
        sys.exit(f"{error.message}; {error.fix}")
