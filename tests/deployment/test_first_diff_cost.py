"""The first `llmctl diff` of an environment tells what all of it will cost, not only what can be planned already."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.core.workspace import Stack
from scripts.cost.prices import listed
from scripts.deployment.bill import expected
from scripts.review.plan import Plan, read_plan
from scripts.review.report import Review, as_json, cost_lines, review
from stacks.settings import load_settings
from tests.support.stacks.synthesis import Synthesized

PLANNED = ("identity", "disks", "acr", "database", "address")
WAITING = ("network", "aks", "platform")


def created(stack: dict[str, Any]) -> Plan:
    """Return the plan that creates everything of a stack."""
    changes = [
        {
            "address": f"{kind}.{name}",
            "type": kind,
            "change": {"actions": ["create"], "before": None, "after": body, "after_unknown": {}},
        }
        for kind, named in stack.get("resource", {}).items()
        for name, body in named.items()
    ]
    return read_plan({"resource_changes": changes})


def first(name: str, synthesized: Synthesized, folder: Path) -> Review:
    for stack in WAITING:
        (folder / stack).mkdir()
        (folder / stack / "cdk.tf.json").write_text(json.dumps(synthesized.stacks[stack]), "utf-8")
    plans = {stack: created(synthesized.stacks[stack]) for stack in PLANNED}
    folders = {stack: Stack(stack, folder / stack, frozenset()) for stack in WAITING}
    later = [charge for _, charge in expected(load_settings(name), folders)]
    return review(name, plans, dict.fromkeys(WAITING, ("aks",)), (), (), prices=listed(), later=later)


@pytest.mark.parametrize(("name", "low", "high"), [("dev", 623.21, 1571.19), ("prod", 5414.65, 11822.71)])
def test_a_first_diff_has_everything_that_is_billed(
    environment: Callable[[str], Synthesized], tmp_path: Path, name: str, low: float, high: float
) -> None:
    found = first(name, environment(name), tmp_path)
    assert found.cost.low == pytest.approx(low, abs=1)
    assert found.cost.high == pytest.approx(high, abs=1)
    said = "\n".join(cost_lines(found))
    for kind in ("azurerm_postgresql_flexible_server", "azurerm_managed_disk", "azurerm_container_registry"):
        assert kind not in said
    assert not [what for what in found.unpriced if what.startswith(("pool ", "load balancer", "Application Gateway"))]
    assert f"USD a month, by list prices of this release, eastus, 2026-11-30; `llmctl cost {name}` shows" in said
    assert said.startswith("Cost, with network, aks, platform: +")
    assert as_json(found)["cost_usd_per_month"]["high"] == pytest.approx(high, abs=1)
