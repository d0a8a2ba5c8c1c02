"""What must hold of every environment, in plain words, read from the synthesized stacks."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.stacks.synthesis import DURABLE, STACKS, Synthesized

Environment = Callable[[str], Synthesized]

ENVIRONMENTS = ("dev", "prod")

HOLDS_DATA_OR_NAMES = {
    "azuread_application",
    "azuread_group",
    "azuread_service_principal",
    "azurerm_container_registry",
    "azurerm_data_protection_backup_instance_disk",
    "azurerm_data_protection_backup_vault",
    "azurerm_key_vault",
    "azurerm_key_vault_secret",
    "azurerm_managed_disk",
    "azurerm_postgresql_flexible_server",
    "azurerm_public_ip",
    "azurerm_resource_group",
    "azurerm_storage_account",
    "azurerm_storage_container",
    "azurerm_storage_share",
}

SECRET_ARGUMENT = re.compile(r"(^|_)(password|secret|token|access_key|private_key|client_secret|value)$")
"""Arguments whose plain form would put a secret into the state; the `_wo` forms do not match."""

REFERENCE = re.compile(
    r"(?<![\w.$])((?:data\.|ephemeral\.)?(?:azurerm|azuread|kubernetes|helm|random|terraform)_[a-z0-9_]+\.[A-Za-z][\w-]*)"
)

NODE_POOLS = ("azurerm_kubernetes_cluster_node_pool",)

pytestmark = pytest.mark.parametrize("name", ENVIRONMENTS)


def _resources(synthesized: Synthesized, stack: str | None = None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield type, `stack/name` and body of every resource."""
    for stack_name in [stack] if stack else STACKS:
        for kind, named in synthesized.stacks[stack_name].get("resource", {}).items():
            for resource, body in named.items():
                yield kind, f"{stack_name}/{resource}", body


def _of_kind(synthesized: Synthesized, *kinds: str) -> dict[str, dict[str, Any]]:
    return {address: body for kind, address, body in _resources(synthesized) if kind in kinds}


def _one(synthesized: Synthesized, kind: str) -> dict[str, Any]:
    (body,) = _of_kind(synthesized, kind).values()
    return body


def _cluster(synthesized: Synthesized) -> dict[str, Any]:
    return _one(synthesized, "azurerm_kubernetes_cluster")


def _texts(value: Any) -> Iterator[str]:
    """Yield the Terraform expressions in a value, and what `depends_on` lists name."""
    match value:
        case str():
            yield from re.findall(r"(?<!\$)\$\{.*", value, re.DOTALL)
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            yield from value.get("depends_on", [])
            for item in value.values():
                yield from _texts(item)


# Every stack stands by itself


def test_every_stack_has_the_provider_of_each_of_its_resources(environment: Environment, name: str) -> None:
    for stack_name in STACKS:
        stack = environment(name).stacks[stack_name]
        kinds = {kind for section in ("resource", "data", "ephemeral") for kind in stack.get(section, {})}
        needed = {kind.partition("_")[0] for kind in kinds} - {"terraform"}
        assert needed <= stack.get("provider", {}).keys(), stack_name


def test_every_reference_is_to_something_in_the_same_stack(environment: Environment, name: str) -> None:
    # cdktf writes a reference to another stack's resource as if it were of this one (`EnvironmentStack.prepare_stack`).
    for stack_name in STACKS:
        stack = environment(name).stacks[stack_name]
        declared = {
            f"{prefix}{kind}.{resource}"
            for section, prefix in (("resource", ""), ("data", "data."), ("ephemeral", "ephemeral."))
            for kind, named in stack.get(section, {}).items()
            for resource in named
        }
        used = {reference for text in _texts(stack) for reference in REFERENCE.findall(text)}
        assert used <= declared, stack_name


# Nothing that holds data can be lost


@pytest.mark.parametrize("stack", DURABLE)
def test_everything_durable_that_holds_data_or_names_refuses_to_be_destroyed(
    environment: Environment, name: str, stack: str
) -> None:
    unprotected = [
        address
        for kind, address, body in _resources(environment(name), stack)
        if kind in HOLDS_DATA_OR_NAMES and not body.get("lifecycle", {}).get("prevent_destroy")
    ]
    # Weights can be fetched again.
    assert [address for address in unprotected if not address.startswith("disks/model-store_")] == []


