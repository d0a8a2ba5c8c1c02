"""What Helm renders of the chart `spill-over`: a policy for a budget alone, narrow rights, place holders at zero."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.components.spill_over.release import spill_over
from stacks.settings import Settings
from stacks.settings.serving import SpillOverSettings
from tests.support.kubernetes.own_charts import SEVERAL_POOLS, render
from tests.support.stacks.components import images_of

pytestmark = pytest.mark.programs


def rendered(settings: Settings, folder: Path) -> list[dict[str, Any]]:
    done = render("spill-over", spill_over(settings, images_of(settings)), folder)
    assert done.returncode == 0, done.stderr
    return [item for item in YAML(typ="safe").load_all(done.stdout) if item]


def plan(objects: list[dict[str, Any]]) -> dict[str, Any]:
    (program,) = (item for item in objects if item["metadata"]["name"] == "spill-over-program")
    found: dict[str, Any] = json.loads(program["data"]["plan.json"])
    return found


def test_a_budget_brings_the_policy_and_without_one_nothing_changes_pods(tmp_path: Path) -> None:
    kinds = [item["kind"] for item in rendered(SEVERAL_POOLS, tmp_path)]
    assert {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"} < set(kinds)

    serving = SEVERAL_POOLS.serving.model_copy(update={"spill_over": SpillOverSettings()})
    free = rendered(SEVERAL_POOLS.model_copy(update={"serving": serving}), tmp_path)
    assert not [item["kind"] for item in free if item["kind"].startswith("Mutating")]
    assert plan(free)["hours"] is None


def test_the_job_knows_every_engine_of_several_pools_and_no_other(tmp_path: Path) -> None:
    found = plan(rendered(SEVERAL_POOLS, tmp_path))
    assert {engine["name"]: engine["pools"] for engine in found["engines"]} == {
        "ollama-spot": ["spot", "other", "regular"],
        "vllm-small": ["spot", "regular"],
    }
    # `steady` has `regular` for itself, and every engine prefers `spot`.
    assert (found["hours"], found["returnMinutes"], found["shared"]) == (40, 60, ["regular", "spot"])


def test_the_job_may_evict_and_scale_place_holders_and_make_nothing(tmp_path: Path) -> None:
    rules = [
        (item["metadata"].get("namespace"), resource, tuple(rule["verbs"]), tuple(rule.get("resourceNames", ())))
        for item in rendered(SEVERAL_POOLS, tmp_path)
        if item["kind"] in {"Role", "ClusterRole"}
        for rule in item["rules"]
        for resource in rule["resources"]
    ]
    assert sorted(rules, key=str) == sorted(
        [
            (None, "nodes", ("list",), ()),
            ("ns", "configmaps", ("get", "patch"), ("spill-over",)),
            ("ns", "deployments", ("list",), ()),
            ("ns", "deployments/scale", ("patch",), ("ollama-spot", "vllm-small")),
            ("serving", "pods", ("list",), ()),
            ("serving", "pods/eviction", ("create",), ()),
        ],
        key=str,
    )


def test_place_holders_stand_at_zero_and_ask_for_what_their_engine_asks_for(tmp_path: Path) -> None:
    holders = {
        item["metadata"]["name"]: item["spec"]
        for item in rendered(SEVERAL_POOLS, tmp_path)
        if item["kind"] == "Deployment"
    }
    assert set(holders) == {"ollama-spot", "vllm-small"}
    for spec in holders.values():
        pod = spec["template"]["spec"]
        assert spec["replicas"] == 0
        assert pod["nodeSelector"] == {"kubernetes.azure.com/agentpool": "spot"}
        (container,) = pod["containers"]
        assert container["resources"]["requests"] == {"cpu": "1.5", "memory": "10Gi", "nvidia.com/gpu": 1}
