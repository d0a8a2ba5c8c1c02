"""Helm releases whose chart and values come from `helm/`."""

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from cdktf import AssetType, ITerraformDependable, TerraformAsset
from constructs import Construct

from constructs.helm_release import ChartReference, HelmRelease
from constructs.terraform_literal import terraform_literal

from .catalogue import charts, own_chart, values_files


def add_release(
    scope: Construct,
    name: str,
    *,
    namespace: str,
    computed_values: Mapping[str, Any],
    chart_of: str | None = None,
    variants: Sequence[str] = (),
    version: str | None = None,
    timeout_seconds: int = 600,
    skip_crds: bool = False,
    roll_back: bool = True,
    wait_for_jobs: bool = True,
    insertions: Mapping[str, str] | None = None,
    depends_on: Sequence[ITerraformDependable] = (),
) -> HelmRelease:
    """Add the release `name`, which is also its id, the key in `helm/charts.yaml` and the folder of its values.

    Below `computed_values` lie `values.yaml` and `values.<variant>.yaml` for each variant. `chart_of` names chart and
    values where one chart is released under several names; `version` is given where an environment chooses another
    than the pinned chart. The rest is as for `HelmRelease`.

    Raises ValueError for a missing values file, KeyError for a chart that `helm/charts.yaml` does not pin.
    """
    files = values_files(chart_of or name, tuple(variants))
    return HelmRelease(
        scope,
        name,
        name=name,
        namespace=namespace,
        chart=_chart(scope, chart_of or name, version),
        values=[terraform_literal(file.read_text("utf-8")) for file in files],
        computed_values=computed_values,
        timeout_seconds=timeout_seconds,
        skip_crds=skip_crds,
        roll_back=roll_back,
        wait_for_jobs=wait_for_jobs,
        insertions=insertions,
        depends_on=depends_on,
    )


_ASSETS: WeakKeyDictionary[Construct, dict[str, str]] = WeakKeyDictionary()
"""Paths of the charts of our own that a stack has already, by name: several releases share one."""


def _chart(scope: Construct, name: str, version: str | None) -> ChartReference:
    folder = own_chart(name)
    if folder is not None:
        # A remote run has only the stack's own folder, and cdktf copies assets into it.
        added = _ASSETS.setdefault(scope, {})
        if name not in added:
            asset = TerraformAsset(scope, f"{name}-chart", path=str(folder), type=AssetType.DIRECTORY)
            added[name] = f"./{asset.path}"
        return ChartReference(name=added[name], version=version)
    pin = charts()[name]
    if pin.digest and version in {None, pin.version}:
        # Helm would ask the repository again, which may answer with another chart under the same version.
        return ChartReference(name=f"./{pin.archive}")
    return ChartReference(name=pin.name, repository=pin.repository, version=version or pin.version)
