"""The registry is closed as far as its tier allows."""

import pytest

from stacks.acr import AcrStack
from stacks.settings import Settings
from tests.support.stacks.durable import Block, only, settings, synthesized

OFFICE = "203.0.113.0/24"


def _registry(varied: Settings) -> Block:
    return only(synthesized(AcrStack, varied), "azurerm_container_registry")


@pytest.mark.parametrize("tier", ["Basic", "Premium"])
def test_nobody_pulls_or_pushes_without_an_identity(tier: str) -> None:
    registry = _registry(settings(registry={"tier": tier}))
    assert registry["admin_enabled"] is False
    assert registry["anonymous_pull_enabled"] is False


def test_basic_registry_asks_for_nothing_that_azure_refuses_there() -> None:
    registry = _registry(settings(registry={"tier": "Basic", "quarantine": True}))
    assert not {"network_rule_set", "retention_policy_in_days", "georeplications"} & registry.keys()
    assert not [
        switch
        for switch in ("zone_redundancy_enabled", "quarantine_policy_enabled", "data_endpoint_enabled")
        if registry[switch]
    ]


def test_premium_registry_uses_what_its_tier_offers() -> None:
    registry = _registry(
        settings(registry={"tier": "Premium", "quarantine": True, "geo_replicas": ("northeurope", "francecentral")})
    )
    assert registry["zone_redundancy_enabled"] is True
    assert registry["quarantine_policy_enabled"] is True
    assert registry["data_endpoint_enabled"] is True
    assert registry["retention_policy_in_days"] == 30
    assert [replica["location"] for replica in registry["georeplications"]] == ["francecentral", "northeurope"]


def test_region_without_zones_gets_no_zone_redundancy() -> None:
    varied = settings(registry={"tier": "Premium"}, azure={"zones": ()})
    assert _registry(varied)["zone_redundancy_enabled"] is False


@pytest.mark.parametrize(
    ("public", "ranges", "action", "allowed"),
    [
        (True, [], "Allow", []),
        (True, [OFFICE], "Deny", [OFFICE]),
        (False, [OFFICE], "Deny", []),
    ],
)
def test_premium_registry_admits_whom_the_file_names(
    public: bool, ranges: list[str], action: str, allowed: list[str]
) -> None:
    varied = settings(registry={"tier": "Premium", "public_access": public}, operators={"ip_ranges": ranges})
    registry = _registry(varied)
    (rules,) = registry["network_rule_set"]
    assert registry["public_network_access_enabled"] is public
    assert rules["default_action"] == action
    assert [rule["ip_range"] for rule in rules["ip_rule"]] == allowed


@pytest.mark.parametrize("public", [True, False])
def test_images_may_leave_only_a_registry_that_is_public_anyway(public: bool) -> None:
    registry = _registry(settings(registry={"tier": "Premium", "public_access": public}))
    assert registry["export_policy_enabled"] is public
