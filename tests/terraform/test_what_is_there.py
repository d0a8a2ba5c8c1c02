"""Whether a cluster, or anything of a stack, is there, as the plans tell it that were made after asking Azure."""

from pathlib import Path
from typing import Any

import pytest

from scripts.core.workspace import Workspace
from scripts.review.plan import Plan, read_plan
from scripts.terraform.rollout import Rollout


def _plan(*changes: tuple[str, list[str]]) -> Plan:
    document: dict[str, Any] = {
        "resource_changes": [
            {
                "address": f"{type_}.it",
                "type": type_,
                "name": "it",
                "mode": "managed",
                "change": {"actions": actions, "before": {}, "after": {}, "after_unknown": {}},
            }
            for type_, actions in changes
        ]
    }
    return read_plan(document)


CLUSTER = "azurerm_kubernetes_cluster"


@pytest.mark.parametrize(
    ("destroy", "plan", "gone"),
    [
        (False, _plan((CLUSTER, ["create"]), ("azurerm_role_assignment", ["create"])), True),
        (False, _plan((CLUSTER, ["update"])), False),
        (False, _plan((CLUSTER, ["delete", "create"])), False),
        (False, _plan(("azurerm_role_assignment", ["create"])), False),
        (False, None, False),
        (True, _plan((CLUSTER, ["delete"])), False),
        (True, _plan(("azurerm_role_assignment", ["delete"])), True),
        (True, None, False),
    ],
)
def test_the_cluster_is_gone_where_azure_has_none_and_only_there(
    tmp_path: Path, destroy: bool, plan: Plan | None, gone: bool
) -> None:
    unused: Any = None
    run = Rollout(Workspace("dev", tmp_path), {}, unused, unused, destroy=destroy)
    if plan is not None:
        run.plans["aks"] = plan
    assert run.cluster_is_gone is gone


def test_a_stack_that_only_reads_something_does_not_exist_yet() -> None:
    """What a first plan reads, such as who asks, stands in its prior state as well."""

    def plan(*modes: str) -> Plan:
        resources = [{"address": "it", "mode": mode} for mode in modes]
        return read_plan({"prior_state": {"values": {"root_module": {"resources": resources}}}})

    assert not plan().exists
    assert not plan("data").exists
    assert plan("data", "managed").exists
