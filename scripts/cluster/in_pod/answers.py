"""Answers of a program in a pod: one JSON object a line on standard output."""

import json
import sys
from typing import Any


class RefusedError(Exception):
    """Nothing was changed; the text says why."""


def say(line: dict[str, Any]) -> None:
    """Print one line, read at once by who started the program."""
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()
