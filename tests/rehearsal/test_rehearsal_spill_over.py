"""Models of several pools, deployed by the real Terraform with an empty second plan, then back to one pool each."""

from pathlib import Path

import pytest

from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.drive import Rehearsal
from stacks.settings import parse_settings
from tests.support.rehearsal.settled import deploy_settled

pytestmark = pytest.mark.rehearsal

FILE = Path(__file__).parents[1] / "environments" / "valid.several_pools.yaml"
WITHOUT_THE_REST = "opik: {enabled: false}\nmonitoring: {enabled: false}\n"
"""Parts of half the cluster's objects, which no pool changes."""
ORDER = "kube-system/cluster-autoscaler-priority-expander"


def _found(rehearsal: Rehearsal) -> tuple[str, bool, bool]:
    """Return the autoscaler's expander, whether its order is there, and whether the job's release is."""
    objects = list(Cloud(rehearsal.folder).objects())
    (cluster,) = (one.state for one in objects if one.type == "azurerm_kubernetes_cluster")
    releases = {one.state["name"] for one in objects if one.type == "helm_release"}
    orders = [one for one in objects if one.type == "kubernetes_config_map_v1" and one.id == ORDER]
    return cluster["auto_scaler_profile"][0]["expander"], bool(orders), "spill-over" in releases


def test_a_second_pool_comes_and_goes_and_a_second_plan_is_empty(tmp_path: Path) -> None:
    several = parse_settings(FILE.read_text("utf-8") + WITHOUT_THE_REST, FILE.name)
    assert _found(deploy_settled(several, tmp_path)) == ("priority", True, True)

    one = tuple(model.model_copy(update={"pool": model.pool[:1]}) for model in several.models)
    assert _found(deploy_settled(several.model_copy(update={"models": one}), tmp_path)) == ("least-waste", False, False)
