"""The network lets in what the settings name and reaches the durable services by private addresses."""

import pytest

from stacks.network.endpoints import Service, private_services
from stacks.settings import Settings
from tests.support.stacks.disposable import GATEWAY_MODE, NAT_MODE, Changes, named, network_stack, settings
from tests.support.stacks.durable import Block, of_type, only

OFFICE = "203.0.113.0/24"
VPN = "192.168.7.0/24"
CLUSTER = {"10.40.0.0/20", "10.244.0.0/16"}


def _services(environment: Settings) -> list[Service]:
    return private_services(
        operators=environment.operators,
        vault=environment.vault,
        registry=environment.registry,
        backups=environment.backups,
        private_endpoints=environment.private_endpoints,
        model_store=environment.has_model_store,
    )


def _rules(network: Block, subnet: str) -> dict[str, Block]:
    group = named(network, "azurerm_network_security_group", f"{subnet}_")
    return {rule["name"]: rule for rule in group["security_rule"]}


def _values(rule: Block, what: str) -> set[str]:
    singular, plural = rule[what], rule[f"{what}es" if what.endswith("x") else f"{what}s"]
    assert (singular is None) != (plural is None), "Azure refuses both forms together, and neither"
    return set(plural or [singular])


def _sources(rule: Block) -> set[str]:
    return _values(rule, "source_address_prefix")


def _ports(rule: Block) -> set[str]:
    return _values(rule, "destination_port_range")


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize("subnet", ["nodes", "gateway", "endpoints"])
def test_subnet_refuses_last_what_no_rule_lets_in(environment: str, subnet: str) -> None:
    network = network_stack(environment)
    rules = _rules(network, subnet)
    last = max(rules.values(), key=lambda rule: int(rule["priority"]))
    assert (last["access"], last["protocol"], _sources(last), _ports(last)) == ("Deny", "*", {"*"}, {"*"})
    assert all(rule["access"] == "Allow" for rule in rules.values() if rule is not last)
    assert len({rule["priority"] for rule in rules.values()}) == len(rules)
    association = named(network, "azurerm_subnet_network_security_group_association", f"{subnet}_")
    assert f"azurerm_network_security_group.{subnet}_" in association["network_security_group_id"]
    assert f"azurerm_subnet.{subnet}_" in association["subnet_id"]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_pods_and_nodes_reach_each_other_on_every_port(environment: str) -> None:
    rule = _rules(network_stack(environment), "nodes")["cluster"]
    assert _sources(rule) == _values(rule, "destination_address_prefix") == CLUSTER
    assert (rule["protocol"], _ports(rule)) == ("*", {"*"})


def test_internet_reaches_the_nodes_at_the_front_door_only() -> None:
    rules = _rules(network_stack(), "nodes")
    assert set(rules) == {
        "cluster",
        "load-balancer-probes",
        "front-door",
        "redirects-and-challenges",
        "deny-everything-else",
    }
    assert (_sources(rules["front-door"]), _ports(rules["front-door"])) == ({"Internet"}, {"443"})
    challenges = rules["redirects-and-challenges"]
    assert (_sources(challenges), _ports(challenges)) == ({"Internet"}, {"80"})


@pytest.mark.parametrize(("mode", "subnet"), [({"mode": "nginx"}, "nodes"), (GATEWAY_MODE, "gateway")])
@pytest.mark.parametrize("ranges", [[OFFICE], [OFFICE, VPN]])
def test_front_door_opens_to_the_allowed_ranges_only(mode: Changes, subnet: str, ranges: list[str]) -> None:
    rules = _rules(network_stack(ingress={**mode, "allowed_source_ranges": ranges}), subnet)
    assert _sources(rules["front-door"]) == set(ranges)
    open_to_all = {port for rule in rules.values() if "Internet" in _sources(rule) for port in _ports(rule)}
    assert open_to_all == {"80"}


def test_with_a_gateway_the_nodes_take_traffic_from_it_and_not_from_the_internet() -> None:
    network = network_stack("prod")
    assert set(_rules(network, "nodes")) == {
        "cluster",
        "load-balancer-probes",
        "application-gateway",
        "deny-everything-else",
    }
    assert _sources(_rules(network, "nodes")["application-gateway"]) == {"10.40.16.0/24"}


def test_gateway_subnet_lets_azure_manage_and_probe_the_gateway() -> None:
    rules = _rules(network_stack("prod"), "gateway")
    assert (_sources(rules["gateway-manager"]), _ports(rules["gateway-manager"])) == (
        {"GatewayManager"},
        {"65200-65535"},
    )
    assert _sources(rules["load-balancer-probes"]) == {"AzureLoadBalancer"}
    assert _sources(rules["front-door"]) == {"Internet"}


