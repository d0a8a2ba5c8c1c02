"""From a bare clone to the running command line."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from .problems import NOT_READY, NotReadyError
from .toolchain import Toolchain

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTED = 130

DEVELOPER_COMMANDS = frozenset({"test", "check", "bench"})
"""Commands that need the development packages of the Pipfile too."""


def main(arguments: Sequence[str]) -> NoReturn:
    """Prepare the tool chain and become the command line; `setup` only prepares."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    setup = command == "setup" and "--help" not in arguments
    dev = command in DEVELOPER_COMMANDS or (setup and "--dev" in arguments)
    rebuild = setup and "--rebuild" in arguments
    tools = Toolchain(ROOT)
    try:
        if rebuild or not tools.ready(dev=dev):
            from .install import ensure  # noqa: PLC0415 - what it imports would slow down every start

            ensure(tools, dev=dev, rebuild=rebuild)
    except NotReadyError as error:
        sys.stderr.write(f"llmctl: {error}\n")
        sys.exit(NOT_READY)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    python = str(tools.python)
    os.execv(python, [python, str(ROOT / "scripts" / "cli" / "__main__.py"), *arguments])  # noqa: S606 - becomes the command line
