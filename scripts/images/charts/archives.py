"""Puts the archives of pinned charts, verified, beside the synthesized stack that deploys them."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import CACHE, CHARTS_MISSING
from scripts.images.errors import ChartError, UnreachableChartError, UnreachableError
from stacks.platform.common.catalogue import ARCHIVES, Chart

from .package import Package

STORE = CACHE / "images" / "charts"
SWITCH, NEVER = "LLMCTL_FETCH_CHARTS", "never"
"""Variable that forbids a synthesis to fetch charts, and its value that does."""
_DOWNLOADS = 8

Fetch = Callable[[Chart], Package]


def verified(chart: Chart, store: Path = STORE, fetch: Fetch | None = None) -> Package:
    """Return the chart with the pinned digest: out of `store`, else out of its repository, and then kept.

    Raises ChartError where the repository has another chart under the pinned version, OperatorError where it has none.
    """
    kept = _kept(chart, store)
    if kept:
        return kept
    shutil.rmtree(_place(chart, store), ignore_errors=True)
    found = (fetch or _from_publisher())(chart)
    if found.digest != chart.digest:
        raise ChartError(
            f"{chart} is {found.digest} now, helm/charts.yaml pins {chart.digest}",
            "nothing is deployed: ask the publisher why it was replaced; `llmctl images pin --charts --again` takes it",
            ExitCode.REFUSED,
        )
    found.write(_place(chart, store))
    return found


def bring(
    stack: Path,
    pinned: Mapping[str, Chart],
    tell: Callable[[str], object],
    *,
    store: Path = STORE,
    fetch: Fetch | None = None,
    allowed: bool = True,
) -> None:
    """Put the archive of every pinned chart that the stack in folder `stack` deploys where its release looks for it.

    What cannot be reached, or is not `allowed` to be fetched, is reported: reading and reviewing the stack go on, and
    Terraform, which then finds no chart, plans nothing. Raises ChartError where a chart was replaced.
    """
    folder = stack / ARCHIVES
    wanted = _wanted(stack, pinned)
    shutil.rmtree(folder, ignore_errors=True)
    found = {chart: kept for chart in wanted if (kept := _kept(chart, store))}
    missing = {chart: f"{SWITCH}={NEVER} forbids to fetch it" for chart in wanted if chart not in found}
    if missing and allowed:
        fetched = _fetched(missing, store, fetch)
        found |= {chart: package for chart, package in fetched.items() if isinstance(package, Package)}
        missing = {chart: reason for chart, reason in fetched.items() if isinstance(reason, str)}
    for chart, package in found.items():
        folder.mkdir(exist_ok=True)
        (stack / chart.archive).write_bytes(package.archive)
    if missing:
        told = (f"{chart.name} {chart.version} ({why})" for chart, why in missing.items())
        tell(f"{CHARTS_MISSING}: {'; '.join(told)}")


def _fetched(charts: Iterable[Chart], store: Path, fetch: Fetch | None) -> dict[Chart, Package | str]:
    """Return each chart, or why its repository gave none."""
    ask = fetch or _from_publisher()

    def one(chart: Chart) -> Package | str:
        try:
            return verified(chart, store, ask)
        except (UnreachableChartError, UnreachableError) as error:
            return error.message

    charts = list(charts)
    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        return dict(zip(charts, pool.map(one, charts), strict=True))


def _kept(chart: Chart, store: Path) -> Package | None:
    kept = Package.read(_place(chart, store))
    return kept if kept and kept.digest == chart.digest else None


def _place(chart: Chart, store: Path) -> Path:
    assert chart.digest
    return store / chart.digest.replace(":", "-")


def _from_publisher() -> Fetch:
    # Clients of registries take longer to load than a synthesis with every archive at hand may.
    from .publisher import fetch  # noqa: PLC0415

    return fetch


def _wanted(stack: Path, pinned: Mapping[str, Chart]) -> list[Chart]:
    try:
        content: Any = json.loads((stack / "cdk.tf.json").read_text("utf-8"))
    except FileNotFoundError:
        return []
    named = {release["chart"] for release in content.get("resource", {}).get("helm_release", {}).values()}
    found = [chart for chart in pinned.values() if chart.digest and f"./{chart.archive}" in named]
    known = {f"./{chart.archive}" for chart in found}
    lost = sorted(name for name in named if name.startswith(f"./{ARCHIVES}/") and name not in known)
    if lost:
        raise OperatorError(f"no pinned chart belongs to {', '.join(lost)}")
    return found
