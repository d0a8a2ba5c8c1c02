"""Ids that `terraform import` takes: from names, or asked of Azure and Entra."""

from typing import Any

import pytest

from scripts.lab.rehearsal.schemas import pinned
from scripts.terraform.adopting.ids import from_names
from scripts.terraform.adopting.lookups import NEEDED, Lookups

S = "11111111-1111-1111-1111-111111111111"


def test_every_type_in_use_can_be_imported() -> None:
    types = [name for provider in ("azurerm", "azuread", "kubernetes", "helm") for _, name in pinned().types(provider)]
    resources = [name for name in types if ("resource", name) in pinned().types(name.partition("_")[0])]
    without = []
    for name in resources:
        try:
            from_names(name, {}, S)
        except KeyError:
            without += [] if name in NEEDED else [name]
    assert without == []
    assert len(resources) > 50


@pytest.mark.parametrize(
    ("type_", "known", "id_"),
    [
        ("azurerm_resource_group", {"name": "llm-dev-aks"}, f"/subscriptions/{S}/resourceGroups/llm-dev-aks"),
        (
            "azurerm_key_vault",
            {"name": "v", "resource_group_name": "g"},
            f"/subscriptions/{S}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
        ),
        ("azurerm_storage_share", {"name": "s", "storage_account_id": "/a"}, "/a/fileServices/default/shares/s"),
        ("azurerm_storage_share", {"name": "s", "storage_account_id": None}, None),
        ("azurerm_monitor_diagnostic_setting", {"name": "d", "target_resource_id": "/c"}, "/c|d"),
        ("helm_release", {"name": "opik", "namespace": "opik"}, "opik/opik"),
        ("kubernetes_namespace_v1", {"metadata": [{"name": "chat"}]}, "chat"),
        ("kubernetes_config_map_v1", {"metadata": [{"name": "m", "namespace": "chat"}]}, "chat/m"),
        ("kubernetes_default_service_account_v1", {"metadata": [{"namespace": "chat"}]}, "chat/default"),
    ],
)
def test_an_id_follows_from_names_once_they_are_known(type_: str, known: dict[str, Any], id_: str | None) -> None:
    assert from_names(type_, known, S) == id_


GRAPH = {
    "applications?$filter=displayName eq 'llm-dev login'": [{"id": "app", "displayName": "llm-dev login"}],
    "groups?$filter=displayName eq 'llm-dev users'": [
        {"id": "one", "displayName": "llm-dev users"},
        {"id": "two", "displayName": "llm-dev users"},
    ],
    "applications/app/federatedIdentityCredentials": [{"id": "c", "name": "chat"}, {"id": "d", "name": "other"}],
    "servicePrincipals/sp/appRoleAssignedTo": [
        {"id": "x", "principalId": "p", "appRoleId": "r"},
        {"id": "y", "principalId": "p", "appRoleId": "other"},
    ],
    "servicePrincipals/sp/oauth2PermissionGrants": [{"id": "g", "resourceId": "graph"}],
}
ROLE = {"principalId": "p", "roleDefinitionId": "/x/roleDefinitions/1", "roleDefinitionName": "Reader"}
LISTED: dict[str, list[dict[str, Any]]] = {
    "role": [
        {**ROLE, "id": "/s/roleAssignments/1", "scope": "/S"},
        {**ROLE, "id": "/above/roleAssignments/2", "scope": "/above"},
    ],
    "keyvault": [
        {"id": "https://v/secrets/n/old", "attributes": {"created": "2026-01-01"}},
        {"id": "https://v/secrets/n/new", "attributes": {"created": "2026-02-01"}},
    ],
}


@pytest.mark.parametrize(
    ("type_", "known", "id_"),
    [
        ("azuread_application", {"display_name": "llm-dev login"}, "/applications/app"),
        ("azuread_group", {"display_name": "llm-dev users"}, None),
        (
            "azuread_application_federated_identity_credential",
            {"application_id": "/applications/app", "display_name": "chat"},
            "app/federatedIdentityCredential/c",
        ),
        (
            "azuread_app_role_assignment",
            {"resource_object_id": "sp", "principal_object_id": "p", "app_role_id": "r"},
            "/servicePrincipals/sp/appRoleAssignedTo/x",
        ),
        (
            "azuread_service_principal_delegated_permission_grant",
            {"service_principal_object_id": "sp", "resource_service_principal_object_id": "graph"},
            "/oauth2PermissionGrants/g",
        ),
        (
            "azuread_application_identifier_uri",
            {"application_id": "/applications/app", "identifier_uri": "api://1"},
            "/applications/app/identifierUris/YXBpOi8vMQ==",
        ),
        (
            "azurerm_role_assignment",
            {"scope": "/s", "principal_id": "p", "role_definition_name": "Reader"},
            "/s/roleAssignments/1",
        ),
        ("azurerm_role_assignment", {"scope": "/s", "principal_id": "p", "role_definition_name": "Owner"}, None),
        ("azurerm_key_vault_secret", {"key_vault_id": "/x/vaults/v", "name": "n"}, "https://v/secrets/n/new"),
    ],
)
def test_what_azure_names_itself_is_asked_and_only_one_that_fits_is_taken(
    type_: str, known: dict[str, Any], id_: str | None
) -> None:
    def ask(*arguments: str) -> dict[str, Any]:
        return {"value": GRAPH[arguments[-1].removeprefix("https://graph.microsoft.com/v1.0/")]}

    assert set(known) >= set(NEEDED[type_])
    assert Lookups(ask, lambda *arguments: LISTED[arguments[0]]).find(type_, known) == id_