def test_nothing_disposable_refuses_to_be_destroyed(environment: Environment, name: str) -> None:
    protected = [
        address
        for _, address, body in _resources(environment(name))
        if address.partition("/")[0] not in DURABLE and body.get("lifecycle", {}).get("prevent_destroy")
    ]
    assert protected == []


def test_every_data_disk_has_a_delete_lock_and_a_daily_backup(environment: Environment, name: str) -> None:
    disks = environment(name).resources("disks", "azurerm_managed_disk")
    assert len(disks) == 5
    locks = [lock["scope"] for lock in environment(name).resources("disks", "azurerm_management_lock").values()]
    backups = environment(name).resources("disks", "azurerm_data_protection_backup_instance_disk").values()
    for disk in disks:
        reference = f"${{azurerm_managed_disk.{disk}.id}}"
        assert reference in locks
        assert reference in [backup["disk_id"] for backup in backups]


def test_what_holds_data_or_names_is_kept_from_deletion_in_azure(environment: Environment, name: str) -> None:
    guarded = [
        json.loads(definition["policy_rule"])["if"]["in"]
        for definition in _of_kind(environment(name), "azurerm_policy_definition").values()
        if json.loads(definition["policy_rule"])["then"]["effect"] == "denyAction"
    ]
    assert {kind for kinds in guarded for kind in kinds} == {
        "Microsoft.DBforPostgreSQL/flexibleServers",
        "Microsoft.KeyVault/vaults",
        "Microsoft.Network/publicIPAddresses",
        "Microsoft.ContainerRegistry/registries",
        "Microsoft.Storage/storageAccounts",
    }


def test_deleted_vault_cannot_be_purged_and_its_secrets_can_be_recovered(environment: Environment, name: str) -> None:
    vault = _one(environment(name), "azurerm_key_vault")
    assert vault["purge_protection_enabled"] is True
    for stack in STACKS:
        for provider in environment(name).stacks[stack].get("provider", {}).get("azurerm", []):
            assert provider["features"][0]["key_vault"][0]["purge_soft_delete_on_destroy"] is False


# No public administration


def test_database_is_closed_to_the_internet(environment: Environment, name: str) -> None:
    assert _one(environment(name), "azurerm_postgresql_flexible_server")["public_network_access_enabled"] is False
    assert _of_kind(environment(name), "azurerm_postgresql_flexible_server_firewall_rule") == {}


def test_registry_has_no_admin_user_and_no_anonymous_pull(environment: Environment, name: str) -> None:
    registry = _one(environment(name), "azurerm_container_registry")
    assert (registry["admin_enabled"], registry["anonymous_pull_enabled"]) == (False, False)


def test_storage_is_closed_to_the_internet_and_has_no_keys(environment: Environment, name: str) -> None:
    """But for the manifests of backup sets, which have no content: operators and pipelines work outside the network."""
    accounts = _of_kind(environment(name), "azurerm_storage_account")
    assert {a for a, account in accounts.items() if account["public_network_access_enabled"]} == {
        address for address in accounts if address.startswith("disks/backup-sets_account_")
    }
    assert [account for account in accounts.values() if account["shared_access_key_enabled"]] == []


def test_settings_of_shares_say_what_azure_has_anyway(environment: Environment, name: str) -> None:
    """Without the block `smb` the provider finds one in Azure and plans to remove it, for ever.

    https://github.com/hashicorp/terraform-provider-azurerm/blob/v4.55.0/internal/services/storage/storage_account_resource.go
    (`flattenAccountSharePropertiesSMB`).
    """
    accounts = _of_kind(environment(name), "azurerm_storage_account").values()
    shares = [account["share_properties"] for account in accounts if "share_properties" in account]
    assert shares
    assert all(properties["smb"] == {"multichannel_enabled": False} for properties in shares)


