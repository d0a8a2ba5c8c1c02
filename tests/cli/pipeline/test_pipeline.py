"""`llmctl pipeline`: identities with their rights, who may log in as them, and taking all of it away."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from scripts.cli.pipeline.arrangement import Arrangement, Options, SystemName, arrangement
from scripts.cli.pipeline.commands import carry_out
from scripts.core.azure import AzureError
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from scripts.pipeline.azure import AzureIdentities
from scripts.pipeline.azure_devops import AzureDevOps
from scripts.pipeline.github import GitHub
from scripts.pipeline.gitlab import GitLab
from scripts.pipeline.identities import (
    APPLY,
    ASSIGNED_ROLES,
    BACKUP_ACTIONS,
    BACKUP_DATA_ACTIONS,
    IMAGES,
    PLAN,
    actions_list,
    backup_actions_list,
    identities,
    table,
)
from scripts.pipeline.place import place_of
from stacks.settings import Settings, load_settings
from stacks.settings.azure import AzurermStateSettings, StateBackend, StateSettings
from stacks.settings.data import BackupSettings
from stacks.settings.off_hours import OffHoursSettings
from tests.support.backup.environment import Backed
from tests.support.pipeline.fakes import SUBSCRIPTION, TENANT, FakeAzure, FakeGithub, FakeGitlab

ROOT = Path(__file__).parents[3]
ON_SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION}"
ON_STATE = (
    f"{ON_SUBSCRIPTION}/resourceGroups/tfstate/providers/Microsoft.Storage/storageAccounts/tfstate0001"
    "/blobServices/default/containers/tfstate"
)
ASSIGNS = "User Access Administrator"
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"


def settings(**changes: Any) -> Settings:
    azurerm = AzurermStateSettings(resource_group="tfstate", storage_account="tfstate0001")
    found = load_settings("dev")
    return found.model_copy(
        update={
            "azure": found.azure.model_copy(update={"subscription_id": SUBSCRIPTION}),
            "state": StateSettings(backend=StateBackend.AZURERM, azurerm=azurerm),
            **changes,
        }
    )


REGISTRY = place_of(settings(), "github").names.container_registry
ON_REGISTRY = (
    f"{ON_SUBSCRIPTION}/resourceGroups/llm-dev-acr/providers/Microsoft.ContainerRegistry/registries/{REGISTRY}"
)
PLAN_ROLE = place_of(settings(), "github").plan_role


def arranged(
    azure: FakeAzure, system: Any, name: str = "github", of: Settings | None = None, *, backups: bool = False
) -> Arrangement:
    chosen = of or settings()
    found = AzureIdentities(
        place_of(chosen, name),
        identities(backups=backups or chosen.backups.scheduled, off_hours=backups or chosen.cluster.off_hours.enabled),
        {"purpose": "pipeline"},
        azure.ask,
        azure.ask_list,
        azure.tell,
    )
    return Arrangement(chosen, found, system, lambda: TENANT)


def run(found: Arrangement, *, dry_run: bool = False, as_json: bool = False, undo: bool = False) -> list[str]:
    steps = found.removal() if undo else found.steps()
    carry_out(found, steps, Consent("dev", yes=True), dry_run=dry_run, as_json=as_json, undo=undo)
    return [step.text for step in steps]


def github(service: FakeGithub, *reviewers: str) -> GitHub:
    return GitHub("o/r", "dev", reviewers, service.ask)


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


def _condition(azure: FakeAzure) -> list[str]:
    return [item.get("condition", "") for item in azure.assignments if item["roleDefinitionName"] == ASSIGNS]


def test_whoever_applies_may_assign_the_platform_s_roles_and_no_other() -> None:
    azure = FakeAzure(registries=[REGISTRY])
    run(arranged(azure, github(FakeGithub())))
    (condition,) = _condition(azure)
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
    (condition,) = _condition(azure)
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


SCHEDULED = BackupSettings(scheduled=True)
BACKUP_ROLE = place_of(settings(), "github").backup_role


def test_an_identity_that_backs_up_comes_with_the_schedule_and_deletes_nothing() -> None:
    azure, service = FakeAzure(registries=[REGISTRY]), FakeGithub()
    run(arranged(azure, github(service)))
    assert "llm-dev-github-backup" not in azure.identities
    assert BACKUP_ROLE not in azure.definitions

    azure.groups |= {"llm-dev-disks", "llm-dev-disks-backup-sets", "llm-dev-database"}
    run(arranged(azure, github(service, "anna"), of=settings(backups=SCHEDULED)))
    assert azure.roles("llm-dev-github-backup") == {
        ("Reader", ON_SUBSCRIPTION),
        ("Storage Blob Data Reader", ON_STATE),
        (BACKUP_ROLE, f"{ON_SUBSCRIPTION}/resourceGroups/llm-dev-disks"),
        (BACKUP_ROLE, f"{ON_SUBSCRIPTION}/resourceGroups/llm-dev-disks-backup-sets"),
        (BACKUP_ROLE, f"{ON_SUBSCRIPTION}/resourceGroups/llm-dev-database"),
    }
    role = azure.definitions[BACKUP_ROLE]
    actions = [*role["Actions"], *role["DataActions"]]
    # The one Job that tells the monitoring of the newest set is made anew each time.
    assert [one for one in actions if "delete" in one] == [
        "Microsoft.ContainerService/managedClusters/batch/jobs/delete"
    ]
    secrets = [one for one in actions if "secret" in one.lower()]
    assert secrets == ["Microsoft.KeyVault/vaults/secrets/readMetadata/action"]
    assert not [one for one in actions if "*" in one]
    assert azure.credentials["llm-dev-github-backup"] == {
        "github-dev-backup": (GITHUB_ISSUER, "repo:o/r:environment:dev-backup")
    }
    made = service.environments["dev-backup"]
    assert (made.get("reviewers"), service.branches["dev-backup"]) == (None, ["main"])
    assert service.variables["dev-backup"]["AZURE_CLIENT_ID"] == "client-of-llm-dev-github-backup"


def test_an_identity_that_stops_the_cluster_comes_with_the_schedule_and_does_nothing_else() -> None:
    azure, service = FakeAzure(registries=[REGISTRY]), FakeGithub()
    role = place_of(settings(), "github").off_hours_role
    run(arranged(azure, github(service)))
    assert "llm-dev-github-off-hours" not in azure.identities
    assert role not in azure.definitions

    working = settings().cluster.model_copy(update={"off_hours": OffHoursSettings(enabled=True)})
    found = arranged(azure, github(service, "anna"), of=settings(cluster=working))
    run(found)
    # Its role on the cluster is the stack's to give, which the bootstrap lets the pipeline do.
    assert azure.roles("llm-dev-github-off-hours") == {("Storage Blob Data Reader", ON_STATE)}
    assert (
        "write cluster.off_hours.pipeline_object_id: object-of-llm-dev-github-off-hours and deploy aks"
        in " | ".join(found.by_hand())
    )
    assert f"id-of-{role}" in _condition(azure)[0]
    assert azure.definitions[role]["DataActions"] == []
    assert azure.definitions[role]["Actions"] == [
        "Microsoft.ContainerService/managedClusters/read",
        "Microsoft.ContainerService/managedClusters/start/action",
        "Microsoft.ContainerService/managedClusters/stop/action",
    ]
    # It runs every half hour, and nobody is asked.
    assert service.environments["dev-off-hours"].get("reviewers") is None
    assert service.variables["dev-off-hours"]["AZURE_CLIENT_ID"] == "client-of-llm-dev-github-off-hours"
    assert "name dev in the repository's variable OFF_HOURS_ENVIRONMENTS, a JSON list" in found.by_hand()


def test_rights_on_what_is_not_deployed_wait_and_are_told() -> None:
    azure = FakeAzure(registries=[REGISTRY])
    found = arranged(azure, github(FakeGithub()), of=settings(backups=SCHEDULED))
    run(found)
    told = " | ".join(found.by_hand())
    place = "the group of the backup sets"
    assert f"{BACKUP_ROLE} of llm-dev-github-backup on {place}: deploy the stack disks, then run this" in told
    assert "backup sets name no Helm releases" in told


ON_CLUSTER = (
    f"{ON_SUBSCRIPTION}/resourceGroups/llm-dev-aks/providers/Microsoft.ContainerService/managedClusters/llm-dev-aks"
)


def test_the_right_on_the_cluster_is_the_stack_s_to_give_and_the_bootstrap_s_to_name_and_allow() -> None:
    azure = FakeAzure(registries=[REGISTRY])
    found = arranged(azure, github(FakeGithub()), of=settings(backups=SCHEDULED))
    run(found)
    assert (BACKUP_ROLE, ON_CLUSTER) not in azure.roles("llm-dev-github-backup")
    assert "write backups.pipeline_object_id: object-of-llm-dev-github-backup and deploy aks" in " | ".join(
        found.by_hand()
    )
    (condition,) = _condition(azure)
    assert condition.count(f"id-of-{BACKUP_ROLE}") >= 2, "whoever applies may give it"

    # As the stack gives it; a second run of the bootstrap leaves it there.
    azure.assignments.append({
        "id": "given", "principalId": "object-of-llm-dev-github-backup", "roleDefinitionName": BACKUP_ROLE,
        "scope": ON_CLUSTER,
    })  # fmt: skip
    named = BackupSettings.model_construct(scheduled=True, pipeline_object_id="object-of-llm-dev-github-backup")
    again = arranged(azure, github(FakeGithub()), of=settings(backups=named))
    assert [step for step in run(again) if "cluster" in step or "limit" in step] == []
    assert "pipeline_object_id" not in " | ".join(again.by_hand())


def test_a_pipeline_that_backs_up_from_now_on_lets_the_one_that_applies_give_its_role_at_once() -> None:
    azure = FakeAzure(registries=[REGISTRY])
    run(arranged(azure, github(FakeGithub())))
    (before,) = _condition(azure)
    assert BACKUP_ROLE not in before
    run(arranged(azure, github(FakeGithub()), of=settings(backups=SCHEDULED)))
    (after,) = _condition(azure)
    assert f"id-of-{BACKUP_ROLE}" in after


def test_every_command_of_a_backup_is_covered_by_its_own_role() -> None:
    """What a set is made with, as Azure counts it; a command that is new here needs its action there."""
    backed = Backed("backups: {copy_to_region: northeurope}\n")
    backed.making().run()
    azure = {
        ("snapshot", "create"): "Microsoft.Compute/snapshots/write",
        ("lock", "create"): "Microsoft.Authorization/locks/write",
        ("storage", "share-rm", "snapshot"): "Microsoft.Storage/storageAccounts/fileServices/shares/write",
        ("postgres", "flexible-server", "show"): "Reader",
        ("keyvault", "secret", "list"): "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ("keyvault", "secret", "list-versions"): "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ("storage", "blob", "list"): "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
        ("storage", "blob", "upload"): "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
    }
    used = {tuple(itertools.takewhile(lambda word: not word.startswith("--"), call)) for call in backed.azure.calls}
    assert used == azure.keys()
    assert set(azure.values()) - {"Reader"} <= {*BACKUP_ACTIONS, *BACKUP_DATA_ACTIONS}
    kubernetes = {
        ("get", "deployments"): "apps/deployments/read",
        ("get", "pods"): "pods/read",
        ("get", "configmaps"): "configmaps/read",
        ("patch", "deployment"): "apps/deployments/write",
        ("rollout", "status"): "apps/deployments/read",
        ("delete", "job"): "batch/jobs/delete",
        ("create", "-f"): "batch/jobs/write",
    }
    assert {call[:2] for call in backed.kubectl.calls} == kubernetes.keys()
    prefix = "Microsoft.ContainerService/managedClusters/"
    assert {f"{prefix}{action}" for action in kubernetes.values()} <= set(BACKUP_DATA_ACTIONS)


def test_a_second_bootstrap_changes_nothing() -> None:
    azure, service = FakeAzure(registries=[REGISTRY]), FakeGithub()
    first = run(arranged(azure, github(service)))
    assert "create identity llm-dev-github-plan" in first
    azure.lines.clear()
    service.writes.clear()
    assert run(arranged(azure, github(service))) == []
    assert (azure.writes, service.writes) == ([], [])


def test_a_dry_run_shows_what_is_granted_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    azure, service = FakeAzure(registries=[REGISTRY]), FakeGithub()
    run(arranged(azure, github(service)), dry_run=True)
    assert (azure.writes, service.writes) == ([], [])
    shown = capsys.readouterr().out
    assert "give llm-dev-github-apply User Access Administrator on the subscription: writes locks, policies" in shown
    assert "permit llm-dev-github-apply Application.ReadWrite.OwnedBy in the directory" in shown
    assert "let repo:o/r:environment:dev-plan log in as llm-dev-github-plan" in shown


def test_json_says_what_was_done_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    run(arranged(FakeAzure(), github(FakeGithub())), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["environment"], found["system"], found["done"]) == ("dev", "github", True)
    assert found["identities"]["plan"] == {
        "name": "llm-dev-github-plan",
        "client_id": "client-of-llm-dev-github-plan",
        "object_id": "object-of-llm-dev-github-plan",
    }
    by_hand = " | ".join(found["by_hand"])
    assert "name object-of-llm-dev-github-apply in operators.object_ids" in by_hand
    assert "AcrPush of llm-dev-github-images on the registry: deploy the stack acr, then run this again" in by_hand
    assert "require reviewers for environment dev-plan in GitHub" in by_hand
    assert "require reviewers for environment dev in GitHub" in by_hand


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
    ("answer", "prefix"),
    [
        ({"use_default": True}, "repo:o/r"),
        (
            {"use_default": True, "use_immutable_subject": True, "sub_claim_prefix": "repo:o@123456/r@456789"},
            "repo:o@123456/r@456789",
        ),
        ({"use_default": False, "include_claim_keys": ["repo", "context"]}, "repo:o/r"),
    ],
    ids=["named", "immutable", "default-keys"],
)
def test_github_says_what_its_tokens_begin_with(answer: dict[str, Any], prefix: str) -> None:
    azure = FakeAzure()
    run(arranged(azure, github(FakeGithub(subject=answer))))
    assert azure.credentials == {
        "llm-dev-github-plan": {"github-dev-plan": (GITHUB_ISSUER, f"{prefix}:environment:dev-plan")},
        "llm-dev-github-images": {"github-dev-images": (GITHUB_ISSUER, f"{prefix}:environment:dev-images")},
        "llm-dev-github-apply": {"github-dev": (GITHUB_ISSUER, f"{prefix}:environment:dev")},
    }


def test_a_repository_that_moved_gets_other_credentials_in_place_of_the_old_ones() -> None:
    azure, service = FakeAzure(), FakeGithub()
    run(arranged(azure, github(service)))
    service.subject = {"use_default": True, "sub_claim_prefix": "repo:o@1/r@2"}
    steps = run(arranged(azure, github(service)))
    assert steps[0] == "change repo:o@1/r@2:environment:dev-plan log in as llm-dev-github-plan"
    assert list(azure.credentials["llm-dev-github-plan"].values()) == [
        (GITHUB_ISSUER, "repo:o@1/r@2:environment:dev-plan")
    ]


def test_a_subject_that_nobody_can_tell_is_refused() -> None:
    service = FakeGithub(subject={"use_default": False, "include_claim_keys": ["repo", "actor"]})
    with pytest.raises(OperatorError, match="puts repo, actor into the subject") as refused:
        run(arranged(FakeAzure(), github(service)))
    assert refused.value.code is ExitCode.REFUSED


def test_github_environments_ask_reviewers_and_deploy_from_the_default_branch_alone() -> None:
    service = FakeGithub()
    found = arranged(FakeAzure(), github(service, "anna", "ben"))
    run(found)
    asked = {name: len(made.get("reviewers", [])) for name, made in service.environments.items()}
    assert asked == {"dev-plan": 2, "dev-images": 0, "dev": 2}
    assert service.branches == {"dev-images": ["main"], "dev": ["main"]}
    assert service.variables["dev-plan"] == {
        "AZURE_CLIENT_ID": "client-of-llm-dev-github-plan",
        "AZURE_TENANT_ID": TENANT,
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    }
    assert [line for line in found.by_hand() if "reviewers" in line] == []


def test_azure_devops_makes_the_subject_and_the_credential_follows() -> None:
    azure = FakeAzure(registries=[REGISTRY])
    system = AzureDevOps("acme", "LLM platform", "llm-dev", azure.ask, azure.tell)
    run(arranged(azure, system, "azure-devops"))
    assert [item["name"] for item in azure.connections] == ["llm-dev-plan", "llm-dev-images", "llm-dev-apply"]
    plan = azure.connections[0]
    assert plan["authorization"]["scheme"] == "WorkloadIdentityFederation"
    assert plan["authorization"]["parameters"]["serviceprincipalid"] == "client-of-llm-dev-azure-devops-plan"
    assert azure.credentials["llm-dev-azure-devops-plan"] == {
        "azure-devops-llm-dev-plan": (
            f"https://login.microsoftonline.com/{TENANT}/v2.0",
            "/eid1/c/pub/t/t/a/a/sc/org/00000000-0000-0000-0000-000000000001",
        )
    }
    azure.lines.clear()
    assert run(arranged(azure, system, "azure-devops")) == []
    assert azure.writes == []


def gitlab(service: FakeGitlab, **variables: str) -> GitLab:
    given = variables or {"GITLAB_TOKEN": "secret-of-gitlab"}
    return GitLab("g/p", "dev", "https://git.example.com", service.get, service.send, given)


def test_on_gitlab_only_protected_branches_apply(capsys: pytest.CaptureFixture[str]) -> None:
    azure, service = FakeAzure(), FakeGitlab()
    run(arranged(azure, gitlab(service), "gitlab"))
    issuer, subject = "https://git.example.com", "project_path:g/p:ref_protected:"
    assert set(azure.credentials["llm-dev-gitlab-plan"].values()) == {
        (issuer, f"{subject}true"),
        (issuer, f"{subject}false"),
    }
    for purpose in ("images", "apply"):
        assert set(azure.credentials[f"llm-dev-gitlab-{purpose}"].values()) == {(issuer, f"{subject}true")}
    assert service.project["ci_id_token_sub_claim_components"] == ["project_path", "ref_protected"]
    assert service.variables["ARM_CLIENT_ID", "dev-plan"] == "client-of-llm-dev-gitlab-plan"
    assert service.variables["ARM_CLIENT_ID", "dev"] == "client-of-llm-dev-gitlab-apply"
    service.writes.clear()
    assert run(arranged(azure, gitlab(service), "gitlab")) == []
    assert service.writes == []
    assert service.tokens == {"secret-of-gitlab"}
    assert "secret-of-gitlab" not in "".join(capsys.readouterr())


def test_gitlab_without_a_token_says_which() -> None:
    with pytest.raises(OperatorError, match="GITLAB_TOKEN is not set") as refused:
        run(arranged(FakeAzure(), gitlab(FakeGitlab(), OTHER="x"), "gitlab"))
    assert refused.value.code is ExitCode.NOT_READY


@pytest.mark.parametrize("name", ["github", "azure-devops", "gitlab"])
def test_removal_leaves_nothing_of_the_identities(name: str) -> None:
    azure, service, project = FakeAzure(registries=[REGISTRY]), FakeGithub(), FakeGitlab()
    system = {
        "github": github(service),
        "azure-devops": AzureDevOps("acme", "p", "llm-dev", azure.ask, azure.tell),
        "gitlab": gitlab(project),
    }[name]
    run(arranged(azure, system, name, backups=True))
    assert f"llm-dev-{name}-backup" in azure.identities
    run(arranged(azure, system, name, backups=True), undo=True)
    assert (azure.groups, azure.identities, azure.assignments, azure.definitions) == (set(), {}, [], {})
    assert azure.connections == []
    left = [values for values in service.variables.values() if "AZURE_CLIENT_ID" in values]
    assert left == []
    assert [key for key, _ in project.variables if key == "ARM_CLIENT_ID"] == []
    assert run(arranged(azure, system, name, backups=True), undo=True) == []


def test_removing_one_system_leaves_the_other() -> None:
    azure, service, project = FakeAzure(registries=[REGISTRY]), FakeGithub(), FakeGitlab()
    run(arranged(azure, github(service)))
    run(arranged(azure, gitlab(project), "gitlab"))
    before = azure.roles("llm-dev-gitlab-plan")
    run(arranged(azure, github(service)), undo=True)
    assert set(azure.identities) == {f"llm-dev-gitlab-{purpose}" for purpose in ("plan", "images", "apply")}
    assert azure.roles("llm-dev-gitlab-plan") == before
    assert PLAN_ROLE in azure.definitions


def test_a_state_that_no_pipeline_reaches_is_refused() -> None:
    with pytest.raises(OperatorError, match="keeps its state in this checkout"):
        arrangement(load_settings("dev"), SystemName.GITHUB, Options(repository="o/r"))


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        (SystemName.GITHUB, "--repository OWNER/NAME"),
        (SystemName.AZURE_DEVOPS, "--organization NAME"),
        (SystemName.GITLAB, "--project GROUP/PROJECT"),
    ],
)
def test_a_system_asks_for_its_project(name: SystemName, missing: str) -> None:
    with pytest.raises(OperatorError, match=missing):
        arrangement(settings(), name, Options())


@pytest.mark.parametrize(
    ("mark", "text"),
    [("table", table()), ("plan actions", actions_list()), ("backup actions", backup_actions_list())],
)
def test_the_page_prints_what_the_identities_may(mark: str, text: str) -> None:
    page = (ROOT / "docs" / "reference" / "permissions.md").read_text("utf-8")
    assert f"<!-- scripts/pipeline/identities.py: {mark} -->\n{text}<!-- end -->" in page
