"""What an environment in use takes from publishers by a version alone, under which they can put other content."""

from collections.abc import Iterable, Iterator, Mapping

from stacks.platform.common import catalogue
from stacks.platform.common.catalogue import Chart, Image
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.opik.version import OPIK, opik_version
from stacks.settings import Settings
from stacks.settings.opik import OpikSettings
from stacks.settings.rules.base import Finding


def open_charts(settings: Settings) -> list[str]:
    """Return the charts in use that are known by their version alone, so that Helm fetches what it names then."""
    return _open(settings.opik, _used(enabled_components(settings).images(catalogue.images()), None))


def _used(images: Iterable[str], charts: Mapping[str, Chart] | None) -> Mapping[str, Chart]:
    releases = {name.partition("/")[0] for name in images}
    known = catalogue.charts() if charts is None else charts
    return {release: chart for release, chart in known.items() if release in releases}


def _open(opik: OpikSettings, used: Mapping[str, Chart]) -> list[str]:
    # A version of its own is neither the pinned chart's nor that of the pinned images and source.
    own = {OPIK: opik_version(opik)} if OPIK in used else {}
    return [name for name, it in used.items() if it.digest is None or own.get(name, it.version) != it.version]


def pin_note(
    settings: Settings, pinned: Mapping[str, Image] | None = None, charts: Mapping[str, Chart] | None = None
) -> str:
    """Return a note that counts and names images, source and charts without a digest or commit; empty for none.

    Only for environments that resemble production: the database has a standby, or signatures or pins are asked for.
    """
    asked = settings.images.verify_signatures or settings.images.require_pins
    if settings.database.high_availability == "off" and not asked:
        return ""
    images = enabled_components(settings).images(catalogue.images() if pinned is None else pinned)
    used = _used(images, charts)
    built = settings.images.opik == "build"
    open_images = [
        name for name, image in images.items() if not (image.build.commit if built and image.build else image.digest)
    ]
    unpinned_charts = _open(settings.opik, used)
    if not open_images and not unpinned_charts:
        return ""
    return (
        f"supply chain: {len(open_images)} of {len(images)} images and {len(unpinned_charts)} of {len(used)} charts are"
        f" pinned by version only (`llmctl images pin`): images {', '.join(open_images) or 'none'};"
        f" charts {', '.join(unpinned_charts) or 'none'}"
    )


def required_pins(
    settings: Settings, pinned: Mapping[str, Image] | None = None, charts: Mapping[str, Chart] | None = None
) -> Iterator[Finding]:
    """Yield what is wrong where the environment wants everything pinned (`images.require_pins`)."""
    if settings.images.require_pins and (note := pin_note(settings, pinned, charts)):
        yield Finding(("images", "require_pins"), note)
