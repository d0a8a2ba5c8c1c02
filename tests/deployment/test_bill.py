"""A first deployment tells what it will cost; one that touches what stands does not repeat it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scripts.deployment.bill import first_bill
from scripts.review.plan import Changes
from scripts.terraform.rollout import Rollout
from stacks.settings import load_settings

POOL = {
    "azurerm_kubernetes_cluster_node_pool": {
        "w": {"name": "workload", "vm_size": "Standard_D4ds_v5", "min_count": 1, "max_count": 4}
    }
}


def run(folder: Path, **changes: Changes) -> Rollout:
    (folder / "cdk.tf.json").write_text(json.dumps({"resource": POOL}))
    stacks: dict[str, Any] = {"aks": SimpleNamespace(folder=folder)}
    return cast(
        "Rollout",
        SimpleNamespace(stacks=stacks, plans={name: SimpleNamespace(changes=it) for name, it in changes.items()}),
    )


def test_a_first_deployment_shows_its_bill(tmp_path: Path) -> None:
    bill = first_bill(run(tmp_path, network=Changes(create=20)), lambda: load_settings("dev"))
    # dev's own pods keep two nodes, whatever the smallest number is.
    assert bill
    assert "about 330 (nothing asked) to 660 (all pools full) USD a month" in bill
    assert bill.endswith("llmctl cost dev")


@pytest.mark.parametrize(
    "changes",
    [
        {"aks": Changes(create=1, update=1)},
        {"aks": Changes(create=1, destroy=1)},
        {"aks": Changes(), "platform": Changes(create=3)},
        {"aks": Changes()},
    ],
)
def test_a_later_one_does_not(tmp_path: Path, changes: dict[str, Changes]) -> None:
    assert first_bill(run(tmp_path, **changes), lambda: load_settings("dev")) is None