def test_vault_and_cluster_know_roles_only(environment: Environment, name: str) -> None:
    assert _one(environment(name), "azurerm_key_vault")["rbac_authorization_enabled"] is True
    cluster = _cluster(environment(name))
    assert cluster["local_account_disabled"] is True
    assert cluster["run_command_enabled"] is False
    assert cluster["azure_active_directory_role_based_access_control"]["azure_rbac_enabled"] is True


def test_private_endpoints_reach_database_vault_and_storage(environment: Environment, name: str) -> None:
    endpoints = environment(name).resources("network", "azurerm_private_endpoint").values()
    services = {service for e in endpoints for service in e["private_service_connection"]["subresource_names"]}
    assert {"postgresqlServer", "vault", "file"} <= services


# The cluster


def test_cluster_issues_identities_to_workloads(environment: Environment, name: str) -> None:
    cluster = _cluster(environment(name))
    assert cluster["oidc_issuer_enabled"] is True
    assert cluster["workload_identity_enabled"] is True


def test_system_pool_takes_critical_addons_only(environment: Environment, name: str) -> None:
    assert _cluster(environment(name))["default_node_pool"]["only_critical_addons_enabled"] is True


def test_gpu_pools_are_tainted_labelled_and_scale_from_zero(environment: Environment, name: str) -> None:
    gpu_pools = {a: p for a, p in _of_kind(environment(name), *NODE_POOLS).items() if p.get("gpu_driver")}
    assert gpu_pools
    for pool in gpu_pools.values():
        assert "sku=gpu:NoSchedule" in pool["node_taints"]
        assert pool["node_labels"]["nvidia.com/gpu.present"] == "true"
        assert pool["min_count"] == 0


def test_spot_pools_state_their_label_and_taint(environment: Environment, name: str) -> None:
    spot = [p for p in _of_kind(environment(name), *NODE_POOLS).values() if p.get("priority") == "Spot"]
    assert spot
    for pool in spot:
        assert "kubernetes.azure.com/scalesetpriority=spot:NoSchedule" in pool["node_taints"]
        assert pool["node_labels"]["kubernetes.azure.com/scalesetpriority"] == "spot"
        assert pool["eviction_policy"] == "Delete"


def test_no_change_of_a_pool_replaces_the_cluster_or_fights_the_autoscaler(environment: Environment, name: str) -> None:
    cluster = _cluster(environment(name))
    assert cluster["default_node_pool"]["temporary_name_for_rotation"]
    assert "default_node_pool[0].node_count" in cluster["lifecycle"]["ignore_changes"]
    for pool in _of_kind(environment(name), *NODE_POOLS).values():
        assert pool["temporary_name_for_rotation"]
        assert "node_count" in pool["lifecycle"]["ignore_changes"]
        assert pool["auto_scaling_enabled"] is True


# Secrets


def test_no_argument_holds_a_secret(environment: Environment, name: str) -> None:
    found = [
        f"{address}: {path}"
        for kind, address, body in _resources(environment(name))
        for path, value in _arguments(body)
        if SECRET_ARGUMENT.search(path.rpartition(".")[2])
        and isinstance(value, str)
        and (kind, path.rpartition(".")[2]) not in {("azurerm_postgresql_flexible_server_configuration", "value")}
        and not _is_plain_word(kind, path)
    ]
    assert found == []


def test_no_random_value_is_kept_in_a_state(environment: Environment, name: str) -> None:
    assert [address for kind, address, _ in _resources(environment(name)) if kind.startswith("random_")] == []


def test_every_generated_secret_is_write_only_and_versioned(environment: Environment, name: str) -> None:
    secrets = _of_kind(environment(name), "azurerm_key_vault_secret")
    assert secrets
    for secret in secrets.values():
        assert "value" not in secret
        assert secret["value_wo_version"] >= 1
        if not secret["name"].startswith("kept-"):
            assert "ephemeral.random_password." in secret["value_wo"]


