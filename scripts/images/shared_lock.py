"""The image lock of an environment, kept in its registry beside the images, for every checkout and pipeline.

An OCI artifact of one layer. It lists for each image what was locked, the oldest first, so that a checkout finds the
digest of its own version also after somebody else has locked a newer one. An entry is added and never taken away by
locking; what is pruned from the registry leaves the list with it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.common.catalogue import Image
from stacks.platform.common.image_lock import LockedImage, parse_entry
from stacks.platform.common.images import same_version

from .registry.client import Registry
from .registry.document import TAG, Document

REPOSITORY = "llm-platform/image-lock"
DOCUMENT = Document(REPOSITORY, "application/vnd.llm-platform.image-lock.v1+json", "image lock")
FORMAT = 1


@dataclass(frozen=True, slots=True)
class SharedLock:
    """What was locked, with a serial that each change raises by one."""

    serial: int = 0
    images: Mapping[str, tuple[tuple[int, LockedImage], ...]] = field(default_factory=dict)
    """Image to what was locked, each with the serial of its locking, oldest first."""

    def fitting(self, pinned: Mapping[str, Image]) -> tuple[dict[str, LockedImage], int]:
        """Return of each pinned image what was locked last of its version, and the newest serial among them."""
        found = {
            name: fits[-1]
            for name, image in pinned.items()
            if (fits := [entry for entry in self.images.get(name, ()) if same_version(image, entry[1])])
        }
        serials = [serial for serial, _ in found.values()]
        return {name: locked for name, (_, locked) in found.items()}, max(serials, default=0)

    def serial_of(self, locked: Mapping[str, LockedImage]) -> int:
        """Return the newest serial among images that were locked."""
        return max(
            (serial for name, image in locked.items() for serial, entry in self.images.get(name, ()) if entry == image),
            default=0,
        )

    def with_locked(self, locked: Mapping[str, LockedImage]) -> "SharedLock":
        """Return the lock with what it does not list yet; what it lists keeps its place and its serial."""
        known = {name: {image for _, image in entries} for name, entries in self.images.items()}
        new = {name: image for name, image in locked.items() if image not in known.get(name, set())}
        if not new:
            return self
        serial = self.serial + 1
        images = {**self.images, **{name: (*self.images.get(name, ()), (serial, image)) for name, image in new.items()}}
        return SharedLock(serial, images)

    def digests(self) -> set[str]:
        """Return every digest that is listed."""
        return {image.digest for entries in self.images.values() for _, image in entries}


def read(registry: Registry) -> SharedLock | None:
    """Return the lock that the registry holds; None where nobody has shared one yet.

    Raises OperatorError: one sentence for a registry that does not answer, or holds something else there.
    """
    try:
        content = DOCUMENT.read(registry)
        return None if content is None else _parse(json.loads(content))
    except OperatorError as error:
        raise _unread(registry, error) from None
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(
            f"{registry.name}/{REPOSITORY}:{TAG} is no image lock that this version reads ({error})",
            "use the version of this project that wrote it; nothing was planned or changed",
            ExitCode.NOT_READY,
        ) from None


def publish(registry: Registry, locked: Mapping[str, LockedImage]) -> SharedLock:
    """Add what was locked to the lock in the registry and return that. Raises OperatorError."""

    def known() -> SharedLock:
        return read(registry) or SharedLock()

    def with_ours(lock: SharedLock) -> SharedLock:
        return lock.with_locked(locked)

    return DOCUMENT.update(registry, known, with_ours, _rendered)


def _rendered(lock: SharedLock) -> Mapping[str, Any]:
    images = {
        name: [{"serial": serial, "image": str(image)} for serial, image in lock.images[name]]
        for name in sorted(lock.images)
    }
    return {"format": FORMAT, "serial": lock.serial, "images": images}


def _parse(content: Mapping[str, Any]) -> SharedLock:
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']!r}")
    images = {}
    for name, entries in content["images"].items():
        found = [(int(entry["serial"]), parse_entry(entry["image"])) for entry in entries]
        images[name] = tuple((serial, image) for serial, image in found if image)
    return SharedLock(int(content["serial"]), images)


def _unread(registry: Registry, error: OperatorError) -> OperatorError:
    return OperatorError(
        f"which images are deployed cannot be read from {registry.name}: {error.message}",
        error.fix or "run this where the registry answers, with a login that may pull from it (AcrPull)",
        ExitCode.NOT_READY,
    )
