"""What a plan changes in costs: pools, flat prices, and prices that nobody knows."""

from typing import Any

import pytest

from scripts.review.cost import cost_of
from tests.support.review.plans import changed, plan, reviewed, shown

POOL = "azurerm_kubernetes_cluster_node_pool"


def test_a_pool_costs_what_its_nodes_cost_from_fewest_to_most() -> None:
    hour = 0.526
    pool = {"vm_size": "Standard_NC4as_T4_v3", "priority": "Regular", "min_count": 0, "max_count": 2}
    whole = cost_of(POOL, {}, pool)
    more = cost_of(POOL, pool, pool | {"max_count": 3})
    assert whole
    assert more
    assert (whole.low, more.low) == (0, 0)
    assert whole.high == pytest.approx(2 * 730 * hour)
    assert more.high == pytest.approx(730 * hour)
    spot = cost_of(POOL, {}, pool | {"priority": "Spot"})
    assert spot
    assert spot.high == pytest.approx(2 * 730 * hour * 0.25)


@pytest.mark.parametrize(
    ("kind", "before", "after", "amount"),
    [
        ("azurerm_container_registry", {"sku": "Basic"}, {"sku": "Premium"}, 45),
        ("azurerm_container_registry", {}, {"sku": "Premium", "georeplications": [{}]}, 100),
        ("azurerm_postgresql_flexible_server", {}, {"sku_name": "B_Standard_B1ms", "storage_mb": 131072}, 33.72),
        ("azurerm_kubernetes_cluster", {"sku_tier": "Free"}, {"sku_tier": "Standard"}, 73),
        ("azurerm_nat_gateway", {"sku_name": "Standard"}, {}, -32.85),
    ],
)
def test_flat_prices_are_compared(kind: str, before: dict[str, Any], after: dict[str, Any], amount: float) -> None:
    found = cost_of(kind, before, after)
    assert found
    assert found.known
    assert found.low == found.high == pytest.approx(amount, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (POOL, {}, {"vm_size": "Standard_Unheard_Of", "max_count": 1}),
        ("azurerm_managed_disk", {"disk_size_gb": 64}, {"disk_size_gb": 128}),
        ("azurerm_storage_share", {"quota": 100}, {"quota": 200}),
        ("azurerm_kubernetes_cluster", {}, {"default_node_pool": [{"vm_size": "Standard_Odd1", "node_count": 1}]}),
    ],
)
def test_an_unknown_price_is_said_to_be_unknown(kind: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    cost = cost_of(kind, before, after)
    assert cost
    assert not cost.known
    found = reviewed(aks=plan(changed(f"{kind}.x", before or None, after, "update" if before else "create")))
    assert all("USD" not in form for form in shown(found)[:2])
    assert all(f"{kind}.x" in form.partition("No price known here for:")[2] for form in shown(found)[:2])


def test_a_change_that_costs_nothing_is_silent() -> None:
    assert (
        cost_of("azurerm_managed_disk", {"disk_size_gb": 64, "tags": {}}, {"disk_size_gb": 64, "tags": {"a": 1}})
        is None
    )
    assert cost_of("helm_release", {}, {"name": "x"}) is None


def test_the_sum_names_its_source() -> None:
    found = reviewed(acr=plan(changed("azurerm_container_registry.r", {"sku": "Basic"}, {"sku": "Premium"})))
    assert all("+45 USD a month" in form and "list prices of this release, eastus" in form for form in shown(found)[:2])
