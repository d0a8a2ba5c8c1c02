"""What one environment needs in HCP Terraform, from its settings alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.core.tiers import DISPOSABLE, DURABLE
from scripts.pipeline.identities import Purpose
from scripts.pipeline.place import Credential, Place, place_of
from stacks.common.azure_names import AzureNames
from stacks.settings import Settings
from stacks.settings.azure import HcpExecution, HcpStateSettings
from stacks.settings.cluster import ReleaseRecords

DEFAULT_PROJECT = "Default Project"
"""The project that every organization begins with."""

PHASES = (Purpose.PLAN, Purpose.APPLY)
"""Each phase of a run has an identity of its own:
https://developer.hashicorp.com/terraform/cloud-docs/dynamic-provider-credentials/azure-configuration."""


@dataclass(frozen=True)
class DesiredWorkspace:
    """Workspace of one stack."""

    name: str
    attributes: dict[str, Any]
    """Attributes as the API names them, without the agent pool."""
    tags: dict[str, str]
    consumers: tuple[str, ...]
    """Workspaces whose runs may read this one's outputs."""
    triggered_by: tuple[str, ...]
    """Workspaces whose finished apply starts a run here."""
    not_triggered_by: tuple[str, ...]
    """Those whose apply did so by an earlier version of this, and does no more."""

    @property
    def on_agents(self) -> bool:
        """Whether your own agents run it."""
        return bool(self.attributes["execution-mode"] == "agent")


@dataclass(frozen=True)
class DesiredVariables:
    """One set of environment variables of runs; none of them is a secret."""

    name: str
    values: dict[str, str | Purpose]
    """Text, or whose client id it is."""
    workspaces: tuple[str, ...]
    obsolete: tuple[str, ...] = ()
    """Variables of an earlier version of this."""


@dataclass(frozen=True)
class DesiredEnvironment:
    """Everything one environment needs in HCP Terraform."""

    hostname: str
    organization: str
    project: str | None
    agent_pool: str | None
    workspaces: tuple[DesiredWorkspace, ...]
    variables: tuple[DesiredVariables, ...]
    teams: dict[str, str]
    place: Place
    """Where the identities of the runs are created."""
    clients: dict[Purpose, str | None]
    """Client id that the environment file names for each phase, None for one to be created; empty without a login."""
    credentials: dict[Purpose, tuple[Credential, ...]]
    """Who may log in as which identity: each phase of each workspace."""


def desired_environment(settings: Settings, reads: Mapping[str, frozenset[str]]) -> DesiredEnvironment:
    """Return what the environment needs; `reads` names for each stack those whose outputs it reads.

    Raises ValueError when the environment keeps its state elsewhere.
    """
    hcp = settings.state.hcp
    if hcp is None:
        raise ValueError(f"{settings.name} keeps no state in HCP Terraform")
    names = settings.azure_names
    workspaces = tuple(_workspace(hcp, names, stack, reads) for stack in reads)
    return DesiredEnvironment(
        hostname=hcp.hostname,
        organization=hcp.organization,
        project=hcp.project,
        agent_pool=hcp.agent_pool if any(workspace.on_agents for workspace in workspaces) else None,
        workspaces=workspaces,
        variables=_variables(settings.cluster.release_records, hcp, names, tuple(reads)),
        teams={team: access.value for team, access in hcp.teams.items()},
        place=place_of(settings, "hcp"),
        clients=_clients(hcp),
        credentials=_credentials(hcp, [workspace.name for workspace in workspaces]),
    )


def _workspace(
    hcp: HcpStateSettings, names: AzureNames, stack: str, reads: Mapping[str, frozenset[str]]
) -> DesiredWorkspace:
    if hcp.execution is HcpExecution.LOCAL:
        mode = "local"
    else:
        mode = "agent" if hcp.agent_pool and stack in hcp.agent_stacks else "remote"
    before = dict(zip(DISPOSABLE[1:], DISPOSABLE, strict=False)).get(stack)
    chain = (names.state_workspace(before),) if before else ()
    triggered = hcp.run_triggers and mode != "local"
    return DesiredWorkspace(
        name=names.state_workspace(stack),
        attributes={
            "execution-mode": mode,
            "terraform-version": hcp.terraform_version,
            "auto-apply": hcp.auto_apply,
            # `auto-apply` does not cover runs that another workspace's apply has started.
            "auto-apply-run-trigger": hcp.auto_apply and hcp.run_triggers,
            "allow-destroy-plan": stack not in DURABLE,
            # Outputs are shared with named workspaces, one by one.
            "global-remote-state": False,
        },
        tags={
            "platform": names.prefix,
            "environment": names.environment,
            "stack": stack,
            "tier": "durable" if stack in DURABLE else "disposable",
        },
        consumers=tuple(names.state_workspace(other) for other, read in reads.items() if stack in read),
        triggered_by=chain if triggered else (),
        not_triggered_by=() if triggered else chain,
    )


def _clients(hcp: HcpStateSettings) -> dict[Purpose, str | None]:
    if hcp.azure is None or hcp.execution is HcpExecution.LOCAL:
        return {}
    return {Purpose.PLAN: hcp.azure.plan_client_id, Purpose.APPLY: hcp.azure.client_id}


def _variables(
    records: ReleaseRecords, hcp: HcpStateSettings, names: AzureNames, stacks: tuple[str, ...]
) -> tuple[DesiredVariables, ...]:
    if hcp.azure is None or hcp.execution is HcpExecution.LOCAL:
        return ()
    unread = {"database", *(("platform",) if records is ReleaseRecords.SECRETS else ())}
    return (
        DesiredVariables(
            f"{names.base}-azure",
            {
                "TFC_AZURE_PROVIDER_AUTH": "true",
                "TFC_AZURE_PLAN_CLIENT_ID": Purpose.PLAN,
                "TFC_AZURE_APPLY_CLIENT_ID": Purpose.APPLY,
                "ARM_TENANT_ID": hcp.azure.tenant_id,
                "ARM_SUBSCRIPTION_ID": names.subscription_id,
            },
            tuple(names.state_workspace(stack) for stack in stacks),
            # One identity for both phases: a plan could do all that an apply may.
            obsolete=("TFC_AZURE_RUN_CLIENT_ID",),
        ),
        # Their refresh would need secrets, which the plan's identity does not read (scripts/terraform/read_only.py).
        DesiredVariables(
            f"{names.base}-plan-from-state",
            {"TF_CLI_ARGS_plan": "-refresh=false"},
            tuple(names.state_workspace(stack) for stack in stacks if stack in unread),
        ),
    )


def _credentials(hcp: HcpStateSettings, workspaces: list[str]) -> dict[Purpose, tuple[Credential, ...]]:
    if hcp.azure is None or hcp.execution is HcpExecution.LOCAL:
        return {}
    organization, project = hcp.organization, hcp.project or DEFAULT_PROJECT
    return {
        phase: tuple(
            Credential(
                name=f"{workspace}-{phase}",
                issuer=f"https://{hcp.hostname}",
                subject=f"organization:{organization}:project:{project}:workspace:{workspace}:run_phase:{phase}",
            )
            for workspace in workspaces
        )
        for phase in PHASES
    }
