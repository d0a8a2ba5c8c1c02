"""The arrangement of identities for a fake Azure and fake systems, and carrying it out."""

from typing import Any

from scripts.cli.pipeline.arrangement import Arrangement
from scripts.cli.pipeline.commands import carry_out
from scripts.core.consent import Consent
from scripts.pipeline.azure import AzureIdentities
from scripts.pipeline.github import GitHub
from scripts.pipeline.gitlab import GitLab
from scripts.pipeline.identities import (
    identities,
)
from scripts.pipeline.place import place_of
from stacks.settings import Settings, load_settings
from stacks.settings.azure import AzurermStateSettings, StateBackend, StateSettings
from tests.support.pipeline.fakes import SUBSCRIPTION, TENANT, FakeAzure, FakeGithub, FakeGitlab

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


def condition_of_assigning(azure: FakeAzure) -> list[str]:
    return [item.get("condition", "") for item in azure.assignments if item["roleDefinitionName"] == ASSIGNS]


def gitlab(service: FakeGitlab, **variables: str) -> GitLab:
    given = variables or {"GITLAB_TOKEN": "secret-of-gitlab"}
    return GitLab("g/p", "dev", "https://git.example.com", service.get, service.send, given)
