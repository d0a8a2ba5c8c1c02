"""Copy files back that a snapshot of a share has and the share has not; runs inside a pod that mounts the share.

Started by `pod_program` with PARAMETERS: `folder`, where the share is mounted, and `moment`, Azure's time of the
snapshot. NFS shows snapshots as folders below the mount. Nothing that is there is overwritten. Prints one JSON object:
{"restored": …, "there": …}, or {"refused": why}.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

SHOWN = (".snapshots", ".snapshot")
"""Names of the folder of snapshots: https://learn.microsoft.com/azure/storage/files/storage-snapshots-files"""
SECONDS = 14
"""Digits of a time without its fractions, which Azure rounds in different ways."""


def digits(text: str) -> str:
    """Return the digits of a time down to the second."""
    return "".join(character for character in text if character.isdigit())[:SECONDS]


def snapshot_in(folder: Path, moment: str) -> Path | None:
    """Return the folder of the snapshot of `moment`; None when there is none."""
    for shown in SHOWN:
        if (folder / shown).is_dir():
            for found in sorted((folder / shown).iterdir()):
                if digits(found.name) == digits(moment):
                    return found
    return None


def restore(folder: Path, snapshot: Path) -> tuple[int, int]:
    """Copy what is missing; return how many files were copied, and how many were there."""
    restored = there = 0
    for source in sorted(path for path in snapshot.rglob("*") if path.is_file()):
        target = folder / source.relative_to(snapshot)
        if target.exists():
            there += 1
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, whatever interrupts it.
        draft = target.with_name(f".{target.name}.restoring")
        shutil.copy2(source, draft)
        os.replace(draft, target)  # noqa: PTH105 - the same call without a second look at the path
        restored += 1
    return restored, there


def main(parameters: dict[str, Any]) -> None:
    """Restore, and print what was done."""
    folder = Path(parameters["folder"])
    snapshot = snapshot_in(folder, parameters["moment"])
    if snapshot is None:
        line: dict[str, Any] = {"refused": f"the mount shows no snapshot of {parameters['moment']}"}
    else:
        restored, there = restore(folder, snapshot)
        line = {"restored": restored, "there": there}
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__" and "PARAMETERS" in globals():
    main(globals()["PARAMETERS"])
