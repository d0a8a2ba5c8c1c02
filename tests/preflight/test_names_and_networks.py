"""Names that are taken, deleted or left over; addresses that clash; policies that refuse pods."""

from typing import Any

import pytest

from tests.support.preflight.azure_api import SCOPE, TAKEN, AzureApi
from tests.support.preflight.surroundings import result, sound, surroundings

Azure = tuple[AzureApi, str]
NAMES = sound().azure_names
VAULT = f"{SCOPE}/resourceGroups/llm-dev-database/providers/Microsoft.KeyVault/vaults/{NAMES.key_vault}"


def sentences(name: str, azure: Azure, environment: Any = None, **more: Any) -> list[str]:
    found = result(name, surroundings(azure[1], environment, **more))
    assert not found.not_checked, found.not_checked
    return [f"{finding.outcome}: {finding.what} -> {finding.fix}" for finding in found.findings]


# --- names -----------------------------------------------------------------------------------------------------------


def test_every_name_is_asked_for_with_its_type(azure: Azure) -> None:
    assert sentences("names", azure, sound()) == []
    asked = {(body["name"], body["type"]) for body in azure[0].bodies if body}
    assert asked == {
        (NAMES.container_registry, "Microsoft.ContainerRegistry/registries"),
        (NAMES.key_vault, "Microsoft.KeyVault/vaults"),
        (NAMES.postgresql_server(1), "Microsoft.DBforPostgreSQL/flexibleServers"),
        (NAMES.storage_account("fil"), "Microsoft.Storage/storageAccounts"),
        (NAMES.storage_account("bak"), "Microsoft.Storage/storageAccounts"),
    }


def test_the_names_are_those_of_the_stacks() -> None:
    """What the stacks make, from their snapshots: a name that is added there has to be asked for here."""
    import json
    from pathlib import Path

    from scripts.preflight.azure.unique_names import names
    from stacks.settings import load_settings

    folder = Path(__file__).parents[1] / "snapshots" / "dev-nginx"
    types = {
        "azurerm_container_registry": "Microsoft.ContainerRegistry/registries",
        "azurerm_key_vault": "Microsoft.KeyVault/vaults",
        "azurerm_postgresql_flexible_server": "Microsoft.DBforPostgreSQL/flexibleServers",
        "azurerm_storage_account": "Microsoft.Storage/storageAccounts",
    }
    made = set()
    for file in folder.glob("*.tf.json"):
        resources = json.loads(file.read_text("utf-8"))["resource"]
        for type_, id_type in types.items():
            for one in resources.get(type_, {}).values():
                group = one["resource_group_name"].removeprefix("${azurerm_resource_group.").split(".")[0]
                made.add((id_type, one["name"], resources["azurerm_resource_group"][group]["name"]))
    asked = names(surroundings("http://127.0.0.1:9", load_settings("dev")))
    assert {(one.type, one.name, one.group.rpartition("/")[2]) for one in asked} == made


@pytest.mark.parametrize(
    ("stack", "what", "name"),
    [
        ("acr", "container registry", NAMES.container_registry),
        ("disks", "storage account of chat uploads", NAMES.storage_account("fil")),
    ],
)
def test_a_name_that_somebody_else_has(stack: str, what: str, name: str, azure: Azure) -> None:
    azure[0].given("checkNameAvailability$", TAKEN)
    lines = sentences("names", azure, stacks=(stack,))
    assert lines[0] == (
        f"failed: the name {name} of the {what} cannot be had: somebody else has it, or it was deleted in another"
        " subscription -> write another prefix or name in environments/dev.yaml: every name in Azure is made of them"
    )


def test_a_name_that_azure_refuses_is_told_in_its_words(azure: Azure) -> None:
    azure[0].given(
        "checkNameAvailability$", {"nameAvailable": False, "reason": "Invalid", "message": "The name is reserved."}
    )
    (line,) = sentences("names", azure, stacks=("acr",))
    assert "cannot be had: The name is reserved. ->" in line


def test_a_resource_of_the_environment_itself_is_no_clash(azure: Azure) -> None:
    azure[0].given("checkNameAvailability$", TAKEN)
    azure[0].given(r"GET /subscriptions/[^/]+/resourceGroups/llm-dev-acr/.*/registries/", {"id": "here"})
    assert sentences("names", azure, stacks=("acr",)) == []
    (line,) = sentences("names", azure, stacks=("acr",), undeployed=("acr",))
    assert line == (
        f"failed: the container registry {NAMES.container_registry} exists already, but no state of acr knows it ->"
        " llmctl state adopt dev acr"
    )


