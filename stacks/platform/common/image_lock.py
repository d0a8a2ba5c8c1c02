"""The lock file of an environment: which images its own registry holds, by digest.

The lock itself is kept in the registry, where every checkout reads it (`scripts.images.shared_lock`).
`environments/<env>.images.lock.json` is this checkout's copy of what fits its versions: written by `llmctl` before each
synthesis, read at synthesis, and never committed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stacks.settings.file import loading

FORMAT = 1
_ENTRY = re.compile(r"(?P<repository>[a-z0-9][a-z0-9._/-]*):(?P<tag>[\w][\w.-]{0,127})@(?P<digest>sha256:[0-9a-f]{64})")


class LockError(ValueError):
    """The lock file cannot be used; the text names file, key and fix."""


@dataclass(frozen=True, slots=True)
class LockedImage:
    """An image in the environment's registry."""

    repository: str
    """Without the registry's host, which follows from the environment."""
    tag: str
    digest: str

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}@{self.digest}"


def lock_file(environment: str) -> Path:
    """Return the path of an environment's lock file, which need not exist."""
    return loading.ENVIRONMENTS / f"{environment}.images.lock.json"


def read_lock(path: Path) -> dict[str, LockedImage]:
    """Return the locked images by name in `helm/images.yaml`; empty while there is no lock file.

    Raises LockError when the file is damaged or of another format.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    fix = "delete it: it is a copy, which the next `llmctl diff` or `llmctl deploy` writes again"
    try:
        content = json.loads(text)
        version, entries = content["format"], dict(content["images"])
    except (ValueError, KeyError, TypeError):
        raise LockError(f"environments/{path.name} is not a lock file; {fix}") from None
    if version != FORMAT:
        raise LockError(f"environments/{path.name}: format is {version!r}, this version reads {FORMAT}; {fix}")
    return {name: _parse(path, name, entry, fix) for name, entry in entries.items()}


def lock_serial(environment: str) -> int:
    """Return the serial of the shared lock that the lock file was copied from; 0 where there is none."""
    try:
        return int(json.loads(lock_file(environment).read_text("utf-8")).get("serial", 0))
    except (FileNotFoundError, ValueError, AttributeError, TypeError):
        return 0


def render_lock(images: Mapping[str, LockedImage], serial: int = 0) -> str:
    """Return the text of a lock file: sorted, one line for each image."""
    entries = {name: str(images[name]) for name in sorted(images)}
    return json.dumps({"format": FORMAT, **({"serial": serial} if serial else {}), "images": entries}, indent=2) + "\n"


def parse_entry(entry: object) -> LockedImage | None:
    """Return the image that `repository:tag@digest` names; None for anything else."""
    match = _ENTRY.fullmatch(entry) if isinstance(entry, str) else None
    return LockedImage(**match.groupdict()) if match else None


def _parse(path: Path, name: str, entry: object, fix: str) -> LockedImage:
    image = parse_entry(entry)
    if image is None:
        raise LockError(f"environments/{path.name}: images.{name} is {entry!r}, not repository:tag@digest; {fix}")
    return image
