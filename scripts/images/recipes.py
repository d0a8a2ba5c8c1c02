"""What goes into one built image, and the hash of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from scripts.core.errors import OperatorError
from stacks.platform.common.catalogue import Build

from .dockerfile.base_images import base_images, pin_bases
from .dockerfile.features import Use, uses
from .sources.tree import Source

Platform = Literal["linux/amd64", "linux/arm64"]
_HASH_CHARACTERS = 12
_FORMAT = 1
"""Part of every hash; raise it when this module changes what a build is made of."""


@dataclass(frozen=True)
class Recipe:
    """One image to build; everything that decides its content, and so its tag."""

    name: str
    source: Source
    context: str
    arguments: Mapping[str, str]
    platform: Platform
    pinned_bases: Mapping[str, str]
    """Digest of each base image, by the reference in the Dockerfile."""
    memory_gib: float
    added: Mapping[str, str] = field(default_factory=dict)
    """Files that the context lacks, path to content."""

    @classmethod
    def of(cls, name: str, build: Build, version: str, source: Source, platform: Platform) -> "Recipe":
        """Return the recipe of an image in `helm/images.yaml`."""
        arguments = build.arguments(version)
        bases, files = dict(build.bases), dict(build.files)
        return cls(name, source, build.context, arguments, platform, bases, build.memory_gib, files)

    @cached_property
    def dockerfile(self) -> str:
        """The Dockerfile as it stands in the source. Raises GitError."""
        return self.source.text(f"{self.context.strip('/')}/Dockerfile")

    @cached_property
    def bases(self) -> dict[str, str | None]:
        """Every base image with its digest, None where `helm/images.yaml` pins none. Raises OperatorError."""
        try:
            found = base_images(self.dockerfile, self._variables)
        except ValueError as error:
            raise OperatorError(
                f"{self.name}: {error}", f"add it to build.args of {self.name} in helm/images.yaml"
            ) from None
        return {image: image.partition("@")[2] or self.pinned_bases.get(image) for image in found}

    @property
    def unpinned_bases(self) -> list[str]:
        """Base images that a registry may change under the same name."""
        return [image for image, digest in self.bases.items() if digest is None]

    @cached_property
    def content_hash(self) -> str:
        """Equal for equal input: files, build arguments, platform, base images."""
        parts = {
            "format": _FORMAT,
            "tree": self.source.tree(self.context),
            "arguments": dict(self.arguments),
            "platform": self.platform,
            "bases": self.bases,
            # Left out where there are none, so that other images keep their hash.
            **({"files": dict(self.added)} if self.added else {}),
        }
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARACTERS]

    def export(self, folder: Path) -> None:
        """Write the build context to the empty `folder`, its Dockerfile with every known base by digest."""
        self.source.export(self.context, folder)
        for path in self._lacking:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.added[path], "utf-8")
        digests = {image: digest for image, digest in self.bases.items() if digest}
        text = pin_bases(self.dockerfile, self._variables, digests)
        (folder / "Dockerfile").write_text(text, "utf-8")

    @cached_property
    def uses(self) -> list[Use]:
        """What the Dockerfile asks of a builder, with this context. Raises GitError."""
        return uses(self.dockerfile, self._variables, self.source.files(self.context) | set(self.added))

    @property
    def _lacking(self) -> list[str]:
        """Paths of the added files that the source does not have itself: those that it has, win."""
        return sorted(set(self.added) - self.source.files(self.context)) if self.added else []

    @property
    def _variables(self) -> dict[str, str]:
        system, _, architecture = self.platform.partition("/")
        predefined = {f"{where}PLATFORM": self.platform for where in ("TARGET", "BUILD")}
        return predefined | {"TARGETOS": system, "TARGETARCH": architecture} | dict(self.arguments)
