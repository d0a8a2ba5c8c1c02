"""Which release of Opik an environment runs: the one place where the pin and the environment's choice meet."""

from collections.abc import Mapping
from dataclasses import replace

from stacks.platform.common.catalogue import Image, charts
from stacks.settings import Settings
from stacks.settings.opik import OpikSettings

OPIK = "opik"
"""Name of the release in `helm/charts.yaml` and `helm/images.yaml`."""
_MOVING = (OPIK, "opik-guardrails")
"""Releases with images that carry Opik's own version."""


def opik_version(opik: OpikSettings) -> str:
    """Release of chart and application: the environment's `opik.version`, else the pin. KeyError without a pin."""
    return opik.version or charts()[OPIK].version


def at_chosen_version(pinned: Mapping[str, Image], settings: Settings) -> dict[str, Image]:
    """Return the images with those of Opik itself at the environment's version.

    Opik tags its images with the release of the chart; images of its release with another tag belong to others.
    """
    if settings.opik.version is None or OPIK not in charts():
        return dict(pinned)
    return {name: _moved(name, image, charts()[OPIK].version, settings.opik.version) for name, image in pinned.items()}


def _moved(name: str, image: Image, pinned: str, chosen: str) -> Image:
    if name.partition("/")[0] not in _MOVING or image.tag != pinned or chosen == pinned:
        return image
    # Digest and commit are those of the pinned release.
    build = replace(image.build, commit=None) if image.build else None
    return replace(image, tag=chosen, digest=None, build=build)
