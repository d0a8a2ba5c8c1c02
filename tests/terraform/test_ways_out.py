"""Each text that the real providers gave has its way out: the exact command, or what to do."""

from collections.abc import Mapping
from typing import Any

import pytest

from scripts.terraform.errors.diagnose import diagnose, errors
from scripts.terraform.existing import same_names

FOLDER = "cdktf.out/dev/stacks/aks"
PLACE = "\n\n  with {address},\n  on cdk.tf.json line 120, in resource:\n 120:       }}\n\n"
CONFIGURED: Mapping[str, Mapping[str, Any]] = {
    "azuread_application_federated_identity_credential.chat": {"display_name": "llm-dev-chat"},
    "kubernetes_job_v1.pull": {"metadata": {"name": "pull-phi3-5-1a2b", "namespace": "serving"}},
    "kubernetes_config_map_v1.scripts": {"metadata": {"name": "scripts", "namespace": "chat"}},
    "kubernetes_namespace_v1.chat": {"metadata": {"name": "chat"}},
    "helm_release.vllm": {"name": "vllm", "namespace": "serving"},
}


def fix(summary: str, address: str = "azurerm_role_assignment.pull-images", folder: str = FOLDER) -> str:
    output = f"\nError: {summary}{PLACE.format(address=address)}"
    (found,) = diagnose(output, folder, "`llmctl deploy dev`", lambda asked: CONFIGURED.get(asked, {}))
    return found.fix


# Real texts: azurerm 4.55.0, azuread 3.7.0, kubernetes 2.38.0 and helm 3.1.1 against a faked Azure and a real API
# server.
IMPORTS = {
    "role": (
        (
            "unexpected status 409 (409 Conflict) with error: RoleAssignmentExists: The role assignment already"
            " exists. The"
            " ID of the existing role assignment is 8a1b2c3d4e5f60718293a4b5c6d7e8f9."
        ),
        "azurerm_role_assignment.pull-images",
        (
            """terraform import azurerm_role_assignment.pull-images "$(az role assignment list --all --query """
            """"[?name=='8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'].id" --output tsv)")"""
        ),
    ),
    "credential": (
        (
            "Could not create federated identity credential: unexpected status 409 (409 Conflict) with error:"
            " Request_MultipleObjectsWithSameKeyValue: FederatedIdentityCredential with the same name exists"
        ),
        "azuread_application_federated_identity_credential.chat",
        (
            "  app=$(cd cdktf.out/dev/stacks/identity && terraform output -raw client_id)\n"
            "  object=$(az ad app show --id $app --query id --output tsv)\n"
            "  credential=$(az ad app federated-credential list --id $app --query \"[?name=='llm-dev-chat'].id\""
            " --output tsv)\n"
            "  (cd cdktf.out/dev/stacks/aks && terraform import azuread_application_federated_identity_credential.chat"
            ' "$object/federatedIdentityCredential/$credential")'
        ),
    ),
    "same-name": (
        (
            'An existing "azuread_group" with name "llm-dev users" (ID: "1f2e3d4c-0000-4000-8000-000000000001") was'
            " found and `prevent_duplicate_names` was specified. To be managed via Terraform, this resource needs to be"
            ' imported into the State. Please see the resource documentation for "azuread_group" for more information.'
        ),
        "azuread_group.access-group",
        "terraform import azuread_group.access-group /groups/1f2e3d4c-0000-4000-8000-000000000001)",
    ),
    "app-role": (
        (
            "Could not create app role assignment: unexpected status 400 (400 Bad Request) with error:"
            " Request_BadRequest: Permission being assigned already exists on the object"
        ),
        "azuread_app_role_assignment.login_users",
        "/servicePrincipals/$sp/appRoleAssignedTo/ASSIGNMENT",
    ),
    "job": (
        'Failed to create Job! API error: jobs.batch "pull-phi3-5-1a2b" already exists',
        "kubernetes_job_v1.pull",
        "  kubectl delete job pull-phi3-5-1a2b --namespace serving\nthen `llmctl deploy dev`",
    ),
    "config-map": (
        'configmaps "scripts" already exists',
        "kubernetes_config_map_v1.scripts",
        "terraform import kubernetes_config_map_v1.scripts chat/scripts)",
    ),
    "namespace": (
        'namespaces "chat" already exists',
        "kubernetes_namespace_v1.chat",
        "terraform import kubernetes_namespace_v1.chat chat)",
    ),
    "release": (
        "installation failed\n\ncannot re-use a name that is still in use",
        "helm_release.vllm",
        "terraform import helm_release.vllm serving/vllm)",
    ),
}


@pytest.mark.parametrize("kind", IMPORTS)
def test_what_is_there_already_comes_with_the_exact_command(kind: str) -> None:
    summary, address, command = IMPORTS[kind]
    assert command in fix(summary, address)
    assert "it exists already" in fix(summary, address)


def test_a_consent_that_an_administrator_gave_before_is_taken_over() -> None:
    summary = (
        "Could not create delegated permission grant: unexpected status 409 (409 Conflict) with error:"
        " Request_MultipleObjectsWithSameKeyValue: Permission entry already exists."
    )
    grant = "azuread_service_principal_delegated_permission_grant.login_consent"
    said = fix(summary, grant, "cdktf.out/dev/stacks/identity")
    assert "app=$(cd cdktf.out/dev/stacks/identity && terraform output -raw client_id)" in said
    assert (
        "grant=$(az rest --method GET --url \"https://graph.microsoft.com/v1.0/servicePrincipals(appId='$app')"
        '/oauth2PermissionGrants" --query "value[?consentType==\'AllPrincipals\'].id | [0]" --output tsv)'
    ) in said
    assert f'terraform import {grant} "/oauth2PermissionGrants/$grant")' in said


