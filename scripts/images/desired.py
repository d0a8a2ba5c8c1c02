"""Which images an environment needs, and where each of them belongs in its registry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.common.catalogue import Build, Image
from stacks.platform.common.image_lock import LockedImage

from .recipes import Platform, Recipe
from .registry.references import Reference, parse
from .sources.tree import Source

T = TypeVar("T")


@dataclass(frozen=True)
class DesiredImage:
    """An image that has to stand in the environment's registry under `repository:tag`."""

    name: str
    repository: str
    tag: str
    upstream: Reference
    """Where it is imported from; for a built image where its publisher offers it."""
    recipe: Recipe | None = None
    """Set for images that are built."""
    remembered: str | None = None
    """Digest by which the environment locked this tag before; counts where the list pins none."""

    @property
    def digest(self) -> str | None:
        """Digest that the copy must have; None where it is built, or where a tag alone is known."""
        return None if self.recipe else self.upstream.digest or self.remembered

    @property
    def source(self) -> Reference:
        """What is imported: by digest wherever one is known."""
        return replace(self.upstream, digest=self.digest)

    @property
    def unpinned(self) -> list[str]:
        """What is only known by its tag, under which a publisher may put other content: the image, or its bases."""
        if self.recipe:
            return self.recipe.unpinned_bases
        return [] if self.upstream.digest else [str(self.upstream)]


def chosen(images: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """Return those of `images` that `names` name, by `<release>/<component>` or `<release>`; all when there are none.

    Raises OperatorError for a name that fits nothing.
    """
    names = list(names)
    for name in names:
        if not any(_fits(image, name) for image in images):
            known = ", ".join(images) or "none"
            raise OperatorError(f"no image is called {name}", f"the images are: {known}", ExitCode.USAGE)
    return {image: pin for image, pin in images.items() if not names or any(_fits(image, name) for name in names)}


def desired_images(
    images: Mapping[str, Image], *, build: bool, platform: Platform, source: Callable[[Build, str], Source]
) -> list[DesiredImage]:
    """Return what has to stand in the registry.

    With `build`, images that can be built are built; `source` finds the source of a build and a version. Without, they
    are imported from their publisher.
    """
    return [_desired(name, image, build=build, platform=platform, source=source) for name, image in images.items()]


def remembering(images: Iterable[DesiredImage], locked: Mapping[str, LockedImage]) -> list[DesiredImage]:
    """Return the images, each as it was locked where the list pins no digest: the first import decides for good."""
    return [
        replace(image, remembered=entry.digest)
        if (entry := locked.get(image.name)) and (entry.repository, entry.tag) == (image.repository, image.tag)
        else image
        for image in images
    ]


def repositories(images: Iterable[tuple[str, Image]]) -> set[str]:
    """Return every repository that `images` can stand in, built or imported; needs no source."""
    return {
        repository
        for name, image in images
        for repository in (mirror(_upstream(image)), *((name,) if image.build else ()))
    }


def _desired(
    name: str, image: Image, *, build: bool, platform: Platform, source: Callable[[Build, str], Source]
) -> DesiredImage:
    upstream = _upstream(image)
    if image.build is None or not build:
        return DesiredImage(name, mirror(upstream), image.tag, upstream)
    recipe = Recipe.of(name, image.build, image.tag, source(image.build, image.tag), platform)
    return DesiredImage(name, name, f"{image.tag}-{recipe.content_hash}", upstream, recipe)


def _upstream(image: Image) -> Reference:
    return parse(f"{image.repository}:{image.tag}{f'@{image.digest}' if image.digest else ''}")


def mirror(upstream: Reference) -> str:
    """Return where the copy of an image belongs: its full name, so that no two publishers can meet."""
    return f"{upstream.registry.replace(':', '-')}/{upstream.repository}"


def _fits(image: str, name: str) -> bool:
    return name in {image, image.partition("/")[0]}
