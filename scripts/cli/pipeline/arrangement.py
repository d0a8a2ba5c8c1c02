"""The two sides of one pipeline: its identities in Azure, and the system whose jobs log in as them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from scripts.core.azure import az
from scripts.core.errors import ExitCode, OperatorError
from scripts.pipeline.azure import AzureIdentities
from scripts.pipeline.azure_devops import AzureDevOps
from scripts.pipeline.github import GitHub
from scripts.pipeline.gitlab import GitLab
from scripts.pipeline.identities import Purpose, identities
from scripts.pipeline.place import Credential, place_of
from scripts.pipeline.steps import Step
from stacks.settings import Settings
from stacks.settings.cluster import ReleaseRecords


class SystemName(StrEnum):
    """A pipeline's system."""

    GITHUB = "github"
    AZURE_DEVOPS = "azure-devops"
    GITLAB = "gitlab"


class System(Protocol):
    """What every system answers and receives."""

    def credentials(self) -> dict[Purpose, tuple[Credential, ...]]:
        """Return what the tokens of its jobs say, as far as that is known."""

    def steps(self, azure: AzureIdentities, tenant_id: str) -> Iterator[Step]:
        """Yield what is missing or differs in the system."""

    def removal(self) -> Iterator[Step]:
        """Yield what takes it away again."""


@dataclass(frozen=True)
class Options:
    """Which repository or project it is."""

    repository: str | None = None
    reviewers: tuple[str, ...] = ()
    organization: str | None = None
    project: str | None = None
    url: str = "https://gitlab.com"


@dataclass
class Arrangement:
    """The two sides of one pipeline, and who is asked; tests hand over others."""

    settings: Settings
    azure: AzureIdentities
    system: System
    tenant: Callable[[], str]

    def steps(self) -> list[Step]:
        """Return what a bootstrap does, in order: the identities first, then the system that refers to them."""
        self.azure.read()
        return [*self.azure.steps(self.system.credentials()), *self.system.steps(self.azure, self.tenant())]

    def removal(self) -> list[Step]:
        """Return what a removal does: nobody logs in any more, then the identities go."""
        self.azure.read()
        return [*self.system.removal(), *self.azure.removal()]

    def by_hand(self) -> list[str]:
        """Return what the owner of the environment file and of the rules still has to do."""
        found = list(self.azure.waiting)
        apply = self.azure.principals.get(Purpose.APPLY)
        if apply and apply.object_id not in self.settings.operators.object_ids:
            found.append(
                f"name {apply.object_id} in operators.object_ids, beside your operators' group: the pipeline writes"
                " secrets and works in the cluster"
            )
        if self.settings.cluster.release_records is ReleaseRecords.SECRETS:
            found.append(
                "plans do not look at Helm releases, whose records are in Secrets; cluster.release_records: configmaps"
                " and `llmctl pipeline move-records` let them"
            )
        for purpose, (key, named) in self._given_by_stacks.items():
            principal = self.azure.principals.get(purpose)
            if purpose in self.azure.purposes and principal and principal.object_id != named:
                found.append(
                    f"write {key}: {principal.object_id} and deploy aks: that stack gives its role on the cluster,"
                    " which goes with the cluster, to each new one"
                )
        if Purpose.OFF_HOURS in self.azure.purposes and isinstance(self.system, GitHub):
            found.append(f"name {self.settings.name} in the repository's variable OFF_HOURS_ENVIRONMENTS, a JSON list")
        if Purpose.BACKUP in self.azure.purposes and self.settings.cluster.release_records is ReleaseRecords.SECRETS:
            found.append("backup sets name no Helm releases: their records are in Secrets, which backups do not read")
        if isinstance(self.system, GitHub):
            found += [f"require reviewers for environment {name} in GitHub" for name in self.system.unreviewed]
        if self.settings.identity.manage:
            found.append(
                "deploy the stack identity yourself and make the pipeline's apply identity an owner of its application"
                " (`az ad app owner add`): it may change what it owns, and grant no consent and no assignment"
            )
        return found

    @property
    def _given_by_stacks(self) -> dict[Purpose, tuple[str, str | None]]:
        """Key and value of the setting that names an identity for the stack `aks`, by purpose."""
        cluster = self.settings.cluster
        return {
            Purpose.BACKUP: ("backups.pipeline_object_id", self.settings.backups.pipeline_object_id),
            Purpose.OFF_HOURS: ("cluster.off_hours.pipeline_object_id", cluster.off_hours.pipeline_object_id),
        }


def arrangement(settings: Settings, name: SystemName, options: Options, *, removal: bool = False) -> Arrangement:
    """Return the two sides of an environment's pipeline. Raises OperatorError.

    The identities for backups and off-hours belong to it where they are scheduled, and in any case to its `removal`.
    """
    if not settings.state.azurerm and not settings.state.hcp:
        raise OperatorError(
            f"{settings.name} keeps its state in this checkout, which no pipeline reaches",
            "set state.backend to azurerm or hcp: docs/how-to/remote-runs.md",
            ExitCode.SETTINGS,
        )
    place = place_of(settings, name)
    tags = {"platform": settings.prefix, "environment": settings.name, "purpose": "pipeline"}
    asked = identities(
        backups=removal or settings.backups.scheduled, off_hours=removal or settings.cluster.off_hours.enabled
    )
    azure = AzureIdentities(place, asked, tags)
    return Arrangement(
        settings,
        azure,
        _system(name, settings.name, settings.prefix, options),
        lambda: str(az("account", "show")["tenantId"]),
    )


def _system(name: SystemName, environment: str, prefix: str, options: Options) -> System:
    match name:
        case SystemName.GITHUB:
            repository = _given(options.repository, "--repository OWNER/NAME")
            return GitHub(repository, environment, options.reviewers)
        case SystemName.AZURE_DEVOPS:
            organization = _given(options.organization, "--organization NAME")
            project = _given(options.project, "--project NAME")
            return AzureDevOps(organization, project, f"{prefix}-{environment}")
        case SystemName.GITLAB:
            return GitLab(_given(options.project, "--project GROUP/PROJECT"), environment, options.url.rstrip("/"))


def _given(value: str | None, option: str) -> str:
    if not value:
        raise OperatorError(f"{option} is missing", "add it", ExitCode.USAGE)
    return value
