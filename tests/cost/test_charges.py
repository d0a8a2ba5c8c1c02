"""What is billed of a resource, by the sizes that it has."""

from typing import Any

import pytest

from scripts.cost.amount import Cost
from scripts.cost.charges import charges_of
from scripts.cost.prices import listed

POOL = "azurerm_kubernetes_cluster_node_pool"


@pytest.mark.parametrize(
    ("type_", "attributes", "low", "high"),
    [
        (POOL, {"name": "w", "vm_size": "Standard_D4ds_v5", "min_count": 2, "max_count": 4}, 330.00, 660.00),
        (POOL, {"vm_size": "Standard_NC4as_T4_v3", "priority": "Spot", "min_count": 0, "max_count": 1}, 0, 96.00),
        ("azurerm_managed_disk", {"storage_account_type": "Premium_LRS", "disk_size_gb": 128}, 19.71, 19.71),
        ("azurerm_managed_disk", {"storage_account_type": "Premium_ZRS", "disk_size_gb": 129}, 57.03, 57.03),
        ("azurerm_managed_disk", {"storage_account_type": "StandardSSD_ZRS", "disk_size_gb": 32}, 3.60, 3.60),
        (
            "azurerm_postgresql_flexible_server",
            {"sku_name": "GP_Standard_D2ds_v5", "storage_mb": 131072, "high_availability": [{}]},
            331.71,
            331.71,
        ),
        (
            "azurerm_application_gateway",
            {"sku": {"name": "WAF_v2"}, "autoscale_configuration": [{"min_capacity": 1, "max_capacity": 3}]},
            323.39 + 105.10,
            323.39 + 315.30,
        ),
        (
            "azurerm_kubernetes_cluster",
            {"sku_tier": "Standard", "default_node_pool": {"vm_size": "Standard_D4ds_v5", "node_count": 1}},
            165 + 73 + 18.25,
            165 + 73 + 18.25,
        ),
        ("azurerm_container_registry", {"sku": "Premium", "georeplications": [{}, {}]}, 150, 150),
        ("azurerm_private_dns_resolver_inbound_endpoint", {"name": "inbound"}, 180, 180),
        (
            "helm_release",
            {"name": "nginx-ingress", "values": ['{"service.beta.kubernetes.io/azure-load-balancer-internal":"true"}']},
            18.25,
            18.25,
        ),
    ],
)
def test_a_resource_costs_what_its_size_says(type_: str, attributes: dict[str, Any], low: float, high: float) -> None:
    cost = sum((listed().cost(charge) for charge in charges_of(type_, attributes)), Cost())
    assert cost.known
    assert cost.low == pytest.approx(low, abs=0.02)
    assert cost.high == pytest.approx(high, abs=0.02)


@pytest.mark.parametrize("type_", ["azurerm_resource_group", "helm_release", "azurerm_role_assignment"])
def test_what_costs_nothing_has_no_line(type_: str) -> None:
    assert charges_of(type_, {"name": "x"}) == []


@pytest.mark.parametrize(
    ("type_", "attributes"),
    [
        ("azurerm_storage_share", {"quota": 100}),
        ("azurerm_managed_disk", {"storage_account_type": "UltraSSD_LRS", "disk_size_gb": 64}),
        (POOL, {"vm_size": "Standard_M416ms_v2", "node_count": 1}),
    ],
)
def test_what_has_no_price_is_said_to_have_none(type_: str, attributes: dict[str, Any]) -> None:
    (charge,) = charges_of(type_, attributes)
    assert not listed().cost(charge).known
