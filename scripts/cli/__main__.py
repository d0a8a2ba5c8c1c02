"""Starts the command line: as `python -m scripts.cli`, or by this file's path from any folder."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    if not __package__:
        sys.path[0] = str(ROOT)
    try:
        from scripts.cli.app import main
    except ModuleNotFoundError as error:
        sys.exit(f"llmctl: the environment is damaged ({error}). Fix: run `./scripts/llmctl setup --rebuild`.")
    main()
