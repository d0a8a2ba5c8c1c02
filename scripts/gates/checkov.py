"""Runs checkov and reads the lists of findings that are accepted."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


class PolicyError(Exception):
    """checkov could not check something, or a list of accepted findings is faulty."""


def report(folder: Path, framework: str) -> dict[str, Any]:
    """Return checkov's report on a folder. Nothing is downloaded.

    Raises PolicyError when checkov fails, cannot parse a file, or finds nothing to check.
    """
    command = [sys.executable, "-m", "checkov.main", "-d", str(folder), "--framework", framework]
    run = subprocess.run(  # noqa: S603
        [*command, "-o", "json", "--skip-download", "--soft-fail"], capture_output=True, text=True, check=False
    )
    try:
        found: dict[str, Any] = json.loads(run.stdout)
    except json.JSONDecodeError:
        raise PolicyError(f"checkov ended with {run.returncode} and no report: {run.stderr[-500:]}") from None
    # Without anything to judge, the report is the bare summary.
    summary = found.get("summary", found)
    if summary["parsing_errors"]:
        raise PolicyError(f"checkov could not parse {found['results'].get('parsing_errors')}")
    if not summary["passed"]:
        raise PolicyError(f"checkov found nothing to judge in {folder}")
    return found


def accepted(path: Path, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the entries of a list of accepted findings. Raises PolicyError for an entry that lacks one of `keys`."""
    for number, entry in enumerate(YAML(typ="safe").load(path.read_text("utf-8")) or [], start=1):
        missing = [key for key in keys if not entry.get(key)]
        if missing:
            raise PolicyError(f"{path.name}: entry {number} has no {' and no '.join(missing)}")
        yield entry
