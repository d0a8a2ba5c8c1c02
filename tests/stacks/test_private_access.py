"""A private environment: one fixed address, a zone that outlives the cluster, and nothing on the internet."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.address import AddressStack
from stacks.platform.components.certificates.kept import every_vault_name
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings, parse_settings
from tests.support.stacks.disposable import aks_of, named, network_of
from tests.support.stacks.durable import Block, only, synthesized
from tests.support.stacks.synthesis import Synthesized

ENVIRONMENTS = Path(__file__).parents[1] / "environments"
HUB = (
    "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/hub/providers/Microsoft.Network"
    "/virtualNetworks/hub"
)


def private(name: str = "by_vpn", addition: str = "") -> Settings:
    file = ENVIRONMENTS / f"valid.private_{name}.yaml"
    return parse_settings(file.read_text() + addition, file.name)


def every(stack: Block, kind: str) -> dict[str, Block]:
    found: dict[str, Block] = stack["resource"].get(kind, {})
    return found


def test_the_address_of_the_ingress_and_its_zone_outlive_the_cluster() -> None:
    address = synthesized(AddressStack, private())
    assert set(address["resource"]["azurerm_public_ip"]) == {"outbound"}
    zone = only(address, "azurerm_private_dns_zone")
    assert (zone["name"], zone["lifecycle"]["prevent_destroy"]) == ("llm.corp.acme.io", True)
    records = every(address, "azurerm_private_dns_a_record").values()
    assert {record["name"]: record["records"] for record in records} == {"*": ["10.40.18.9"], "@": ["10.40.18.9"]}
    (definition,) = address["resource"]["azurerm_policy_definition"].values()
    assert json.loads(definition["policy_rule"])["if"]["in"] == [
        "Microsoft.Network/publicIPAddresses",
        "Microsoft.Network/privateDnsZones",
    ]


def test_a_zone_left_out_is_llm_internal_at_the_first_usable_address() -> None:
    settings = private("with_tailscale")
    assert (settings.domain, str(settings.ingress_address)) == ("llm.internal", "10.40.18.4")
    assert str(settings.nameserver_address) == "10.40.18.5"


def test_a_zone_that_exists_gets_the_records_and_is_not_made() -> None:
    address = synthesized(AddressStack, private("with_own_certificate"))
    assert "azurerm_private_dns_zone" not in address["resource"]
    records = every(address, "azurerm_private_dns_a_record").values()
    assert {(record["zone_name"], record["resource_group_name"]) for record in records} == {("llm.corp.acme.io", "dns")}


def test_an_environment_that_was_public_gives_its_address_to_nobody_by_accident() -> None:
    """Terraform forgets the protected address instead of refusing the plan; a person deletes it once it is free."""
    assert synthesized(AddressStack, private())["removed"] == [
        {"from": "azurerm_public_ip.front-door", "lifecycle": {"destroy": False}}
    ]


def _rules(network: Block, subnet: str) -> dict[str, Block]:
    group = named(network, "azurerm_network_security_group", f"{subnet}_")
    return {rule["name"]: rule for rule in group["security_rule"]}


def test_nobody_of_the_internet_is_let_into_the_network() -> None:
    network = network_of(private("with_tailscale"))
    for group in every(network, "azurerm_network_security_group").values():
        allowed = [rule for rule in group["security_rule"] if rule["access"] == "Allow"]
        assert "Internet" not in {rule["source_address_prefix"] for rule in allowed}
    assert _rules(network, "nodes")["private-ingress"]["source_address_prefix"] == "VirtualNetwork"
    assert "azurerm_application_gateway" not in network["resource"]


def test_ranges_narrow_who_reaches_the_private_ingress_and_its_names() -> None:
    network = network_of(private())
    for subnet, rule in {"nodes": "private-ingress", "ingress": "private-ingress", "resolver": "names"}.items():
        assert _rules(network, subnet)[rule]["source_address_prefixes"] == ["192.168.7.0/24", "10.40.0.0/16"]


def test_the_zone_is_answered_for_inside_and_outside_the_network() -> None:
    network = network_of(private())
    links = every(network, "azurerm_private_dns_zone_virtual_network_link")
    linked = {
        link["virtual_network_id"] for link in links.values() if link["private_dns_zone_name"] == "llm.corp.acme.io"
    }
    assert linked == {"${azurerm_virtual_network.network.id}", HUB}
    endpoint = only(network, "azurerm_private_dns_resolver_inbound_endpoint")
    assert endpoint["ip_configurations"]["private_ip_allocation_method"] == "Static"
    assert endpoint["ip_configurations"]["private_ip_address"] == "10.40.18.20"
    subnet = named(network, "azurerm_subnet", "resolver_")
    assert subnet["delegation"][0]["service_delegation"]["name"] == "Microsoft.Network/dnsResolvers"


def test_subnets_are_made_in_a_network_that_exists() -> None:
    network = network_of(private("with_own_certificate"))
    assert "azurerm_virtual_network" not in network["resource"]
    places = {
        (subnet["resource_group_name"], subnet["virtual_network_name"])
        for subnet in every(network, "azurerm_subnet").values()
    }
    assert places == {("hub", "spoke")}
    endpoint_links = every(network, "azurerm_private_dns_zone_virtual_network_link").values()
    assert {link["virtual_network_id"].rpartition("/")[2] for link in endpoint_links} == {"spoke"}


def test_the_cluster_may_put_its_load_balancer_into_the_subnet_and_on_no_public_address() -> None:
    roles = every(aks_of(private()), "azurerm_role_assignment")
    scopes = {role["scope"] for role in roles.values()}
    assert "${data.terraform_remote_state.network-state.outputs.ingress_subnet_id}" in scopes
    assert not any("public_ip_id" in scope for scope in scopes)


def test_only_the_keeper_reaches_the_ca_in_the_vault() -> None:
    roles = every(aks_of(private()), "azurerm_role_assignment")
    kept = {name: role["scope"].rpartition("/")[2] for name, role in roles.items() if name.startswith("keeper-")}
    assert kept == {"keeper-kept-internal-ca": "kept-internal-ca"}


def test_cert_manager_may_write_records_where_lets_encrypt_looks_for_them() -> None:
    roles = every(aks_of(private("with_lets_encrypt")), "azurerm_role_assignment")
    assert roles["cert-manager-zone"]["scope"].endswith("/dnsZones/acme.io")
    assert roles["cert-manager-zone"]["role_definition_name"] == "DNS Zone Contributor"


def test_the_vault_keeps_a_place_for_whatever_was_kept_before() -> None:
    settings = private()
    names = every_vault_name(enabled_components(settings).known_hosts(), is_private=settings.is_private)
    assert {"kept-internal-ca", "kept-certificate-wildcard", "kept-acme-account"} <= set(names)


Environment = Callable[[Settings], Synthesized]


def _values(release: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(release["values"][-1]) if release["values"][-1].startswith("{") else {}
    return found or YAML(typ="safe").load(release["values"][-1])


@pytest.fixture(scope="module")
def platform(synthesized_settings: Environment) -> Synthesized:
    return synthesized_settings(private("with_tailscale"))


def test_every_host_is_served_by_one_certificate_and_no_challenge(platform: Synthesized) -> None:
    ingresses = platform.resources("platform", "kubernetes_ingress_v1")
    assert set(ingresses) == {f"{name}-ingress" for name in ("chat", "gateway", "grafana", "opik", "start")}
    for ingress in ingresses.values():
        (tls,) = ingress["spec"]["tls"]
        assert tls["hosts"][0].endswith(".llm.internal")
        assert tls.get("secret_name") is None
        assert not [name for name in ingress["metadata"]["annotations"] if "cert-manager" in name]
    policies = json.dumps(platform.resources("platform", "kubernetes_network_policy_v1"))
    assert "http01-solver" not in policies


def test_nginx_answers_at_the_private_address_with_the_certificate_of_all_hosts(platform: Synthesized) -> None:
    release = platform.resources("platform", "helm_release")["nginx-ingress"]
    text = json.dumps(release["values"])
    for part in (
        "azure-load-balancer-internal-subnet",
        "azure-load-balancer-ipv4",
        "10.40.18.4",
        "ingress/wildcard-tls",
    ):
        assert part in text
    assert "azure-pip-name" not in text
    assert "helm_release.private-certificates" in release["depends_on"]


def test_no_public_issuer_stands_in_a_private_cluster(platform: Synthesized) -> None:
    releases = platform.resources("platform", "helm_release")
    assert {"private-certificates", "kept-internal-ca"} <= set(releases)
    assert not {"platform-issuers", "kept-certificates"} & set(releases)
    outputs = platform.stacks["platform"]["output"]
    assert outputs["cluster_issuer"]["value"] == "internal-ca"
    assert outputs["dns_records"]["value"] == {}
