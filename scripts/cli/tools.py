"""What commands reach the outside with: the terminal, Terraform, the cluster. Tests hand over others as `obj`."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from scripts.applications.adoption.directory import logins
from scripts.applications.ingress import Ingress, ingress_of
from scripts.applications.tailscale.api import Tailnet, connected
from scripts.azure.cli import Cli
from scripts.azure.resources import Azure
from scripts.cluster.api import ClusterApi
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pod_program import PodProgram, in_pod
from scripts.cluster.power import Power, power_of
from scripts.cluster.reach.through import api_of
from scripts.core.console import TERMINAL, Terminal
from scripts.core.targets import load_environment
from scripts.core.workspace import ROOT, Workspace
from scripts.deployment import login_consent
from scripts.deployment.first_deployment import Preflight
from scripts.deployment.image_step import IMAGES, ImageStep
from scripts.deployment.login_consent import LoginConsent
from scripts.deployment.shared_images import rollout
from scripts.images.registry.client import Registry
from scripts.opik.migrations import Changelogs, changelogs
from scripts.preflight.run import Report, Told
from scripts.terraform.deployed.groups import Groups, resource_groups
from scripts.terraform.deployed.record import deployed_states
from scripts.terraform.outputs import kubectl_of, outputs_of
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from stacks.platform.common.images import login_server
from stacks.settings import Settings


def _preflight(settings: Settings, stacks: Collection[str], told: Told, *, undeployed: Collection[str]) -> Report:
    # Azure's library takes a fifth of a second, which no other command waits for.
    from scripts.preflight.real import preflight  # noqa: PLC0415

    return preflight(settings, stacks, told, undeployed=undeployed)


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The outside of one invocation."""

    terminal: Terminal = TERMINAL
    checkout: Path = ROOT
    """The checkout that commands work in."""
    load: Callable[[str], Settings] = load_environment
    """Reads the settings of an environment."""
    workspace: Callable[[str], Workspace] = Workspace
    """Gives the folders of an environment."""
    rollout: Callable[[Job], AbstractContextManager[Rollout]] = rollout
    """Begins a run of Terraform over the stacks of an environment."""
    outputs_of: Callable[..., dict[str, dict[str, Any]]] = outputs_of
    """Reads the outputs of stacks: environment, then names."""
    states_of: Callable[[Settings, Workspace], Mapping[str, Any]] = deployed_states
    """Reads the states of the stacks that are deployed."""
    registry_of: Callable[[Settings], Registry] = lambda settings: Registry.connect(login_server(settings.azure_names))
    """Gives the environment's registry."""
    kubectl_of: Callable[[str], Kubectl] = kubectl_of
    """Gives kubectl for the cluster of an environment."""
    in_pod: Callable[[Kubectl, str, str, str], PodProgram] = in_pod
    """Gives what runs programs in a container: cluster, namespace, workload, container."""
    cluster_of: Callable[[Kubectl], ClusterApi] = api_of
    """Gives the API of a cluster that kubectl knows."""
    power_of: Callable[[str, Mapping[str, Any]], Power] = power_of
    """Gives what stops and starts a cluster: subscription, outputs of the stack `aks`."""
    ingress_of: Callable[[Settings], Ingress] = ingress_of
    """Says how the ingress of an environment is reached."""
    entra_logins: Callable[[Sequence[str]], Mapping[str, str]] = logins
    """Gives the object ids of accounts in Entra, by e-mail address."""
    images: ImageStep = IMAGES
    """What a deployment does about images."""
    changelogs: Changelogs = changelogs
    """Gives the schema migrations that a release of Opik brings."""
    patience_s: float = 900.0
    """How long commands wait for an application to become healthy, in seconds."""
    azure_of: Callable[[str], Azure] = lambda subscription: Azure(Cli(subscription=subscription))
    """Gives the resources of a subscription that Terraform does not know."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Tells the time."""
    preflight: Preflight = _preflight
    """Checks what stacks need before anything is created."""
    consent_of: Callable[[str], LoginConsent] = login_consent.look
    """Asks Entra for the admin consent to an application."""
    tailnet_of: Callable[[str], Tailnet] = lambda name: connected(name, os.environ)
    """Gives the split DNS of a tailnet, with the login of the environment's variables."""
    resource_groups: Groups = resource_groups
    """Gives the names of the resource groups in a subscription."""


def tools_of(context: typer.Context) -> Tools:
    """Return what the invocation was given, the real ones where it was given nothing."""
    return context.find_object(Tools) or Tools()
