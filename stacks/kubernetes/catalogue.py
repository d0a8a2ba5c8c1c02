"""The pinned charts, images and values files in `helm/`: the only reader of that folder."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HELM = Path(__file__).parents[2] / "helm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart pinned in `helm/charts.yaml`."""

    repository: str
    """Chart repository, `https://` or `oci://`."""
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A container image pinned in `helm/images.yaml`."""

    repository: str
    tag: str

    def values(self) -> dict[str, str]:
        """The form in which most charts take an image."""
        return {"repository": self.repository, "tag": self.tag}


@cache
def charts() -> dict[str, Chart]:
    """Every third-party chart, by release name."""
    return {release: Chart(**pin) for release, pin in _read(HELM / "charts.yaml").items()}


@cache
def images() -> dict[str, Image]:
    """Every container image, by `<release>/<component>`."""
    return {
        f"{release}/{component}": Image(**pin)
        for release, components in _read(HELM / "images.yaml").items()
        for component, pin in components.items()
    }


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


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe").load(path.read_text("utf-8"))
    return content
