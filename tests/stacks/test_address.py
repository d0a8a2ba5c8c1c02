"""What the stack of the public addresses contains, and that nobody else can come to own them."""

import json
from typing import Any

import pytest

from stacks.address import AddressStack
from tests.support.stacks.durable import Block, settings, synthesized


def address_stack(**sections: Any) -> Block:
    return synthesized(AddressStack, settings(**sections))


def addresses(**sections: Any) -> dict[str, Block]:
    found: dict[str, Block] = address_stack(**sections)["resource"]["azurerm_public_ip"]
    return found


@pytest.mark.parametrize("zones", [(), (2,), (1, 2, 3)])
def test_both_addresses_are_static_and_in_all_zones(zones: tuple[int, ...]) -> None:
    found = addresses(azure={"zones": zones})
    assert set(found) == {"front-door", "outbound"}
    for address in found.values():
        assert (address["sku"], address["allocation_method"]) == ("Standard", "Static")
        assert address.get("zones", []) == [str(zone) for zone in zones]


@pytest.mark.parametrize("outbound", ["load-balancer", "nat-gateway"])
def test_an_environment_keeps_its_outbound_address_in_either_mode(outbound: str) -> None:
    """Other networks let it in by that address; a change of the mode must not give it away."""
    assert addresses(network={"outbound": outbound})["outbound"]["lifecycle"]["prevent_destroy"] is True


def test_the_label_is_nobody_elses_even_when_the_address_is_gone() -> None:
    address = addresses()["front-door"]
    assert (address["domain_name_label"], address["domain_name_label_scope"]) == ("llm-dev-46cy3", "TenantReuse")
    assert "domain_name_label" not in addresses()["outbound"]


def test_an_own_label_is_taken() -> None:
    assert addresses(ingress={"dns_label": "our-llm"})["front-door"]["domain_name_label"] == "our-llm"


def test_a_quiet_stream_lives_as_long_as_azure_allows() -> None:
    assert addresses()["front-door"]["idle_timeout_in_minutes"] == 30


def test_marks_that_kubernetes_sets_on_an_address_are_left_alone() -> None:
    for address in addresses().values():
        ignored = address["lifecycle"]["ignore_changes"]
        assert ignored[:2] == ['tags["k8s-azure-cluster-name"]', 'tags["k8s-azure-service"]']


def test_another_choice_of_zones_leaves_the_addresses_as_they_are() -> None:
    """Azure cannot move an address to other zones; it would have to be another address."""
    assert all("zones" in address["lifecycle"]["ignore_changes"] for address in addresses().values())


def test_azure_refuses_to_delete_an_address() -> None:
    (definition,) = address_stack()["resource"]["azurerm_policy_definition"].values()
    assert json.loads(definition["policy_rule"])["if"] == {
        "field": "type",
        "in": ["Microsoft.Network/publicIPAddresses"],
    }


ZONE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/dns/providers/Microsoft.Network/dnsZones"


def records(zone: str, **sections: Any) -> dict[str, tuple[str, str, str]]:
    found = address_stack(ingress={"dns_zone_id": f"{ZONE}/{zone}"}, **sections)["resource"]["azurerm_dns_cname_record"]
    return {key: (body["resource_group_name"], body["zone_name"], body["name"]) for key, body in found.items()}


def test_without_a_zone_no_record_is_written() -> None:
    assert "azurerm_dns_cname_record" not in address_stack()["resource"]


def test_every_host_gets_a_record_in_the_zone_that_its_domain_lies_in() -> None:
    assert records("example.com") == {
        "record-chat": ("dns", "example.com", "chat.llm-dev"),
        "record-api": ("dns", "example.com", "api.llm-dev"),
        "record-opik": ("dns", "example.com", "opik.llm-dev"),
        "record-grafana": ("dns", "example.com", "grafana.llm-dev"),
    }
    assert records("llm-dev.example.com")["record-chat"] == ("dns", "llm-dev.example.com", "chat")


def test_a_host_that_is_off_has_no_record() -> None:
    assert "record-opik" not in records("example.com", opik={"enabled": False})


def test_records_point_at_the_name_of_the_address_and_can_go_with_their_host() -> None:
    section = {"dns_zone_id": f"{ZONE}/example.com"}
    found = address_stack(ingress=section)["resource"]["azurerm_dns_cname_record"]["record-chat"]
    assert (found["record"], found["ttl"]) == ("${azurerm_public_ip.front-door.fqdn}", 300)
    assert "lifecycle" not in found
