"""Permissions in Azure: whatever role is missing is named, at its scope, with the command that gives it."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.preflight.rights import RUN_COMMAND
from tests.support.preflight.azure_api import SCOPE
from tests.support.preflight.logins import ACCESS, CONTRIBUTOR, KEY, READER, ROLES_ALONE, Azure, sentences
from tests.support.preflight.surroundings import sound

# --- permissions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [[CONTRIBUTOR, ACCESS], [{"actions": ["*"], "notActions": None}]])
def test_who_has_the_rights_reads_nothing(given: list[Any], azure: Azure) -> None:
    azure[0].given("/permissions$", {"value": given})
    assert sentences("permissions", azure) == []


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (
            [CONTRIBUTOR],
            (
                "User Access Administrator on {scope} (Microsoft.Authorization/locks/write, "
                "Microsoft.Authorization/policyAssignments/write, Microsoft.Authorization/policyDefinitions/write and"
                " 1 more)"
            ),
        ),
        ([CONTRIBUTOR, ROLES_ALONE], "User Access Administrator on {scope} (Microsoft.Authorization/locks/write"),
        ([READER], "Contributor and User Access Administrator on {scope} ("),
        ([], "Contributor and User Access Administrator on {scope} ("),
    ],
)
def test_a_role_that_is_missing_is_named_with_the_command_that_gives_it(
    given: list[Any], missing: str, azure: Azure
) -> None:
    azure[0].given("/permissions$", {"value": given})
    (line,) = sentences("permissions", azure)
    assert line.startswith(f"failed: this login lacks {missing.format(scope=SCOPE)}")
    assert 'az role assignment create --assignee LOGIN --role "User Access Administrator" --scope' in line


def test_the_key_of_the_disks_is_a_scope_of_its_own(azure: Azure) -> None:
    azure[0].given(r"diskEncryptionSets/llm/providers/Microsoft.Authorization/permissions$", {"value": [READER]})
    own_key = sound(cluster={"disk_encryption_set_id": KEY})
    (line,) = sentences("permissions", azure, own_key)
    assert line == (
        "failed: this login lacks Microsoft.Authorization/roleAssignments/write on cluster.disk_encryption_set_id -> az"
        f' role assignment create --assignee LOGIN --role "User Access Administrator" --scope {KEY}'
    )
    assert sentences("permissions", azure, own_key, stacks=("disks",)) == [], "only the cluster's identity gets a role"


def test_a_key_that_does_not_exist(azure: Azure) -> None:
    gone = (404, {"error": {"code": "ResourceNotFound", "message": "x"}})
    azure[0].given(r"diskEncryptionSets/llm/providers/Microsoft.Authorization/permissions$", gone)
    (line,) = sentences("permissions", azure, sound(cluster={"disk_encryption_set_id": KEY}))
    assert line.startswith(f"failed: cluster.disk_encryption_set_id: there is no {KEY} ->")


INVOKE = {"cluster_access": "command-invoke"}
CLUSTER = "managedClusters/llm-dev-aks/providers/Microsoft.Authorization/permissions$"


def test_who_runs_commands_through_azure_needs_a_role_for_it(azure: Azure) -> None:
    azure[0].given(CLUSTER, {"value": [READER]})
    asking = sound(operators=INVOKE, cluster={"api_access": "private"})
    (line,) = sentences("permissions", azure, asking)
    assert "lacks Microsoft.ContainerService/managedClusters/runcommand/action on the cluster" in line
    assert line.endswith("docs/reference/permissions.md#commands-through-azure, and assign it on the cluster")
    azure[0].given(CLUSTER, {"value": [{"actions": list(RUN_COMMAND)}]})
    assert sentences("permissions", azure, asking) == []
    assert sentences("permissions", azure, sound(cluster={"api_access": "private"})) == []


def test_before_there_is_a_cluster_the_subscription_says_it(azure: Azure) -> None:
    azure[0].given(CLUSTER, (404, {"error": {"code": "ResourceNotFound", "message": "x"}}))
    assert sentences("permissions", azure, sound(operators=INVOKE, cluster={"api_access": "private"})) == []


def test_the_page_gives_exactly_what_the_command_asks() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "permissions.md").read_text("utf-8")
    role = json.loads(page.partition("<<'END'\n")[2].partition("END\n")[0])
    assert tuple(role["Actions"]) == RUN_COMMAND
    assert not {"NotActions", "DataActions"} & set(role)


STATE = {"backend": "azurerm", "azurerm": {"resource_group": "tf", "storage_account": "tfstate1"}}


def test_an_owner_without_data_actions_cannot_write_the_state(azure: Azure) -> None:
    azure[0].given("containers/tfstate/providers.*/permissions$", {"value": [{"actions": ["*"], "dataActions": []}]})
    (line,) = sentences("permissions", azure, sound(state=STATE))
    assert line.startswith("failed: this login lacks Storage Blob Data Contributor on the container of the state -> az")


def test_a_state_that_was_never_bootstrapped(azure: Azure) -> None:
    gone = (404, {"error": {"code": "ResourceNotFound", "message": "x"}})
    azure[0].given("containers/tfstate/providers.*/permissions$", gone)
    assert sentences("permissions", azure, sound(state=STATE)) == [
        "failed: the container of the state, tfstate1/tfstate, does not exist -> llmctl state bootstrap dev"
    ]
