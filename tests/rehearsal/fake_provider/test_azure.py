"""The fake Azure: ids, conflicts, locks, parents, references, drift."""

from __future__ import annotations

import base64
import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.lab.rehearsal.fake_provider.azure.ids import SUBSCRIPTION, TEMPLATES, parent_ids, resource_id
from scripts.lab.rehearsal.fake_provider.protocol.server import service_of
from scripts.lab.rehearsal.schemas import pinned
from tests.support.rehearsal.azure_arguments import CLUSTER, DISK, GROUP_ID, IN_GROUP, POOL, VAULT
from tests.support.rehearsal.fake_providers import LOCATION, Provider, body, provider


@pytest.mark.parametrize("type_name", sorted(TEMPLATES))
def test_every_id_is_built_from_arguments_that_exist(type_name: str) -> None:
    known = pinned().block("resource", type_name)["attributes"].keys() | {"group", "subscription"}
    assert set(re.findall(r"{(\w+)", TEMPLATES[type_name])) <= known


def test_ids_of_parents_and_children_chain() -> None:
    facts = {"group": GROUP_ID, "virtual_network_name": "net", "name": "nodes"}
    subnet = resource_id("azurerm_subnet", facts)
    assert subnet == f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/net/subnets/nodes"
    assert parent_ids(subnet) == [GROUP_ID, f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/net"]
    assignment = f"{subnet}/providers/Microsoft.Authorization/roleAssignments/x"
    assert parent_ids(assignment)[0] == GROUP_ID
    assert parent_ids(GROUP_ID) == []
    assert parent_ids("https://kv.vault.azure.net/secrets/db/1") == []


def test_a_recreated_resource_has_the_same_id_and_a_new_identity(azure: Provider) -> None:
    identity = {**IN_GROUP, "name": "pods"}
    first = azure.create("azurerm_user_assigned_identity", **identity)
    assert azure.delete("azurerm_user_assigned_identity", first) == []
    second = azure.create("azurerm_user_assigned_identity", **identity)
    assert second["id"] == first["id"]
    assert second["principal_id"] != first["principal_id"]


def test_two_rehearsals_make_up_the_same_values(tmp_path: Path) -> None:
    states = []
    for run in ("a", "b"):
        azure = provider("azurerm", tmp_path / run)
        azure.create("azurerm_resource_group", name="one", location=LOCATION)
        states.append(azure.create("azurerm_kubernetes_cluster", **CLUSTER))
    assert states[0] == states[1]


def test_what_exists_must_be_imported(azure: Provider) -> None:
    state = azure.create("azurerm_managed_disk", name="data", **DISK)
    answer = azure.apply("azurerm_managed_disk", name="data", **DISK)
    assert "already exists - to be managed via Terraform this resource needs to be imported" in answer.problems[0][1]
    assert answer.state is None
    assert azure.fake.import_state("azurerm_managed_disk", state["id"].upper()).state == state
    assert azure.fake.import_state("azurerm_managed_disk", "/nothing").problems


def test_a_role_is_assigned_once_whatever_its_name(azure: Provider) -> None:
    roles = {"scope": GROUP_ID, "principal_id": "p", "role_definition_name": "Reader"}
    first = azure.create("azurerm_role_assignment", **roles)
    assert first["role_definition_id"].endswith("acdd72a7-3385-48ef-bd42-f606fba81ae7")
    by_id = {"scope": GROUP_ID, "principal_id": "p", "role_definition_id": first["role_definition_id"]}
    assert azure.apply("azurerm_role_assignment", **by_id).problems
    azure.create("azurerm_role_assignment", **roles | {"principal_id": "q"})


def test_a_global_name_is_free_once(azure: Provider) -> None:
    azure.create("azurerm_key_vault", **VAULT)
    azure.create("azurerm_resource_group", name="two", location=LOCATION)
    assert azure.apply("azurerm_key_vault", **VAULT | {"resource_group_name": "two"}).problems


def test_a_child_needs_its_group_and_its_parent(azure: Provider) -> None:
    lost = azure.apply("azurerm_managed_disk", name="data", **DISK | {"resource_group_name": "none"})
    assert "ResourceGroupNotFound" in lost.problems[0][1]
    subnet = {
        "resource_group_name": "one",
        "virtual_network_name": "net",
        "name": "nodes",
        "address_prefixes": ["10.0.0.0/24"],
    }
    assert "ParentResourceNotFound" in azure.apply("azurerm_subnet", **subnet).problems[0][1]


def test_what_other_people_own_is_taken_to_exist(azure: Provider) -> None:
    zone = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/theirs/providers/Microsoft.Network/dnsZones/example.com"
    azure.create("azurerm_role_assignment", scope=zone, principal_id="p", role_definition_name="Reader")


def test_what_vanished_is_gone_at_the_next_read(azure: Provider) -> None:
    disk = azure.create("azurerm_managed_disk", name="data", **DISK)
    (found,) = azure.cloud.objects("azurerm_managed_disk")
    azure.cloud.delete(found.key)
    assert azure.read("azurerm_managed_disk", disk) is None


def test_a_new_secret_version_changes_its_id_and_keeps_the_old_value(azure: Provider) -> None:
    vault = azure.create("azurerm_key_vault", **VAULT)
    secret = {"name": "db", "key_vault_id": vault["id"]}
    first = azure.create("azurerm_key_vault_secret", value_wo="one", value_wo_version=1, **secret)
    again = azure.apply(
        "azurerm_key_vault_secret", first, value_wo="other", value_wo_version=1, content_type="x", **secret
    )
    assert again.state["id"] == first["id"]
    second = azure.apply("azurerm_key_vault_secret", again.state, value_wo="two", value_wo_version=2, **secret).state
    assert second["id"] != first["id"]
    assert second["versionless_id"] == first["versionless_id"]
    assert azure.cloud.secret(vault["id"], "db") == (second["version"], "two")
    assert azure.cloud.secret(vault["id"], "db", first["version"]) == (first["version"], "one")
    assert azure.cloud.secret_values() == {"one", "two"}
    opened = azure.fake.open("azurerm_key_vault_secret", body("ephemeral", "azurerm_key_vault_secret", **secret))
    assert opened.state["value"] == "two"


def test_a_missing_secret_is_an_error(azure: Provider) -> None:
    config = body("ephemeral", "azurerm_key_vault_secret", name="none", key_vault_id="/v")
    assert '"none" was not found' in azure.fake.open("azurerm_key_vault_secret", config).problems[0][1]


NODES: dict[str, Any] = {"name": "gpu", "kubernetes_cluster_id": "/c", "vm_size": "Standard_NC4as_T4_v3"}
SURGE = [{"max_surge": "10%"}]
SHARES: dict[str, Any] = {
    **IN_GROUP,
    "name": "files",
    "account_kind": "FileStorage",
    "account_tier": "Premium",
    "account_replication_type": "ZRS",
}
DRIFTING = [
    ("azurerm_kubernetes_cluster_node_pool", NODES, NODES | {"upgrade_settings": SURGE}),
    (
        "azurerm_kubernetes_cluster_node_pool",
        NODES | {"priority": "Spot"},
        NODES
        | {
            "priority": "Spot",
            "node_labels": {"kubernetes.azure.com/scalesetpriority": "spot"},
            "node_taints": ["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"],
        },
    ),
    ("azurerm_kubernetes_cluster", CLUSTER, CLUSTER | {"default_node_pool": {**POOL, "upgrade_settings": SURGE}}),
    (
        "azurerm_postgresql_flexible_server",
        {**IN_GROUP, "name": "pg"},
        {**IN_GROUP, "name": "pg", "zone": "1"},
    ),
    (
        "azurerm_storage_account",
        SHARES | {"share_properties": {"retention_policy": {"days": 7}}},
        SHARES | {"share_properties": {"retention_policy": {"days": 7}, "smb": {"multichannel_enabled": False}}},
    ),
]


@pytest.mark.parametrize(
    ("type_name", "silent", "explicit"), DRIFTING, ids=[f"{one[0]}-{len(one[1])}" for one in DRIFTING]
)
def test_what_azure_sets_beside_the_configuration_shows_until_it_is_stated(
    azure: Provider, type_name: str, silent: dict[str, Any], explicit: dict[str, Any]
) -> None:
    state = azure.create(type_name, **silent)
    seen = azure.read(type_name, state)
    assert azure.plan(type_name, seen, **silent).state != seen
    stated = {**explicit, "name": "other"}
    state = azure.create(type_name, **stated)
    seen = azure.read(type_name, state)
    assert seen == state
    assert azure.plan(type_name, seen, **stated).state == seen


def test_a_cluster_hands_out_what_its_settings_allow(azure: Provider) -> None:
    entra = {"azure_active_directory_role_based_access_control": {"tenant_id": "t"}}
    closed = azure.create("azurerm_kubernetes_cluster", **CLUSTER, **entra, local_account_disabled=True)
    assert closed["kube_admin_config"] == []
    assert closed["private_fqdn"] == ""
    hidden = azure.create(
        "azurerm_kubernetes_cluster",
        **CLUSTER | {"name": "hidden", "dns_prefix": "hidden"},
        private_cluster_enabled=True,
    )
    assert hidden["kube_config"][0]["host"] == f"https://{hidden['private_fqdn']}:443"


def test_a_pool_that_scales_starts_with_its_smallest_size(azure: Provider) -> None:
    """As azurerm 4.55 sends it; with one node an upgrade of three to five would be out of bounds."""
    pool = {"name": "system", "vm_size": "Standard_D4ds_v5", "auto_scaling_enabled": True}
    made = azure.create(
        "azurerm_kubernetes_cluster", **CLUSTER | {"default_node_pool": {**pool, "min_count": 3, "max_count": 5}}
    )
    assert made["default_node_pool"][0]["node_count"] == 3


def test_a_data_source_finds_what_exists_and_misses_what_does_not(azure: Provider) -> None:
    disk = azure.create("azurerm_managed_disk", name="data", **DISK)
    asked = {"name": "data", "resource_group_name": "one"}
    assert service_of("azurerm", azure.cloud).read_data("azurerm_managed_disk", asked) == disk
    answer = azure.fake.read_data("azurerm_managed_disk", asked | {"name": "none"})
    assert answer.problems == [("", "azurerm_managed_disk: 'none' was not found")]


def test_the_subscription_is_the_one_configured(azure: Provider) -> None:
    azure.fake.configure({"subscription_id": "11111111-0000-4000-8000-000000000000", "tenant_id": None})
    group = azure.create("azurerm_resource_group", name="three", location=LOCATION)
    assert group["id"] == "/subscriptions/11111111-0000-4000-8000-000000000000/resourceGroups/three"
    client = azure.fake.read_data("azurerm_client_config", body("data", "azurerm_client_config")).state
    assert client["subscription_id"] == "11111111-0000-4000-8000-000000000000"


def test_every_type_in_use_has_a_real_id() -> None:
    # The pinned schemas hold what the code uses, also what dev and prod leave off (test_schemas).
    azure_types = {name for kind, name in pinned().types("azurerm") if kind == "resource"}
    assert azure_types - TEMPLATES.keys() == set()


def test_made_up_values_look_like_what_they_stand_for(azure: Provider) -> None:
    storage = azure.create(
        "azurerm_storage_account", name="files", account_tier="Standard", account_replication_type="ZRS", **IN_GROUP
    )
    assert storage["primary_file_host"] == "files.file.core.windows.net"
    assert storage["primary_access_key"] in storage["primary_connection_string"]
    assert len(base64.b64decode(storage["primary_access_key"])) == 64
    cluster = azure.create("azurerm_kubernetes_cluster", **CLUSTER, oidc_issuer_enabled=True)
    assert cluster["fqdn"].endswith(".hcp.westeurope.azmk8s.io")
    assert cluster["oidc_issuer_url"].startswith("https://westeurope.oic.prod-aks.azure.com/")
    assert b"BEGIN CERTIFICATE" in base64.b64decode(cluster["kube_config"][0]["cluster_ca_certificate"])
    public = azure.create(
        "azurerm_public_ip", name="front", allocation_method="Static", domain_name_label="llm", **IN_GROUP
    )
    assert ipaddress.ip_address(public["ip_address"])
    assert public["fqdn"] == "llm.westeurope.cloudapp.azure.com"
    unnamed = azure.create("azurerm_public_ip", name="out", allocation_method="Static", **IN_GROUP)
    assert unnamed["fqdn"] == ""
