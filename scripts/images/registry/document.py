"""A JSON document in a registry: an OCI artifact of one layer under one tag, for what all checkouts share.

image-spec 1.1, guidance for artifacts: an empty configuration, and the type of the artifact.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from scripts.core.errors import ExitCode, OperatorError
from scripts.images.errors import NotFoundError

from .client import Registry
from .manifests import Descriptor, Manifest, digest_of

TAG = "current"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_EMPTY = b"{}"
_ATTEMPTS = 5

T = TypeVar("T")

Content = Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """Where a document stands, and what it is."""

    repository: str
    artifact_type: str
    called: str
    """What it is, for messages: `image lock`."""

    def read(self, registry: Registry) -> bytes | None:
        """Return the document as it stands; None where nobody has written one yet. Raises OperatorError.

        Raises ValueError for something else in its place.
        """
        try:
            manifest = registry.manifest(self.repository, TAG)
        except NotFoundError:
            return None
        (layer,) = [blob for blob in manifest.blobs() if blob.digest != digest_of(_EMPTY)]
        with registry.blob(self.repository, layer.digest) as pieces:
            return b"".join(pieces)

    def write(self, registry: Registry, content: Content) -> None:
        """Put a document in its place. Raises OperatorError."""
        body = (json.dumps(content, indent=2) + "\n").encode()
        for blob in (_EMPTY, body):
            digest = digest_of(blob)
            if not registry.has_blob(self.repository, digest):
                registry.put_blob(self.repository, Descriptor(digest, len(blob)), [blob])
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST_TYPE,
            "artifactType": self.artifact_type,
            "config": {"mediaType": _EMPTY_TYPE, "digest": digest_of(_EMPTY), "size": len(_EMPTY)},
            "layers": [{"mediaType": self.artifact_type, "digest": digest_of(body), "size": len(body)}],
        }
        registry.put_manifest(self.repository, TAG, Manifest(_MANIFEST_TYPE, json.dumps(manifest).encode()))

    def update(
        self, registry: Registry, read: Callable[[], T], change: Callable[[T], T], render: Callable[[T], Content]
    ) -> T:
        """Change what stands there and return it. Raises OperatorError.

        Registries cannot compare and swap: what somebody else wrote meanwhile is read again and changed as well.
        """
        for _ in range(_ATTEMPTS):
            before = read()
            after = change(before)
            if after == before:
                return before
            self.write(registry, render(after))
            if read() == after:
                return after
        raise OperatorError(
            f"the {self.called} in {registry.name} is written by somebody else all the time",
            "run this again",
            ExitCode.FAILED,
        )
