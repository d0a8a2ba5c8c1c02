"""What `helm/images.yaml` and `helm/charts.yaml` take from publishers, and what stands there now."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scripts.core.errors import OperatorError
from scripts.images.charts.package import Package
from scripts.images.charts.publisher import fetch
from stacks.platform.common.catalogue import Chart, Image

from .recipes import Platform, Recipe
from .registry.client import Registry
from .registry.references import parse
from .sources.tagged import at_tag, commit_of_tag

Kind = Literal["image", "base", "source", "chart"]
PLATFORM: Platform = "linux/amd64"
"""Whose base images are pinned; the digests are those of all platforms."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """An image, a chart, the source of a build or its base image, as a version names it."""

    kind: Kind
    name: str
    """Image in `helm/images.yaml`, or release in `helm/charts.yaml`."""
    reference: str
    """What is looked up."""
    pinned: str | None
    """Digest, or the source's commit; None while only the version is pinned."""


def images_and_sources(images: Mapping[str, Image]) -> list[Upstream]:
    """Return the images and the sources of those that can be built."""
    found = [Upstream("image", name, f"{it.repository}:{it.tag}", it.digest) for name, it in images.items()]
    built = [(name, it.build, it.tag) for name, it in images.items() if it.build]
    return found + [Upstream("source", name, f"{it.git}#{tag}", it.commit) for name, it, tag in built]


def of_charts(charts: Mapping[str, Chart]) -> list[Upstream]:
    """Return the charts."""
    return [Upstream("chart", name, str(chart), chart.digest) for name, chart in charts.items()]


def bases(images: Mapping[str, Image], commits: Mapping[str, str], cache: Path) -> list[Upstream]:
    """Return the base images of builds, whose Dockerfiles are read at `commits` (by image), else as they are pinned.

    One that the Dockerfile itself names by digest is left out. Raises GitError when the source cannot be fetched.
    """
    found = []
    for name, image in images.items():
        if image.build is None:
            continue
        commit = commits.get(name) or image.build.commit
        source = at_tag(image.build.git, image.tag, cache / "source", commit=commit)
        recipe = Recipe.of(name, image.build, image.tag, source, PLATFORM)
        found += [Upstream("base", name, base, digest) for base, digest in recipe.bases.items() if "@" not in base]
    return found


def look_up(
    upstreams: Iterable[Upstream],
    charts: Mapping[str, Chart],
    *,
    connect: Callable[[str], Registry] = Registry.connect,
    fetch: Callable[[Chart], Package] = fetch,
) -> dict[Upstream, str]:
    """Return what each of them is at its source now. Raises OperatorError when one is not there."""
    registries: dict[str, Registry] = {}
    known: dict[str, str] = {}

    def digest(reference: str) -> str | None:
        image = parse(reference)
        registry = registries.setdefault(image.registry, connect(image.registry))
        return registry.digest(image.repository, image.selector)

    def one(upstream: Upstream) -> str | None:
        if upstream.kind == "chart":
            return fetch(charts[upstream.name]).digest
        if upstream.kind == "source":
            return commit_of_tag(*upstream.reference.rsplit("#", 1))
        return digest(upstream.reference)

    found = {}
    for upstream in upstreams:
        if upstream.reference not in known:
            now = one(upstream)
            if now is None:
                raise OperatorError(
                    f"{upstream.reference} does not exist", "correct repository or tag in helm/images.yaml"
                )
            known[upstream.reference] = now
        found[upstream] = known[upstream.reference]
    return found
