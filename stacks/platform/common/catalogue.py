"""The pinned charts, images and values files in `helm/`: the only reader of that folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, reduce
from pathlib import Path
from typing import Any

from stacks.common.yaml_text import parsed
from stacks.platform.common.pin_file import pin_of, read_pins

HELM = Path(__file__).parents[3] / "helm"
ARCHIVES = "charts"
"""Folder, in that of the synthesized stack, with the archives of charts that are pinned by digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart pinned in `helm/charts.yaml`."""

    repository: str
    """Chart repository, `https://` or `oci://`."""
    name: str
    version: str
    digest: str | None = None
    """`sha256:` of the packaged chart, or of its manifest in an OCI repository; written by `llmctl images pin`."""

    @property
    def archive(self) -> str:
        """Path of the verified archive below the stack's folder. Raises ValueError for a chart without a digest."""
        if self.digest is None:
            raise ValueError(f"{self.name} {self.version} has no digest")
        return f"{ARCHIVES}/{self.name}-{self.version}-{self.digest.removeprefix('sha256:')[:12]}.tgz"

    def __str__(self) -> str:
        """The chart as people name it."""
        return f"{self.repository.rstrip('/')}/{self.name} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How an image is built from source instead of imported."""

    git: str
    """Repository of the source; the image's tag is the git tag that is built."""
    commit: str | None = None
    """Commit that the git tag named when it was pinned; what is built, since a tag can be moved. Written by
    `llmctl images pin`."""
    context: str
    """Folder in the repository that holds the Dockerfile and everything it copies."""
    args: Mapping[str, str] = field(default_factory=dict)
    """Build arguments; `{tag}` stands for the image's tag, so that a version is written once."""
    memory_gib: float = 2
    """Memory that one build needs at its peak; bounds how many run at once."""
    bases: Mapping[str, str] = field(default_factory=dict)
    """Digests of the base images that the Dockerfile names, by reference; `llmctl images pin` fills them."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files that the context lacks, path to content: what a Dockerfile copies if there, as only BuildKit can."""

    def arguments(self, tag: str) -> dict[str, str]:
        """Return the build arguments of the image with this tag."""
        return {name: str(value).replace("{tag}", tag) for name, value in self.args.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A container image pinned in `helm/images.yaml`, or its copy in an environment's own registry."""

    repository: str
    """With the registry's host."""
    tag: str
    digest: str | None = None
    """Wins over the tag, which then only tells people the version."""
    build: Build | None = None
    """Set for images that can be built from source."""

    def values(self) -> dict[str, str]:
        """The form in which most charts take an image; they join the two with a colon."""
        return {"repository": self.repository, "tag": f"{self.tag}@{self.digest}" if self.digest else self.tag}

    def parts(self) -> dict[str, str]:
        """The form of charts that take the registry's host apart from the repository."""
        registry, _, repository = self.repository.partition("/")
        return {"registry": registry, **self.values(), "repository": repository}

    def __str__(self) -> str:
        """The whole reference, as a pod names it."""
        return ":".join(self.values().values())


@cache
def charts() -> dict[str, Chart]:
    """Every third-party chart, by release name. Raises SettingsError for a list that cannot be used."""
    path = HELM / "charts.yaml"
    needed = ("repository", "name", "version")
    return {
        release: Chart(**pin_of(path, release, pin, required=needed, known=(*needed, "digest")))
        for release, pin in read_pins(path).items()
    }


def pinned_release(chart: str, pins: Mapping[str, Chart] | None = None) -> str | None:
    """Return the release in `helm/charts.yaml` that a release's `chart` belongs to, None for a chart of our own."""
    for release, pin in (charts() if pins is None else pins).items():
        if chart == pin.name or (pin.digest and chart == f"./{pin.archive}"):
            return release
    return None


@cache
def images() -> dict[str, Image]:
    """Every container image, by `<release>/<component>`. Raises SettingsError for a list that cannot be used."""
    path = HELM / "images.yaml"
    return {
        f"{release}/{component}": _image(path, f"{release}.{component}", pin)
        for release, components in read_pins(path).items()
        for component, pin in pin_of(path, release, components, required=(), known=tuple(components or ())).items()
    }


def _image(path: Path, key: str, given: object) -> Image:
    pin = pin_of(path, key, given, required=("repository", "tag"), known=("repository", "tag", "digest", "build"))
    if "build" not in pin:
        return Image(**pin)
    known = ("git", "context", "commit", "args", "memory_gib", "bases", "files")
    build = pin_of(path, f"{key}.build", pin["build"], required=("git", "context"), known=known)
    return Image(**{**pin, "build": Build(**build)})


def images_of(release: str, images: Mapping[str, Image]) -> dict[str, Image]:
    """Return the images of one release by component."""
    return {name.partition("/")[2]: image for name, image in images.items() if name.startswith(f"{release}/")}


def own_chart(release: str) -> Path | None:
    """Folder of the release's own chart, or None where the chart is a third party's."""
    folder = HELM / release
    return folder if (folder / "Chart.yaml").is_file() else None


def values_files(release: str, variants: tuple[str, ...] = ()) -> list[Path]:
    """Values files of a release in the order in which Helm has to read them: base first, then each variant.

    Raises ValueError when one is missing.
    """
    files = [HELM / release / name for name in ("values.yaml", *(f"values.{variant}.yaml" for variant in variants))]
    for file in files:
        if not file.is_file():
            raise ValueError(f"{file.relative_to(HELM.parent)} does not exist; release {release} needs it")
    return files


@cache
def fixed_values(release: str, variants: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """Return what the values files of a release say together; as Helm, a later one wins key by key.

    Raises ValueError when one is missing.
    """
    together: Mapping[str, Any] = reduce(_over, (_read(file) for file in values_files(release, variants)))
    return together


def _over(base: Any, later: Any) -> Any:
    if not isinstance(base, Mapping) or not isinstance(later, Mapping):
        return later
    return {**base, **{key: _over(base[key], value) if key in base else value for key, value in later.items()}}


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = parsed(path.read_text("utf-8"))
    return content
