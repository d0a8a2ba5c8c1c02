"""What the states of an environment record as deployed, of the values that cannot go back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stacks.settings.one_way.steps import Record

ONE_WAY = "one_way"
"""Output of every stack that has something to record."""


def recorded(state: Mapping[str, Any]) -> Record:
    """Return what the state of one stack records; of an earlier release, which recorded sizes only, those."""
    outputs = state.get("outputs") or {}
    if ONE_WAY in outputs:
        return {str(key): str(value) for key, value in outputs[ONE_WAY]["value"].items()}
    sizes = outputs.get("sizes_gib", {}).get("value", {})
    return {f"disks.{name.replace('-', '_')}_gib": str(int(size)) for name, size in sizes.items()}


def local_records(folder: Path) -> dict[str, Record]:
    """Return by stack what the local states in `folder` record; what cannot be read records nothing."""
    found = {}
    for file in sorted(folder.glob("*.tfstate")):
        try:
            found[file.stem] = recorded(json.loads(file.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found
