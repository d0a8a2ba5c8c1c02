"""What exists already is refused in the real providers' words, and llmctl knows the way out of each."""

from pathlib import Path
from typing import Any

import pytest

from scripts.terraform.existing import recognize
from tests.support.rehearsal.fake_providers import provider

VAULT = "/subscriptions/0/resourceGroups/g/providers/Microsoft.KeyVault/vaults/llm-dev-abcde"
PRINCIPAL = "11111111-1111-1111-1111-111111111111"
ROLE = {"scope": "/subscriptions/0/resourceGroups/g", "role_definition_name": "Reader", "principal_id": PRINCIPAL}
ASSIGNMENT = {
    "app_role_id": "11111111-2222-3333-4444-555555555551",
    "principal_object_id": "11111111-2222-3333-4444-555555555552",
    "resource_object_id": "11111111-2222-3333-4444-555555555553",
}
URI = {"application_id": "/applications/11111111-2222-3333-4444-555555555555", "identifier_uri": "api://llm"}
CREDENTIAL = {
    "application_id": "/applications/22222222-2222-2222-2222-222222222222",
    "display_name": "llm-dev-chat",
    "audiences": ["api://AzureADTokenExchange"],
    "issuer": "https://issuer",
    "subject": "system:serviceaccount:chat:open-webui",
}
GRANT = {
    "service_principal_object_id": PRINCIPAL,
    "resource_service_principal_object_id": "33333333-3333-3333-3333-333333333333",
    "claim_values": ["openid"],
}


def refused(folder: Path, name: str, kind: str, configured: dict[str, Any]) -> str:
    found = provider(name, folder)
    found.create(kind, **configured)
    ((_, said),) = found.apply(kind, **configured).problems
    assert recognize(f"Error: {said}", "cdktf.out/dev/stacks/aks", lambda _address: {}) is not None
    return said


def test_a_role_under_a_random_name_is_refused_with_half_of_its_id(tmp_path: Path) -> None:
    said = refused(tmp_path, "azurerm", "azurerm_role_assignment", ROLE)
    assert said.startswith("unexpected status 409 (409 Conflict) with error: RoleAssignmentExists")
    assert len(said.rsplit(" ", 1)[-1].rstrip(".")) == 32


def test_a_role_under_a_name_of_its_own_is_refused_with_its_whole_id(tmp_path: Path) -> None:
    name = "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    said = refused(tmp_path, "azurerm", "azurerm_role_assignment", ROLE | {"name": name})
    assert f'roleAssignments/{name}" already exists' in said


@pytest.mark.parametrize("kind", ["azuread_application", "azuread_group"])
def test_a_name_that_may_not_be_taken_twice_is_refused_by_the_plan(tmp_path: Path, kind: str) -> None:
    found = provider("azuread", tmp_path)
    configured = {"display_name": "llm-dev", "prevent_duplicate_names": True}
    configured |= {"security_enabled": True} if kind == "azuread_group" else {}
    made = found.create(kind, **configured)
    assert found.plan(kind, made, **configured).problems == []
    ((_, said),) = found.plan(kind, **configured).problems
    assert f'An existing "{kind}" with name "llm-dev" (ID: "{made["object_id"]}") was found' in said
    known = recognize(f"Error: {said}", "cdktf.out/dev/stacks/identity", lambda _address: {})
    assert known is not None
    assert known.id == made["id"]
    assert found.plan(kind, **configured | {"prevent_duplicate_names": False}).problems == []


@pytest.mark.parametrize(
    ("kind", "configured", "words"),
    [
        (
            "azuread_application_federated_identity_credential",
            CREDENTIAL,
            "Request_MultipleObjectsWithSameKeyValue: FederatedIdentityCredential with the same name exists",
        ),
        ("azuread_service_principal_delegated_permission_grant", GRANT, "Permission entry already exists."),
        ("azuread_app_role_assignment", ASSIGNMENT, "Permission being assigned already exists on the object"),
        ("azuread_application_identifier_uri", URI, '/identifierUris/YXBpOi8vbGxt" already exists'),
    ],
)
def test_entra_says_it_in_its_own_words(tmp_path: Path, kind: str, configured: dict[str, Any], words: str) -> None:
    assert words in refused(tmp_path, "azuread", kind, configured)


def secret(folder: Path, recovers: bool | None) -> Any:
    """Return a provider whose vault had a secret that somebody deleted, asked for it again."""
    found = provider("azurerm", folder)
    configured = {"name": "password", "key_vault_id": VAULT, "value_wo": "old", "value_wo_version": 1}
    found.create("azurerm_key_vault_secret", **configured)
    (there,) = found.cloud.objects("azurerm_key_vault_secret")
    found.cloud.delete(there.key)
    features = [{"key_vault": [{"recover_soft_deleted_secrets": recovers}]}] if recovers is not None else []
    found.fake.configure({"features": features})
    return found, found.apply("azurerm_key_vault_secret", **{**configured, "value_wo": "new"})


def test_a_deleted_secrets_name_is_refused_unless_the_provider_recovers_it(tmp_path: Path) -> None:
    found, answer = secret(tmp_path, recovers=False)
    ((_, said),) = answer.problems
    assert "Secret password is currently in a deleted but recoverable state" in said
    assert "ObjectIsDeletedButRecoverable" in said
    assert found.cloud.secret(VAULT, "password")[1] == "old", "nothing was written over it"


@pytest.mark.parametrize("recovers", [True, None], ids=["recovers", "provider-default"])
def test_a_recovered_secret_gets_the_new_value(tmp_path: Path, recovers: bool | None) -> None:
    found, answer = secret(tmp_path, recovers=recovers)
    assert answer.problems == []
    assert found.cloud.secret(VAULT, "password")[1] == "new"
