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

from .errors import NotFoundError
from .registry.client import Registry
from .registry.manifests import Descriptor, Manifest, digest_of

REPOSITORY = "llm-platform/image-lock"
TAG = "current"
FORMAT = 1
ARTIFACT_TYPE = "application/vnd.llm-platform.image-lock.v1+json"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_EMPTY = b"{}"
_ATTEMPTS = 5


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
        manifest = registry.manifest(REPOSITORY, TAG)
    except NotFoundError:
        return None
    except OperatorError as error:
        raise _unread(registry, error) from None
    try:
        (layer,) = [blob for blob in manifest.blobs() if blob.digest != digest_of(_EMPTY)]
        with registry.blob(REPOSITORY, layer.digest) as pieces:
            return _parse(json.loads(b"".join(pieces)))
    except OperatorError as error:
        raise _unread(registry, error) from None
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(
            f"{registry.name}/{REPOSITORY}:{TAG} is no image lock that this version reads ({error})",
            "use the version of this project that wrote it; nothing was planned or changed",
            ExitCode.NOT_READY,
        ) from None


def publish(registry: Registry, locked: Mapping[str, LockedImage]) -> SharedLock:
    """Add what was locked to the lock in the registry and return that. Raises OperatorError.

    Registries cannot compare and swap: what somebody else wrote meanwhile is read again and added to.
    """
    for _ in range(_ATTEMPTS):
        before = read(registry) or SharedLock()
        after = before.with_locked(locked)
        if after == before:
            return before
        _put(registry, after)
        if read(registry) == after:
            return after
    raise OperatorError(
        f"the image lock in {registry.name} is written by somebody else all the time", "run this again", ExitCode.FAILED
    )


def _put(registry: Registry, lock: SharedLock) -> None:
    content = _rendered(lock)
    for blob in (_EMPTY, content):
        digest = digest_of(blob)
        if not registry.has_blob(REPOSITORY, digest):
            registry.put_blob(REPOSITORY, Descriptor(digest, len(blob)), [blob])
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST_TYPE,
        "artifactType": ARTIFACT_TYPE,
        "config": {"mediaType": _EMPTY_TYPE, "digest": digest_of(_EMPTY), "size": len(_EMPTY)},
        "layers": [{"mediaType": ARTIFACT_TYPE, "digest": digest_of(content), "size": len(content)}],
    }
    registry.put_manifest(REPOSITORY, TAG, Manifest(_MANIFEST_TYPE, json.dumps(manifest).encode()))


def _rendered(lock: SharedLock) -> bytes:
    images = {
        name: [{"serial": serial, "image": str(image)} for serial, image in lock.images[name]]
        for name in sorted(lock.images)
    }
    return (json.dumps({"format": FORMAT, "serial": lock.serial, "images": images}, indent=2) + "\n").encode()


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