def deleted_vault(azure: Azure, **changed: Any) -> None:
    facts = {
        "vaultId": VAULT,
        "location": "westeurope",
        "deletionDate": "2026-11-01T00:00:59Z",
        "scheduledPurgeDate": "2027-01-30T00:00:59Z",
        "purgeProtectionEnabled": None,
    } | changed
    azure[0].given("Microsoft.KeyVault/checkNameAvailability$", TAKEN)
    azure[0].given("/deletedVaults$", {"value": [{"name": NAMES.key_vault, "properties": facts}]})


def test_a_deleted_vault_of_the_environment_comes_back_and_says_so(azure: Azure) -> None:
    deleted_vault(azure)
    (line,) = sentences("names", azure, stacks=("database",))
    assert line == (
        f"warning: a Key Vault {NAMES.key_vault} was deleted and is kept until 2027-01-30 -> nothing, or beforehand: az"
        f" keyvault recover --name {NAMES.key_vault} --location westeurope; to begin without them: az keyvault purge"
        f" --name {NAMES.key_vault} --location westeurope"
    )
    deleted_vault(azure, purgeProtectionEnabled=True)
    (line,) = sentences("names", azure, stacks=("database",))
    assert "purge --name" not in line, "Azure refuses it"


def test_a_deleted_vault_elsewhere_is_in_the_way(azure: Azure) -> None:
    deleted_vault(azure, location="northeurope", vaultId=VAULT.replace("llm-dev-database", "other"))
    (line,) = sentences("names", azure, stacks=("database",))
    assert line.startswith(
        f"failed: a Key Vault {NAMES.key_vault} was deleted and is kept until 2027-01-30, in northeurope as"
    )
    assert line.endswith(
        f"-> az keyvault purge --name {NAMES.key_vault} --location northeurope; or az keyvault recover --name"
        f" {NAMES.key_vault} --location northeurope"
    )


def test_a_deleted_storage_account_can_be_recovered_before_its_name_is_taken(azure: Azure) -> None:
    name = NAMES.storage_account("fil")
    facts = {"storageAccountResourceId": "x", "deletionTime": "2026-11-28T04:41:37.3442475Z"}
    azure[0].given("/deletedAccounts$", {"value": [{"name": name, "properties": facts}]})
    (line,) = sentences("names", azure, stacks=("disks",))
    assert line.startswith(
        f"warning: a storage account {name} was deleted on 2026-11-28 -> nothing, or recover it first"
    )


# --- networks --------------------------------------------------------------------------------------------------------

OURS = f"{SCOPE}/resourceGroups/llm-dev-network/providers/Microsoft.Network/virtualNetworks/llm-dev-vnet"
HUB = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"


def network(
    id_: str, *prefixes: str, peer: str = "", remote: tuple[str, ...] = (), type_: str = "virtualnetworks"
) -> Any:
    peerings = [
        {"properties": {"remoteVirtualNetwork": {"id": peer}, "remoteAddressSpace": {"addressPrefixes": list(remote)}}}
    ]
    return {
        "id": id_,
        "type": f"microsoft.network/{type_}",
        "prefixes": list(prefixes),
        "peerings": peerings if peer else None,
    }


def networks(azure: Azure, *found: Any) -> None:
    azure[0].given("ResourceGraph/resources$", {"totalRecords": len(found), "count": len(found), "data": list(found)})


def test_a_peered_network_must_not_overlap(azure: Azure) -> None:
    networks(azure, network(OURS, "10.40.0.0/16", peer=HUB, remote=("10.40.128.0/20", "10.244.0.0/24", "fd00::/8")))
    assert sentences("networks", azure) == [
        (
            f"failed: network.address_space 10.40.0.0/16 overlaps 10.40.128.0/20 of the peered network {HUB.lower()}"
            " -> write"
            " another private range in network.address_space, before the network exists"
        ),
        (
            f"failed: network.pod_cidr 10.244.0.0/16 overlaps 10.244.0.0/24 of the peered network {HUB.lower()} ->"
            " write"
            " another private range in network.pod_cidr, before the network exists"
        ),
    ]


def test_a_network_that_is_peered_from_its_own_side_counts_too(azure: Azure) -> None:
    networks(azure, network(HUB, "10.96.0.0/12", peer=OURS))
    (line,) = sentences("networks", azure)
    assert line.startswith(
        f"failed: network.service_cidr 10.96.0.0/16 overlaps 10.96.0.0/12 of {HUB}, which is peered with this"
        " environment ->"
    )


