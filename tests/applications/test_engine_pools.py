"""What an engine's pod without a node waits for, in the words of `llmctl vllm status`."""

import json
from pathlib import Path
from typing import Any

from scripts.applications.engine_pools import node_hours, waits_for
from stacks.platform.components.serving.engines import vllm_engines
from stacks.settings import parse_settings
from stacks.settings.serving import SpillOverSettings

FILE = Path(__file__).parents[1] / "environments" / "valid.several_pools.yaml"
SETTINGS = parse_settings(FILE.read_text(), FILE.name)
SMALL, STEADY = vllm_engines(SETTINGS.models, SETTINGS.cluster)


def pod(node: str = "", **annotations: str) -> dict[str, Any]:
    metadata = {"name": "small-1", "creationTimestamp": "2026-12-01T08:00:00Z", "annotations": annotations}
    return {"metadata": metadata, "spec": {"nodeName": node} if node else {}}


def test_a_pod_without_a_node_waits_for_its_pools_in_order_since_it_was_made() -> None:
    assert waits_for(pod(), SMALL) == "waits for spot, then regular, since 2026-12-01T08:00:00Z"


def test_a_pod_that_the_budget_holds_says_so() -> None:
    held = pod(**{"platform/waits": "for pool spot alone: the 40 node hours a month of later pools are spent"})
    assert waits_for(held, SMALL) == ("waits for pool spot alone: the 40 node hours a month of later pools are spent")


def test_a_pod_that_runs_and_an_engine_of_one_pool_wait_for_none() -> None:
    assert waits_for(pod("aks-spot-1"), SMALL) == ""
    assert waits_for(pod(), STEADY) == ""


def notes(hours: float, *, closed: bool = False) -> dict[str, Any]:
    state = {"seconds": int(hours * 3600), "month": "2026-12", "closed": str(closed).lower()}
    return {"data": {"state": json.dumps(state), "closed": state["closed"]}}


def test_the_hours_of_later_pools_are_said_with_their_budget() -> None:
    budget, none = SpillOverSettings(node_hours_per_month=40), SpillOverSettings()
    assert node_hours(notes(12.34), budget) == "later pools: 12.3 node hours in 2026-12 of 40"
    assert node_hours(notes(40.1, closed=True), budget) == (
        "later pools: 40.1 node hours in 2026-12 of 40; they are spent: models wait for their first pool"
    )
    assert node_hours(notes(12.34), none) == "later pools: 12.3 node hours in 2026-12, no budget"
    for nothing in (None, {}, {"data": None}):
        assert node_hours(nothing, budget) == "later pools: the job in namespace spill-over has not run yet"