def test_terraform_writes_nothing_but_emptiness_into_secrets_that_are_kept(environment: Environment, name: str) -> None:
    secrets = _of_kind(environment(name), "azurerm_key_vault_secret").values()
    kept = {secret["name"]: secret for secret in secrets if secret["name"].startswith("kept-")}
    assert set(kept) == {
        "kept-acme-account",
        "kept-certificate-api",
        "kept-certificate-chat",
        "kept-certificate-grafana",
        "kept-certificate-opik",
    }
    for secret in kept.values():
        assert (secret["value_wo"], secret["value_wo_version"]) == ("{}", 1)
        # External Secrets writes to no secret without it, and replaces all tags.
        assert secret["tags"]["managed-by"] == "external-secrets"
        assert secret["lifecycle"] == {
            "prevent_destroy": True,
            "ignore_changes": ["value_wo_version", "tags", "content_type", "expiration_date"],
        }


def test_administrator_password_is_write_only(environment: Environment, name: str) -> None:
    server = _one(environment(name), "azurerm_postgresql_flexible_server")
    assert "administrator_password" not in server
    assert server["administrator_password_wo"].startswith("${ephemeral.azurerm_key_vault_secret.")


# Every stack


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_group_and_data_resource_says_whose_it_is(
    environment: Environment, name: str, stack: str
) -> None:
    for _, address, body in _resources(environment(name), stack):
        if "tags" in body and isinstance(body["tags"], dict):
            assert {"platform": "llm", "environment": name, "stack": stack}.items() <= body["tags"].items(), address


@pytest.mark.parametrize("stack", STACKS)
def test_terraform_version_allows_write_only_arguments(environment: Environment, name: str, stack: str) -> None:
    assert environment(name).stacks[stack]["terraform"]["required_version"] == ">= 1.11, < 2.0"


@pytest.mark.parametrize("stack", STACKS)
def test_providers_are_pinned_exactly(environment: Environment, name: str, stack: str) -> None:
    for provider in environment(name).stacks[stack]["terraform"].get("required_providers", {}).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", provider["version"])


def test_subscription_providers_are_named_not_guessed(environment: Environment, name: str) -> None:
    for stack in STACKS:
        for provider in environment(name).stacks[stack].get("provider", {}).get("azurerm", []):
            assert provider["resource_provider_registrations"] == "none"


# Kubernetes


def test_every_namespace_has_a_pod_security_level(environment: Environment, name: str) -> None:
    namespaces = environment(name).resources("platform", "kubernetes_namespace_v1")
    assert namespaces
    for namespace in namespaces.values():
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] in {
            "restricted",
            "baseline",
            "privileged",
        }


def test_every_namespace_denies_traffic_that_is_not_allowed(environment: Environment, name: str) -> None:
    namespaces = {
        namespace["metadata"]["name"]
        for namespace in environment(name).resources("platform", "kubernetes_namespace_v1").values()
    }
    denied = {
        _literal(environment(name), policy["metadata"]["namespace"])
        for policy in environment(name).resources("platform", "kubernetes_network_policy_v1").values()
        if policy["spec"].get("pod_selector") == {} and set(policy["spec"]["policy_types"]) == {"Ingress", "Egress"}
    }
    assert namespaces <= denied


def test_every_release_is_pinned_waits_and_keeps_a_short_history(environment: Environment, name: str) -> None:
    releases = environment(name).resources("platform", "helm_release")
    assert releases
    for release in releases.values():
        local = release["chart"].startswith(("assets/", "${path.module}", "./"))
        assert local or re.fullmatch(r"v?\d+\.\d+\.\d+", release["version"])
        assert 1 <= release["max_history"] <= 10
        assert release.get("wait", True) is True


def _arguments(body: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in body.items():
        if key in {"//", "tags", "lifecycle"}:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _arguments(item, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", item


def _is_plain_word(kind: str, path: str) -> bool:
    """Return whether an argument merely has a secret-sounding name: an application role's value, a header's value."""
    return (kind, path) in {
        ("azuread_application", "app_role.value"),
        ("azuread_application", "api.oauth2_permission_scope.value"),
    }


def _literal(synthesized: Synthesized, text: str) -> str:
    """Return the name behind a reference to a namespace, or the text itself."""
    reference = re.fullmatch(r"\$\{kubernetes_namespace_v1\.([\w-]+)\.metadata\[?\.?0\]?\.name\}", text)
    if not reference:
        return text
    namespaces = synthesized.resources("platform", "kubernetes_namespace_v1")
    return str(namespaces[reference.group(1)]["metadata"]["name"])
