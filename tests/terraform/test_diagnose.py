"""Terraform's errors, recognized and answered with what to do."""

import pytest

from scripts.terraform.errors.diagnose import MISSING_STATE, REINIT, diagnose, errors, existing

EXISTS = """azurerm_resource_group.resource-group: Creating...

Error: A resource with the ID "/subscriptions/0000/resourceGroups/llm-dev-aks" already exists - \
to be managed via Terraform this resource needs to be imported into the State. Please see the resource documentation \
for "azurerm_resource_group" for more information.

  with azurerm_resource_group.resource-group,
  on cdk.tf.json line 120, in resource.azurerm_resource_group.resource-group:
 120:       }

"""

WRAPPED = """╷
│ Error: a resource with the ID
│ "/subscriptions/0000/blob (1)" already exists - to be managed via Terraform
│ this resource needs to be imported into the State.
│
│   with module.a.azurerm_storage_container.it["x"],
│   on cdk.tf.json line 120
│
╵
"""

LOCKED = """
Error: Error acquiring the state lock

Error message: state blob is already locked
Lock Info:
  ID:        3c2f1f44-7a05-9fd9-f7dd-5f18fd7a8c11
  Path:      ../../../../state/dev/aks.tfstate
  Operation: OperationTypePlan
  Who:       operator@laptop
  Version:   1.11.4
  Created:   2026-11-21 10:00:00 UTC
"""


def fix(output: str) -> str:
    found = diagnose(output, "cdktf.out/dev/stacks/aks", "`llmctl deploy dev`")
    assert len(found) == 1
    return found[0].fix


def test_what_exists_already_is_answered_with_the_exact_import_command() -> None:
    assert (
        "(cd cdktf.out/dev/stacks/aks && terraform import azurerm_resource_group.resource-group "
        "/subscriptions/0000/resourceGroups/llm-dev-aks)\nthen `llmctl deploy dev`"
    ) in fix(EXISTS)


def test_a_damaged_lock_file_of_providers_is_removed_and_written_anew() -> None:
    said = "Error: failed to read dependency lock file: 3 problems:\n\n- Invalid character encoding: All input files\n"
    assert fix(said) == (
        "the file is damaged; `rm cdktf.out/dev/stacks/aks/.terraform.lock.hcl`, then `llmctl deploy dev`, which writes"
        " it anew"
    )


def test_the_import_command_survives_frames_line_breaks_and_special_characters() -> None:
    assert ("""terraform import 'module.a.azurerm_storage_container.it["x"]' '/subscriptions/0000/blob (1)')""") in fix(
        WRAPPED
    )


def test_a_lock_is_explained_with_its_holder_and_how_to_break_it() -> None:
    answer = fix(LOCKED)
    assert "operator@laptop" in answer
    assert "2026-11-21 10:00:00 UTC" in answer
    assert "`llmctl state unlock dev aks 3c2f1f44-7a05-9fd9-f7dd-5f18fd7a8c11`, then `llmctl deploy dev`" in answer


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("Error: Instance cannot be destroyed\n\n  on cdk.tf.json line 3", "protected on purpose"),
        (
            "Error: Unable to find remote state\n\n  with data.terraform_remote_state.aks-state,",
            "has not been deployed",
        ),
        ("Error: building account: could not acquire access token to parse claims", "az login"),
        ("Error: unable to build authorizer for Resource Manager API: Please run 'az login'", "az login"),
        ("Error: creating: unexpected status 403 (403 Forbidden) with error: AuthorizationFailed", "lacks a role"),
        (
            "Error: unexpected status 403 (403 Forbidden): Public network access: ForbiddenByConnection",
            "docs/how-to/private-environment.md",
        ),
        (
            'Error: parsing VMID "/providers/Microsoft.Compute/virtualMachineScaleSets/v/virtualMachines/2"',
            "stop the pods that use it",
        ),
        ("Error: 403 Forbidden: Client address is not authorized. ForbiddenByFirewall", "vault.extra_allowed_ranges"),
        ("Error: unexpected status 403 (403 Forbidden): ForbiddenByRbac: Caller is not", "operators.object_ids"),
        (
            "Error: unexpected status 403 (403 Forbidden): RequestDisallowedByPolicy: keep-database",
            "docs/how-to/delete-an-environment.md",
        ),
        (
            "Error: unexpected status 409 (409 Conflict) with error: ScopeLocked: The scope cannot",
            "docs/how-to/delete-an-environment.md",
        ),
        ("Error: creating Lock: unexpected status 403 with error: AuthorizationFailed", "User Access Administrator"),
        ("Error: OperationNotAllowed: exceeding approved standardNCASv3_T4Family Cores quota", "raise the quota"),
        ("Error: unexpected status 429 (429 Too Many Requests)", "wait a minute"),
        ("Error: Failed to query available provider packages", "check the network"),
        ("Error: Backend configuration changed", "terraform init -migrate-state"),
    ],
)
def test_common_errors_are_answered(message: str, advice: str) -> None:
    assert advice in fix(message)


def test_an_unknown_error_is_shown_without_advice() -> None:
    assert [(found.text, found.fix) for found in diagnose("Error: new\n\ndetail\n", "f", "r")] == [
        ("Error: new\n\ndetail", "")
    ]


def test_errors_are_told_apart_and_warnings_left_out() -> None:
    output = "text\n\nError: one\n\ndetail\n\nWarning: mind\n\ndetail\n\nError: two\n"
    assert errors(output) == ["Error: one\n\ndetail", "Error: two"]


@pytest.mark.parametrize(
    "message",
    [
        'Error: Backend initialization required, please run "terraform init"',
        "Error: Inconsistent dependency lock file",
        "Error: Required plugins are not installed",
    ],
)
def test_a_folder_that_has_to_be_initialized_again_is_recognized(message: str) -> None:
    assert REINIT.search(message)


def test_a_changed_backend_is_never_initialized_away() -> None:
    assert not REINIT.search("Error: Backend configuration changed\n\nA change in the backend configuration")


@pytest.mark.parametrize(
    "message",
    [
        "Error: Unable to find remote state\n\n  with data.terraform_remote_state.network-state",
        (
            "Error: Unsupported attribute\n\n  on cdk.tf.json line 9, in resource.x.y:\n  9: "
            '"${data.terraform_remote_state.network-state.outputs.vnet_id}"\n\n'
            'This object does not have an attribute named "vnet_id".'
        ),
    ],
)
def test_a_stack_that_was_not_deployed_yet_is_recognized(message: str) -> None:
    assert MISSING_STATE.search(message)


def test_another_unsupported_attribute_is_a_real_error() -> None:
    assert not MISSING_STATE.search("Error: Unsupported attribute\n\n  on cdk.tf.json line 9, in resource.x.y:\n\nThis")


def test_what_exists_already_is_told_with_its_address() -> None:
    assert existing(EXISTS + WRAPPED) == {
        "azurerm_resource_group.resource-group": "/subscriptions/0000/resourceGroups/llm-dev-aks",
        'module.a.azurerm_storage_container.it["x"]': "/subscriptions/0000/blob (1)",
    }
    assert existing("Error: something else\n\n  with azurerm_subnet.nodes,\n") == {}