def test_without_a_gateway_nobody_gets_into_its_subnet() -> None:
    assert set(_rules(network_stack(), "gateway")) == {"deny-everything-else"}


def test_endpoints_take_the_cluster_and_private_clients_on_the_services_ports() -> None:
    network = network_stack("prod", network={"private_client_ranges": [VPN]})
    rule = _rules(network, "endpoints")["services"]
    assert _sources(rule) == CLUSTER | {VPN}
    assert _ports(rule) == {"443", "2049", "5432", "6432"}
    subnet = named(network, "azurerm_subnet", "endpoints_")
    assert subnet["private_endpoint_network_policies"] == "NetworkSecurityGroupEnabled"


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_nodes_have_no_default_way_out(environment: str) -> None:
    for subnet in ("nodes", "endpoints"):
        assert named(network_stack(environment), "azurerm_subnet", subnet)["default_outbound_access_enabled"] is False


def test_nat_gateway_gives_the_nodes_one_static_address() -> None:
    network = network_stack(network=NAT_MODE | {"nat_idle_timeout_minutes": 42})
    assert only(network, "azurerm_nat_gateway")["idle_timeout_in_minutes"] == 42
    assert "azurerm_subnet.nodes_" in only(network, "azurerm_subnet_nat_gateway_association")["subnet_id"]
    association = only(network, "azurerm_nat_gateway_public_ip_association")
    assert association["public_ip_address_id"] == "${data.terraform_remote_state.address-state.outputs.outbound_ip_id}"


def test_load_balancer_mode_makes_no_nat_gateway() -> None:
    assert not of_type(network_stack(), "azurerm_nat_gateway")


def test_addresses_belong_to_a_stack_that_is_kept() -> None:
    """What the domain's records and other people's allow-lists name must not be given back with the network."""
    assert not of_type(network_stack(network=NAT_MODE), "azurerm_public_ip")
    gateway = only(network_stack(ingress=GATEWAY_MODE), "azurerm_application_gateway")
    (frontend,) = gateway["frontend_ip_configuration"]
    assert frontend["public_ip_address_id"] == "${data.terraform_remote_state.address-state.outputs.public_ip_id}"


def test_the_address_of_earlier_versions_is_left_to_its_load_balancer() -> None:
    """Azure refuses to delete it while the load balancer holds it, which is until the platform is deployed."""
    assert network_stack()["removed"] == [{"from": "azurerm_public_ip.front-door", "lifecycle": {"destroy": False}}]


def test_gateway_exists_only_where_it_is_the_front_door() -> None:
    assert not of_type(network_stack(), "azurerm_application_gateway")
    assert network_stack()["output"]["application_gateway_id"]["value"] == ""
    assert only(network_stack("prod"), "azurerm_application_gateway")


def test_gateway_leaves_to_the_controller_what_the_controller_writes() -> None:
    ignored = set(only(network_stack("prod"), "azurerm_application_gateway")["lifecycle"]["ignore_changes"])
    assert ignored >= {
        "backend_address_pool",
        "backend_http_settings",
        "frontend_port",
        "http_listener",
        "probe",
        "redirect_configuration",
        "request_routing_rule",
        "ssl_certificate",
        "tags",
        "url_path_map",
    }
    assert not ignored & {"sku", "ssl_policy", "global", "firewall_policy_id", "frontend_ip_configuration", "zones"}


def test_gateway_streams_answers_and_speaks_modern_tls() -> None:
    gateway = only(network_stack("prod"), "azurerm_application_gateway")
    assert gateway["global"] == {"request_buffering_enabled": True, "response_buffering_enabled": False}
    assert gateway["ssl_policy"] == {"policy_type": "Predefined", "policy_name": "AppGwSslPolicy20220101S"}


def test_gateway_starts_in_a_subnet_that_is_ready() -> None:
    (waits_for,) = only(network_stack("prod"), "azurerm_application_gateway")["depends_on"]
    assert waits_for.startswith("azurerm_subnet_network_security_group_association.gateway_")