def test_the_network_of_private_clients_will_be_joined(azure: Azure) -> None:
    clients = sound(network={"private_client_ranges": ["10.8.0.0/24"]})
    networks(azure, network(HUB, "10.8.0.0/16", "10.40.0.0/24"), network(HUB + "2", "10.40.0.0/16"))
    (line,) = sentences("networks", azure, clients)
    assert line.startswith("failed: network.address_space 10.40.0.0/16 overlaps 10.40.0.0/24 of ")
    assert "in which network.private_client_ranges lie" in line


def test_ranges_on_premises_are_a_warning_until_somebody_joins_them(azure: Azure) -> None:
    networks(azure, network("/x/localNetworkGateways/office", "10.40.0.0/24", type_="localnetworkgateways"))
    (line,) = sentences("networks", azure)
    assert line.startswith(
        "warning: network.address_space 10.40.0.0/16 overlaps 10.40.0.0/24 of the network on premises"
    )
    (line,) = sentences("networks", azure, sound(network={"private_client_ranges": ["192.168.7.0/24"]}))
    assert line.startswith("failed: ")


def test_networks_that_nobody_joins_may_overlap(azure: Azure) -> None:
    networks(azure, network(HUB, "10.40.0.0/16"), network(OURS, "10.40.0.0/16"))
    assert sentences("networks", azure) == []


# --- registry rules --------------------------------------------------------------------------------------------------


def many(count: int) -> Any:
    ranges = [f"198.{18 + number // 256}.{number % 256}.0/24" for number in range(count)]
    return sound(registry={"tier": "Premium"}, operators={"ip_ranges": [r.replace("198.18", "203.1") for r in ranges]})


def test_more_ranges_than_the_registry_takes(azure: Azure) -> None:
    assert sentences("registry rules", azure, many(200)) == []
    (line,) = sentences("registry rules", azure, many(201))
    assert line.startswith(
        "failed: operators.ip_ranges holds 201 ranges, the registry takes 200 address rules -> merge"
    )


def test_the_limit_of_a_registry_that_exists_counts(azure: Azure) -> None:
    azure[0].given("/listUsages$", {"value": [{"name": "Size", "limit": 5}, {"name": "IPRules", "limit": 100}]})
    (line,) = sentences("registry rules", azure, many(101))
    assert "takes 100 address rules" in line


# --- policies --------------------------------------------------------------------------------------------------------

RESTRICTED = "/providers/Microsoft.Authorization/policySetDefinitions/42b8ef37-b724-4e24-bbc8-7a7708edfe00"
BASELINE = "/providers/Microsoft.Authorization/policySetDefinitions/a8640138-9b0a-4a28-b8cb-1666c838647d"
EVERYTHING = "/providers/Microsoft.Management/managementGroups/everything"


def assigned(definition: str, *excluded: str, effect: str = "Deny", **more: Any) -> Any:
    parameters = {"effect": {"value": effect}, "excludedNamespaces": {"value": list(excluded)}}
    facts = {
        "displayName": "Pods", "scope": EVERYTHING, "policyDefinitionId": definition, "parameters": parameters,
        "enforcementMode": "Default",
    } | more  # fmt: skip
    return {"name": "pods", "properties": facts}


def policies(azure: Azure, *assignments: Any) -> list[str]:
    azure[0].given("policyAssignments$", {"value": list(assignments)})
    return sentences("policies", azure)


def test_a_deny_of_privileged_pods_has_to_leave_out_what_reads_the_node(azure: Azure) -> None:
    assert policies(azure, assigned(BASELINE, "kube-system")) == [
        (
            f"warning: Azure Policy 'Pods' of {EVERYTHING} may refuse pods of gpu, node-metrics -> have gpu,"
            " node-metrics"
            " added to its parameter excludedNamespaces, or an exemption for this cluster"
        )
    ]
    assert policies(azure, assigned(BASELINE, "gpu", "node-metrics")) == []


def test_the_restricted_initiative_has_to_leave_out_the_baseline_too(azure: Azure) -> None:
    (line,) = policies(azure, assigned(RESTRICTED, "gpu", "node-metrics"))
    assert "may refuse pods of opik ->" in line


def test_what_only_reports_refuses_nobody(azure: Azure) -> None:
    assert policies(azure, assigned(BASELINE, effect="Audit")) == []
    assert policies(azure, assigned(BASELINE, enforcementMode="DoNotEnforce")) == []
    assert policies(azure, assigned("/x", parameters=None)) == []


def test_without_the_add_on_no_policy_is_looked_at() -> None:
    from scripts.preflight.azure.policies import concerns

    assert not concerns(sound(cluster={"azure_policy": False}))
