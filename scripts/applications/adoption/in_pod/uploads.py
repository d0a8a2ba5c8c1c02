"""List and receive uploads; runs inside a pod of the chat, whose share holds them.

PARAMETERS: `action` (`list`, `take`). `take` reads, for each file, a JSON line {"file", "size", "sha256"} and then its
bytes. A file comes under another name and gets its own when it is whole, so that an interruption leaves no half one.
One that is there already is never written over. Prints one JSON object a line, at last {"report": ...}.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from scripts.cluster.in_pod.answers import say

CHUNK = 2**20
PART = ".adopt-part"


def folder() -> Path:
    """Return the folder of uploads, as Open WebUI makes it out of its variables."""
    return Path(os.environ.get("DATA_DIR", "/app/backend/data")) / "uploads"


def receive(place: Path, header: dict[str, Any]) -> bool:
    """Read one file; return whether it is new. Raises ValueError for one that is cut off or goes elsewhere."""
    name = header["file"]
    if "/" in name or name in ("", ".", "..") or name.endswith(PART):
        raise ValueError(f"{name!r} is no name of an upload")
    target, part = place / name, place / f"{name[:200]}{PART}"
    left, seen = header["size"], hashlib.sha256()
    with part.open("wb") as file:
        while left:
            read = sys.stdin.buffer.read(min(CHUNK, left))
            if not read:
                raise ValueError(f"{name} ended too early")
            file.write(read)
            seen.update(read)
            left -= len(read)
        file.flush()
        os.fsync(file.fileno())
    if seen.hexdigest() != header["sha256"]:
        part.unlink()
        raise ValueError(f"{name} did not arrive as it was read")
    try:
        # Unlike a renaming, a link never takes the place of a file that has come meanwhile.
        os.link(part, target)
    except FileExistsError:
        return False
    finally:
        part.unlink()
    return True


def main(parameters: dict[str, Any]) -> None:
    """Do what the parameters say, and report."""
    place = folder()
    for left in place.glob(f"*{PART}"):
        left.unlink()
    if parameters["action"] == "list":
        files = {entry.name: entry.stat().st_size for entry in os.scandir(place) if entry.is_file()}
        for name, size in files.items():
            say({"there": name, "size": size})
        say({"report": {"folder": str(place), "free": os.statvfs(place).f_bavail * os.statvfs(place).f_frsize}})
        return
    added = 0
    for line in iter(sys.stdin.buffer.readline, b""):
        header = json.loads(line)
        if "end" in header:
            say({"report": {"added": added}})
            return
        added += receive(place, header)
        say({"taken": header["file"]})
    raise ValueError("the files ended too early")


if __name__ == "__main__":
    try:
        main(PARAMETERS)  # type: ignore[name-defined]  # noqa: F821 - given by pod_program
    except (ValueError, OSError) as error:
        say({"refused": str(error)})
