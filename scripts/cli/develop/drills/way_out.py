"""What an operator types, done on the environment of a stage."""

from collections.abc import Collection

from scripts.cli.state.adopting import adopt as state_adopt
from scripts.cli.tools import Tools
from scripts.core.consent import Consent
from scripts.lab.drills.stage import Stage
from scripts.lab.rehearsal.lookups import found_in

from .still_cluster import StillCluster


def tools_on(stage: Stage, cluster: StillCluster | None = None) -> Tools:
    """Return the outside of commands: the stage's Terraform, folders and settings, and a cluster that does as told."""
    found = cluster or StillCluster()
    return Tools(
        load=lambda _environment: stage.settings,
        workspace=lambda _environment: stage.rehearsal.workspace,
        rollout=stage.rollout,
        outputs_of=lambda _environment, *stacks: {stack: stage.rehearsal.outputs(stack) for stack in stacks},
        kubectl_of=lambda _environment: found,
    )


def adopt(stage: Stage, stack: str) -> Collection[str]:
    """Do `llmctl state adopt ENV STACK --yes`; return the addresses of what was imported. Raises OperatorError."""
    consent, cloud = Consent(stage.settings.name, yes=True), stage.cloud()
    try:
        found = state_adopt(
            stage.settings.name,
            stage.settings.azure,
            stack,
            tools_on(stage),
            consent,
            dry_run=False,
            find=found_in(cloud),
        )
    finally:
        cloud.close()
    return found.imported.keys()
