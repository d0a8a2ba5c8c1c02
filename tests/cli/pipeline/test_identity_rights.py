"""The rights of each identity of a pipeline, given and corrected."""

from pathlib import Path

import pytest

from scripts.core.azure import AzureError
from scripts.pipeline.identities import (
    APPLY,
    ASSIGNED_ROLES,
    IMAGES,
    PLAN,
    table,
)
from scripts.pipeline.own_roles import actions_list, backup_actions_list
from tests.support.pipeline.arranged import (
    ASSIGNS,
    ON_REGISTRY,
    ON_STATE,
    ON_SUBSCRIPTION,
    PLAN_ROLE,
    REGISTRY,
    arranged,
    condition_of_assigning,
    github,
    run,
    settings,
)
from tests.support.pipeline.fakes import FakeAzure, FakeGithub

ROOT = Path(__file__).parents[3]


def test_each_identity_gets_exactly_its_rights() -> None:
    azure = FakeAzure(registries=[REGISTRY])
    run(arranged(azure, github(FakeGithub())))
    assert azure.roles("llm-dev-github-plan") == {
        ("Reader", ON_SUBSCRIPTION),
        (PLAN_ROLE, ON_SUBSCRIPTION),
        ("Storage Blob Data Reader", ON_STATE),
        ("AcrPull", ON_REGISTRY),
    }
    assert azure.roles("llm-dev-github-images") == {
        ("AcrPush", ON_REGISTRY),
        ("Container Registry Data Importer and Data Reader", ON_REGISTRY),
        ("Reader", ON_REGISTRY),
    }
    assert azure.roles("llm-dev-github-apply") == {
        ("Contributor", ON_SUBSCRIPTION),
        ("User Access Administrator", ON_SUBSCRIPTION),
        ("Storage Blob Data Contributor", ON_STATE),
        ("AcrPush", ON_REGISTRY),
        ("Container Registry Data Importer and Data Reader", ON_REGISTRY),
    }
    assert azure.granted("llm-dev-github-plan") == {
        "Application.Read.All",
        "DelegatedPermissionGrant.Read.All",
        "GroupMember.Read.All",
    }
    assert azure.granted("llm-dev-github-images") == set()
    assert azure.granted("llm-dev-github-apply") == {"Application.ReadWrite.OwnedBy"}


def test_whoever_applies_may_assign_the_platform_s_roles_and_no_other() -> None:
    azure = FakeAzure(registries=[REGISTRY])
    run(arranged(azure, github(FakeGithub())))
    (condition,) = condition_of_assigning(azure)
    for action in ("write", "delete"):
        assert f"ActionMatches{{'Microsoft.Authorization/roleAssignments/{action}'}}" in condition
    for role in ASSIGNED_ROLES:
        assert condition.count(f"id-of-{role}") >= 2
    assert "id-of-Owner" not in condition
    assert "id-of-User Access Administrator" not in condition
    assert [item for item in azure.assignments if item["roleDefinitionName"] != ASSIGNS and "condition" in item] == []


def test_an_assignment_from_before_is_limited_once() -> None:
    azure, service = FakeAzure(registries=[REGISTRY]), FakeGithub()
    run(arranged(azure, github(service)))
    for item in azure.assignments:
        item.pop("condition", None)
    said = run(arranged(azure, github(service)))
    assert said == ["limit the roles that llm-dev-github-apply may assign on the subscription to those of the platform"]
    (condition,) = condition_of_assigning(azure)
    assert "GuidEquals" in condition
    assert run(arranged(azure, github(service))) == []


def test_a_role_that_azure_does_not_know_stops_the_bootstrap() -> None:
    azure = FakeAzure(registries=[REGISTRY], built_in={*ASSIGNED_ROLES} - {"AcrPull"})
    with pytest.raises(AzureError, match="no built-in role AcrPull"):
        run(arranged(azure, github(FakeGithub())))


def test_without_an_identity_of_its_own_nobody_gets_a_right_in_the_directory() -> None:
    identity = settings().identity.model_copy(update={"manage": False})
    azure = FakeAzure(registries=[REGISTRY])
    run(arranged(azure, github(FakeGithub()), of=settings(identity=identity)))
    assert azure.permissions == {}


def test_the_plan_reads_no_secret_and_writes_nothing() -> None:
    azure = FakeAzure()
    run(arranged(azure, github(FakeGithub())))
    role = azure.definitions[PLAN_ROLE]
    assert role["Actions"] == ["Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"]
    assert role["AssignableScopes"] == [ON_SUBSCRIPTION]
    assert all(action.endswith("/read") for action in role["DataActions"])
    assert [action for action in role["DataActions"] if "secret" in action or "*" in action] == []
    names = {grant.role for grant in PLAN.grants}
    assert [name for name in names if "Vault" in name or "Contributor" in name or "Owner" in name] == []


def test_whoever_applies_may_write_locks_and_images_may_import() -> None:
    from scripts.preflight import rights

    roles = {grant.role for grant in APPLY.grants}
    needed = {role for _, role in rights.AZURE.values()} - {rights.SECRETS}
    assert needed <= roles
    assert "Container Registry Data Importer and Data Reader" in {grant.role for grant in IMAGES.grants} & roles


def test_rights_that_somebody_added_are_taken_and_those_of_the_stacks_stay() -> None:
    azure, service = FakeAzure(registries=[REGISTRY]), FakeGithub()
    run(arranged(azure, github(service)))
    vault = f"{ON_SUBSCRIPTION}/resourceGroups/llm-dev-database"
    for role, identity in (("Owner", "plan"), ("Key Vault Secrets Officer", "apply")):
        azure.assignments.append(
            {
                "id": f"by-hand-{role}",
                "principalId": f"object-of-llm-dev-github-{identity}",
                "roleDefinitionName": role,
                "scope": vault,
            }
        )
    assert run(arranged(azure, github(service))) == [f"take Owner on {vault.lower()} from llm-dev-github-plan"]
    assert ("Key Vault Secrets Officer", vault) in azure.roles("llm-dev-github-apply")


def test_a_role_that_reads_more_than_it_should_is_corrected() -> None:
    azure, service = FakeAzure(), FakeGithub()
    run(arranged(azure, github(service)))
    azure.definitions[PLAN_ROLE]["DataActions"].append("Microsoft.ContainerService/managedClusters/secrets/read")
    (step,) = run(arranged(azure, github(service)))
    assert step.startswith(f"change role {PLAN_ROLE}")
    assert not any("secrets" in action for action in azure.definitions[PLAN_ROLE]["DataActions"])


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("identities.py: table", table()),
        ("own_roles.py: plan actions", actions_list()),
        ("own_roles.py: backup actions", backup_actions_list()),
    ],
)
def test_the_page_prints_what_the_identities_may(mark: str, text: str) -> None:
    page = (ROOT / "docs" / "reference" / "permissions.md").read_text("utf-8")
    assert f"<!-- scripts/pipeline/{mark} -->\n{text}<!-- end -->" in page
