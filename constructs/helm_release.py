"""A Helm release whose chart, images and values come from `helm/`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cdktf import AssetType, ITerraformDependable, TerraformAsset
from cdktf_cdktf_provider_helm.release import Release, ReleasePostrender
from constructs import Construct

from stacks.platform.common.catalogue import charts, own_chart, values_files
from stacks.platform.common.literals import terraform_literal

from .helm_values import values_text

LONGEST_NAME = 53
"""Helm's limit for release names."""


class HelmRelease(Release):
    """The release `name`, which is also the id, the key in `helm/charts.yaml` and the folder of its values.

    Values are layered, later ones win: `values.yaml`, `values.<variant>.yaml` for each variant, then `wired`: what
    only the stack knows, which may hold tokens. Terraform waits until every object is ready. A failed upgrade is rolled
    back, and a failed installation removed, unless `roll_back` is off: for pods that change data as they start, whose
    predecessors may not understand it any more.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        namespace: str,
        wired: Mapping[str, Any],
        chart_of: str | None = None,
        variants: Sequence[str] = (),
        timeout_seconds: int = 600,
        skip_crds: bool = False,
        roll_back: bool = True,
        wait_for_jobs: bool = True,
        version: str | None = None,
        insertions: Mapping[str, str] | None = None,
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        """Add the release to `scope`.

        `chart_of` names chart and values in `helm/` where one chart is released under several names; `version` is given
        where an environment chooses another than the pinned chart. `insertions` are lines that follow each line of the
        rendered chart that equals the key, for what the chart has no value for; `sed` inserts them where Terraform
        runs.

        Raises ValueError for a name that Helm refuses, a missing values file, or wired text that Terraform would
        misread; KeyError for a chart that `helm/charts.yaml` does not pin.
        """
        if len(name) > LONGEST_NAME:
            raise ValueError(f"release name {name!r} has {len(name)} characters, Helm allows {LONGEST_NAME}")
        files = [terraform_literal(file.read_text("utf-8")) for file in values_files(chart_of or name, tuple(variants))]
        chart, repository, pinned = _chart(scope, chart_of or name)
        super().__init__(
            scope,
            name,
            name=name,
            namespace=namespace,
            chart=chart,
            repository=repository,
            version=version or pinned,
            values=[*files, values_text(wired, name)],
            atomic=roll_back,
            cleanup_on_fail=roll_back,
            wait=True,
            wait_for_jobs=wait_for_jobs,
            timeout=timeout_seconds,
            max_history=5,
            skip_crds=skip_crds,
            postrender=ReleasePostrender(binary_path="sed", args=inserting(insertions)) if insertions else None,
            depends_on=list(depends_on),
        )


def inserting(insertions: Mapping[str, str]) -> list[str]:
    """Arguments of a POSIX `sed` that puts the value of each entry behind every line that equals its key.

    Raises ValueError for text of several lines or with the sign that separates the arguments' parts.
    """
    arguments = []
    for line, added in insertions.items():
        if set(line + added) & {"|", "\n"}:
            raise ValueError(f"{line!r} or {added!r} holds a bar or a line break")
        pattern, text = re.sub(r"([.\[\]*^$\\])", r"\\\1", line), re.sub(r"([&\\])", r"\\\1", added)
        arguments += ["-e", f"s|^{pattern}$|&\\\n{text}|"]
    return arguments


def _chart(scope: Construct, name: str) -> tuple[str, str | None, str | None]:
    """Return chart, repository and version; the latter two are None for an own chart."""
    folder = own_chart(name)
    if folder is not None:
        # A remote run has only the stack's own folder, and cdktf copies assets into it.
        asset_id = f"{name}-chart"
        asset = scope.node.try_find_child(asset_id)
        if not isinstance(asset, TerraformAsset):
            asset = TerraformAsset(scope, asset_id, path=str(folder), type=AssetType.DIRECTORY)
        return f"./{asset.path}", None, None
    pin = charts()[name]
    return pin.name, pin.repository, pin.version
