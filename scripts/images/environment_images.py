"""The images of one environment: what it needs, what stands in its registry, and what its lock file says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from scripts.core.workspace import CACHE
from stacks.platform.common import catalogue
from stacks.platform.common.catalogue import Build, Image
from stacks.platform.common.image_lock import LockedImage, lock_file
from stacks.platform.common.images import login_server
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings

from . import desired, inspection, shared_lock
from .desired import DesiredImage
from .inspection import InspectedImage
from .lock import locked_images, write_lock
from .registry.client import Registry
from .sources.folder import of_folder
from .sources.tagged import at_tag
from .sources.tree import Source


@dataclass(frozen=True)
class EnvironmentImages:
    """One environment's images and the registry that they belong in."""

    settings: Settings
    registry_name: str = ""
    """Host of the registry; empty for the environment's own."""
    source_folder: Path | None = None
    """Checkout that is built instead of the pinned version."""
    pinned: Mapping[str, Image] = field(default_factory=catalogue.images)
    lock: Path | None = None
    cache: Path = CACHE / "images"
    names: tuple[str, ...] = ()
    """Selected images or releases; all when empty."""
    kind: Literal["all", "build", "import"] = "all"
    """Whether only images that are built, or only those that are imported, are selected."""

    @cached_property
    def registry(self) -> Registry:
        """Client of the registry, with the login that this machine has for it."""
        return Registry.connect(self.registry_name or login_server(self.settings.azure_names))

    @property
    def lock_path(self) -> Path:
        """The environment's lock file."""
        return self.lock or lock_file(self.settings.name)

    @cached_property
    def images(self) -> list[DesiredImage]:
        """Return what has to stand in the registry. Raises OperatorError when a source cannot be read."""
        selected = self._selected
        found = desired.desired_images(
            selected,
            build=self.settings.images.opik == "build" and self.kind != "import",
            platform=self.settings.images.platform,
            source=self._source,
        )
        built = {name for name in selected if self.is_built(name)}
        return [image for image in found if self.kind == "all" or (image.name in built) == (self.kind == "build")]

    @property
    def repositories(self) -> set[str]:
        """Repositories in which versions of the images can stand. Raises OperatorError for an unknown image."""
        return desired.repositories(self._selected.items())

    @property
    def _selected(self) -> dict[str, Image]:
        components = enabled_components(self.settings)
        if self.names:
            return desired.chosen(components.at_chosen_versions(self.pinned), self.names)
        return components.images(self.pinned)

    def locked(self) -> dict[str, LockedImage]:
        """Return what the lock file says. Raises OperatorError when it is damaged."""
        return locked_images(self.lock_path)

    def inspect(self) -> list[InspectedImage]:
        """Return how every image stands. Raises OperatorError when the registry cannot answer."""
        locked = self.locked()
        return inspection.inspect(desired.remembering(self.images, self._remembered(locked)), self.registry, locked)

    def save(self, findings: Iterable[InspectedImage]) -> bool:
        """Share what stands in the registry, write it into the lock file, and return whether that changed the file.

        Where not all images are selected, the other entries of the file stay; else images that are no longer needed
        leave. Raises OperatorError when the registry does not take the lock; the file then stays as it was.
        """
        kept = self.locked() if self.names or self.kind != "all" else {}
        locked = {**kept, **{found.image.name: found.locked for found in findings}}
        shared = shared_lock.publish(self.registry, locked)
        return write_lock(self.lock_path, locked, shared.serial_of(locked))

    def bring_lock(self) -> bool:
        """Write what the shared lock holds for the versions of this checkout into its lock file.

        Returns whether that changed the file, which stays while nobody has shared a lock yet. Raises OperatorError when
        the registry cannot be read.
        """
        shared = shared_lock.read(self.registry)
        if shared is None:
            return False
        components = enabled_components(self.settings)
        pinned = {**components.at_chosen_versions(self.pinned), **components.images(self.pinned)}
        return write_lock(self.lock_path, *shared.fitting(pinned))

    def log(self, name: str) -> Path:
        """Log of the last work on an image."""
        return self.cache / "logs" / self.settings.name / f"{name.replace('/', '-')}.log"

    def is_built(self, name: str) -> bool:
        """Tell whether the environment builds the image from source."""
        return self.pinned[name].build is not None and self.settings.images.opik == "build"

    def _remembered(self, locked: Mapping[str, LockedImage]) -> Mapping[str, LockedImage]:
        """Return what was locked of the pinned versions, by this checkout or another one."""
        if all(image.name in locked or image.upstream.digest or image.recipe for image in self.images):
            return locked
        return {**self.shared(), **locked}

    def shared(self) -> Mapping[str, LockedImage]:
        """Return what the shared lock holds of the pinned versions. Raises OperatorError when it cannot be read."""
        shared = shared_lock.read(self.registry)
        return {} if shared is None else shared.fitting(self._selected)[0]

    def _source(self, build: Build, version: str) -> Source:
        cached = self._sources.get((build.git, version))
        if cached is None:
            if self.source_folder:
                contexts = sorted(
                    {
                        image.build.context
                        for image in self.pinned.values()
                        if image.build and image.build.git == build.git
                    }
                )
                cached = of_folder(self.source_folder, contexts, self.cache / "source")
            else:
                cached = at_tag(build.git, version, self.cache / "source", commit=build.commit)
            self._sources[build.git, version] = cached
        return cached

    @cached_property
    def _sources(self) -> dict[tuple[str, str], Source]:
        return {}
