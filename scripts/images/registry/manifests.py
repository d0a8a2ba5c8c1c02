"""What a manifest says (opencontainers/image-spec 1.1, and Docker's schema 2, which has the same fields)."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Something that a manifest points at."""

    digest: str
    size_bytes: int
    platform: str = ""
    """`linux/amd64`, for the entries of an index."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, or an index of manifests, with the very bytes that its digest covers."""

    media_type: str
    body: bytes

    @property
    def digest(self) -> str:
        """Digest of the bytes."""
        return digest_of(self.body)

    @property
    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests, one for each platform."""
        return self.media_type in INDEX_TYPES

    def children(self) -> list[Descriptor]:
        """Return the manifests of an index; none for a manifest."""
        return [_descriptor(entry) for entry in self._content.get("manifests", [])]

    def blobs(self) -> list[Descriptor]:
        """Return configuration and layers of a manifest, each digest once; none for an index.

        Layers that live elsewhere by design (`urls`) are left out.
        """
        content = self._content
        entries = [*content.get("layers", []), *([content["config"]] if "config" in content else [])]
        found = {entry["digest"]: _descriptor(entry) for entry in entries if not entry.get("urls")}
        return list(found.values())

    @property
    def config(self) -> Descriptor:
        """Configuration of the image. Raises KeyError for an index."""
        return _descriptor(self._content["config"])


def digest_of(content: bytes) -> str:
    """Return the digest by which registries name a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(entry: dict[str, Any]) -> Descriptor:
    platform = entry.get("platform", {})
    name = f"{platform.get('os', '')}/{platform.get('architecture', '')}" if platform else ""
    return Descriptor(entry["digest"], int(entry.get("size", 0)), name)
