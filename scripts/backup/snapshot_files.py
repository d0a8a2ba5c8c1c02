"""Files that a snapshot of a share holds: listed, sent, or copied back where the share lacks them.

Runs inside a pod that mounts the share, started by `pod_program` with PARAMETERS: `action` (`list`, `send`, `restore`),
`folder`, where the share is mounted, `moment`, Azure's time of the snapshot, and for `send` the `names`. NFS shows
snapshots as folders below the mount. Nothing that is there is overwritten.

Prints JSON objects: {"file", "size"} for each file, followed by its content as {"data": base64} when sending, and
{"end": true}; {"restored": …, "there": …} for `restore`; or {"refused": why}.
"""

import base64
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
CHUNK = 3 * 2**18


def say(line: dict[str, Any]) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(line) + "\n")


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


def send(path: Path) -> None:
    """Print the content of a file."""
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            say({"data": base64.b64encode(part).decode()})


def main(parameters: dict[str, Any]) -> None:
    """Do what the parameters say."""
    folder, action = Path(parameters["folder"]), parameters["action"]
    snapshot = snapshot_in(folder, parameters["moment"])
    if snapshot is None:
        say({"refused": f"the mount shows no snapshot of {parameters['moment']}"})
        return
    if action == "restore":
        restored, there = restore(folder, snapshot)
        say({"restored": restored, "there": there})
        return
    sending = action == "send"
    for name in parameters["names"] if sending else sorted(one.name for one in snapshot.iterdir() if one.is_file()):
        say({"file": name, "size": (snapshot / name).stat().st_size})
        if sending:
            send(snapshot / name)
    say({"end": True})


if __name__ == "__main__" and "PARAMETERS" in globals():
    main(globals()["PARAMETERS"])
