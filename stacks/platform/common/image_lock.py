"""The lock file of an environment: which images its own registry holds, by digest.

`environments/<env>.images.lock.json` is written by `llmctl images` after every image stands in the registry, and read
at synthesis. Each image is one line, so that a pull request shows a changed image as one changed line.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1
ENVIRONMENTS = Path(__file__).parents[3] / "environments"
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
    return ENVIRONMENTS / f"{environment}.images.lock.json"


def read_lock(path: Path) -> dict[str, LockedImage]:
    """Return the locked images by name in `helm/images.yaml`; empty while there is no lock file.

    Raises LockError when the file is damaged or of another format.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    fix = f"restore it with `git checkout -- environments/{path.name}`, or delete it and run `llmctl images ensure`"
    try:
        content = json.loads(text)
        version, entries = content["format"], dict(content["images"])
    except (ValueError, KeyError, TypeError):
        raise LockError(f"environments/{path.name} is not a lock file; {fix}") from None
    if version != FORMAT:
        raise LockError(f"environments/{path.name}: format is {version!r}, this version reads {FORMAT}; {fix}")
    return {name: _parse(path, name, entry, fix) for name, entry in entries.items()}


def render_lock(images: Mapping[str, LockedImage]) -> str:
    """Return the text of a lock file: sorted, one line for each image."""
    entries = {name: str(images[name]) for name in sorted(images)}
    return json.dumps({"format": FORMAT, "images": entries}, indent=2) + "\n"


def _parse(path: Path, name: str, entry: object, fix: str) -> LockedImage:
    match = _ENTRY.fullmatch(entry) if isinstance(entry, str) else None
    if match is None:
        raise LockError(f"environments/{path.name}: images.{name} is {entry!r}, not repository:tag@digest; {fix}")
    return LockedImage(**match.groupdict())
