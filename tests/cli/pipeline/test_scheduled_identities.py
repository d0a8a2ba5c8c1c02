"""Identities of what runs by a schedule: backups and the hours in which the cluster is stopped."""

import itertools

from scripts.pipeline.own_roles import BACKUP_ACTIONS, BACKUP_DATA_ACTIONS
from scripts.pipeline.place import place_of
from stacks.settings.data import BackupSettings
from stacks.settings.off_hours import OffHoursSettings
from tests.support.backup.environment import Backed
from tests.support.pipeline.arranged import (
    GITHUB_ISSUER,
    ON_STATE,
    ON_SUBSCRIPTION,
    REGISTRY,
    arranged,
    condition_of_assigning,
    github,
    run,
    settings,
)
from tests.support.pipeline.fakes import FakeAzure, FakeGithub

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
    assert f"id-of-{role}" in condition_of_assigning(azure)[0]
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
    (condition,) = condition_of_assigning(azure)
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
    (before,) = condition_of_assigning(azure)
    assert BACKUP_ROLE not in before
    run(arranged(azure, github(FakeGithub()), of=settings(backups=SCHEDULED)))
    (after,) = condition_of_assigning(azure)
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