@pytest.mark.parametrize("mode", ["Detection", "Prevention"])
def test_firewall_judges_everything_but_what_people_and_programs_write(mode: str) -> None:
    gateway = {"sku": "WAF_v2", "waf_mode": mode}
    network = network_stack(ingress=GATEWAY_MODE | {"application_gateway": gateway})
    policy = only(network, "azurerm_web_application_firewall_policy")
    assert policy["policy_settings"]["mode"] == mode
    exclusions = policy["managed_rules"]["exclusion"]
    assert {(exclusion["match_variable"], exclusion["selector"]) for exclusion in exclusions} == {
        ("RequestArgNames", "*"),
        ("RequestArgKeys", "*"),
        ("RequestCookieNames", "*"),
    }
    for exclusion in exclusions:
        groups = [group["rule_group_name"] for group in exclusion["excluded_rule_set"]["rule_group"]]
        assert [name.split("-")[1] for name in groups] == [
            "921",
            "930",
            "931",
            "932",
            "933",
            "941",
            "942",
            "943",
            "944",
        ]
    owasp, bots = policy["managed_rules"]["managed_rule_set"]
    assert (owasp["type"], owasp["version"]) == ("OWASP", "3.2")
    assert (bots["type"], bots.get("rule_group_override")) == ("Microsoft_BotManagerRuleSet", None)
    switched_off = {rule["id"]: rule["enabled"] for group in owasp["rule_group_override"] for rule in group["rule"]}
    assert switched_off == {"911100": False, "913101": False, "920420": False}


def test_gateway_without_firewall_refers_to_none() -> None:
    network = network_stack(ingress=GATEWAY_MODE | {"application_gateway": {"sku": "Standard_v2"}})
    assert not of_type(network, "azurerm_web_application_firewall_policy")
    assert "firewall_policy_id" not in only(network, "azurerm_application_gateway")
    assert network["output"]["firewall_policy_id"]["value"] == ""


def test_every_endpoint_has_its_zone_linked_to_the_network() -> None:
    network = network_stack("prod")
    for service in _services(settings("prod")):
        endpoint = named(network, "azurerm_private_endpoint", f"{service.name}_")
        assert endpoint["private_service_connection"]["subresource_names"] == [service.subresource]
        (zone_id,) = endpoint["private_dns_zone_group"]["private_dns_zone_ids"]
        # A network takes one zone of each name: both storage accounts have their records in the same.
        owner = "files" if service.name == "models" else service.name
        assert f"azurerm_private_dns_zone.{owner}_" in zone_id
        assert named(network, "azurerm_private_dns_zone", f"{owner}_")["name"] == service.zone
        (waits_for,) = endpoint["depends_on"]
        assert waits_for.startswith(f"azurerm_private_dns_zone_virtual_network_link.{owner}_")


def test_no_two_zones_have_the_same_name() -> None:
    names = [zone["name"] for zone in of_type(network_stack("prod"), "azurerm_private_dns_zone")]
    assert sorted(names) == sorted(set(names))


def test_endpoints_lead_to_the_services_of_the_durable_stacks() -> None:
    targets = {
        endpoint["private_service_connection"]["private_connection_resource_id"]
        for endpoint in of_type(network_stack("prod"), "azurerm_private_endpoint")
    }
    assert targets == {
        "${data.terraform_remote_state.database-state.outputs.server_id}",
        "${data.terraform_remote_state.database-state.outputs.vault_id}",
        "${data.terraform_remote_state.acr-state.outputs.registry_id}",
        "${data.terraform_remote_state.disks-state.outputs.storage_account_id}",
        "${data.terraform_remote_state.disks-state.outputs.model_store_account_id}",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["postgresql", "files", "models", "vault"]),
        ({"registry": {"tier": "Premium"}}, ["postgresql", "files", "models", "vault", "registry"]),
        ({"backups": {"public_access": False}}, ["postgresql", "files", "models", "vault", "backup-sets"]),
    ],
)
def test_services_get_private_addresses_as_far_as_their_tier_allows(
    changes: dict[str, Changes], expected: list[str]
) -> None:
    assert [service.name for service in _services(settings(**changes))] == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"vault": {"public_access": False}}, ["vault"]),
        ({"vault": {"extra_allowed_ranges": [OFFICE]}}, ["vault"]),
        ({"operators": {"ip_ranges": [OFFICE]}, "registry": {"tier": "Premium"}}, ["vault", "registry"]),
    ],
)
def test_without_private_endpoints_only_what_the_cluster_could_not_reach_gets_one(
    changes: dict[str, Changes], expected: list[str]
) -> None:
    varied = settings(**changes).model_copy(update={"private_endpoints": False})
    assert [service.name for service in _services(varied)] == ["postgresql", "files", "models", *expected]