def test_what_cannot_be_planned_while_it_is_in_no_state_is_named_with_its_import_id() -> None:
    summary, address, _ = IMPORTS["same-name"]
    application = summary.replace("azuread_group", "azuread_application").replace('"1f2e', '"/applications/1f2e')
    output = "".join(
        f"\n│ Error: {text}{PLACE.format(address=where).replace(chr(10), chr(10) + '│')}"
        for text, where in ((summary, address), (application, "azuread_application.login"), ("something else", "a.b"))
    )
    assert same_names(output) == {
        "azuread_group.access-group": "/groups/1f2e3d4c-0000-4000-8000-000000000001",
        "azuread_application.login": "/applications/1f2e3d4c-0000-4000-8000-000000000001",
    }


WAYS = {
    "lost-answer": (
        "creating Public IP: performing CreateOrUpdate: Put: HTTP response was nil; connection may have been reset",
        ["may have been made", "`llmctl deploy dev` goes on", "the command that takes it over"],
    ),
    "pending-release": (
        "another operation (install/upgrade/rollback) is in progress",
        ["llmctl state unlock-release ENV", "last deployed revision", "`llmctl deploy dev`"],
    ),
    "no-machine": ("creating Agent Pool: AllocationFailed: Allocation failed.", ["wait", "another vm_size"]),
    "role-on-its-way": (
        (
            "unexpected status 403 (403 Forbidden) with error: Forbidden: Caller is not authorized to perform action on"
            " resource.\nInner error: ForbiddenByRbac"
        ),
        ["takes up to ten minutes", "wait, then `llmctl deploy dev`", "operators.object_ids"],
    ),
    "zones": (
        (
            "creating Agent Pool: unexpected status 400 (400 Bad Request) with error: AvailabilityZoneNotSupported:"
            " Preflight validation check for resource(s) for container service llm-dev in resource group"
            " llm-dev-aks failed."
            " Message: The zone(s) '1' for resource 't4' is not supported. The supported zones for location"
            " 'westeurope' are"
            " '2','3'. Details:"
        ),
        ["cluster.gpu_pools.t4.zones: [2, 3]"],
    ),
    "zones-nowhere": (
        (
            "AvailabilityZoneNotSupported: The zone(s) '2' for resource 'workload' is not supported. The supported"
            " zones for"
            " location 'centralus' are ''"
        ),
        ["cluster.workload_pool.vm_size"],
    ),
    "backup-before-its-role": (
        (
            'waiting for BackupInstance("Backup Instance: (Name \\"mysql\\")") policy protection to be completed:'
            " unexpected"
            " state 'ProtectionError', wanted target 'ProtectionConfigured'. last error: %!s(<nil>)"
        ),
        ["az dataprotection backup-instance delete", "wait ten minutes", "outside the state"],
    ),
    "lone-owner": (
        (
            'Creating group "llm-dev users": unexpected status 400 (400 Bad Request) with error:'
            " Request_BadRequest: Request"
            " contains a property with duplicate values."
        ),
        ["identity.access_group_owner_ids", "identity.access_group_object_id", "Groups Administrator"],
    ),
    "no-right-to-consent": (
        (
            "Could not create delegated permission grant: unexpected status 403 (403 Forbidden) with error:"
            " Authorization_RequestDenied: Insufficient privileges to complete the operation."
        ),
        ["identity.admin_consent: false", "prints the link"],
    ),
    "no-right-in-the-directory": (
        (
            'Creating group "llm-dev users": unexpected status 403 (403 Forbidden) with error:'
            " Authorization_RequestDenied:"
            " Insufficient privileges to complete the operation."
        ),
        ["docs/reference/permissions.md"],
    ),
    "deleted-secret": (
        (
            "keyvault.BaseClient#SetSecret: Failure responding to request: StatusCode=409 -- Original Error:"
            " autorest/azure:"
            ' Service returned an error. Status=409 Code="Conflict" Message="Secret database-chat-password is'
            " currently in a"
            " deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be"
            " recovered"
            ' or purged." InnerError={"code":"ObjectIsDeletedButRecoverable"}'
        ),
        ["az keyvault secret recover --name database-chat-password --vault-name VAULT", "docs/how-to/secrets.md"],
    ),
    "no-consent": ("AADSTS65001: The user or administrator has not consented", ["consent", "docs/how-to/login.md"]),
}


@pytest.mark.parametrize("kind", WAYS)
def test_a_real_text_is_answered_with_its_way_out(kind: str) -> None:
    summary, advice = WAYS[kind]
    said = fix(summary)
    assert [part for part in advice if part not in said] == []


def test_an_error_whose_detail_repeats_its_summary_is_shown_once() -> None:
    text = 'a resource with the ID "/x" already exists - to be managed via Terraform'
    place = PLACE.format(address="azurerm_public_ip.it")
    (shown,) = errors(f"\nError: {text}{place}{text}\n")
    assert shown.count("already exists") == 1
    assert "azurerm_public_ip.it" in shown
    (kept,) = errors(f"\nError: {text}{place}The status was 409.\n")
    assert kept.endswith("The status was 409.")
