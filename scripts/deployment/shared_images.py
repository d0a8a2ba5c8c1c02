"""The image lock that every checkout shares, brought from the registry before anything is planned."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import load_environment
from scripts.core.workspace import ROOT
from scripts.images.environment_images import EnvironmentImages
from scripts.terraform import prepare
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import TerraformError

REGISTRY, CLUSTER = "acr", "platform"

Images = Callable[[str], EnvironmentImages]
"""Gives the images of an environment."""


def rollout(job: Job) -> AbstractContextManager[Rollout]:
    """Begin a run over the chosen stacks, with the images that are locked for everybody. Raises OperatorError."""
    # A rehearsal has no registry: its folder is its own.
    here = job.workspace.base == ROOT
    needed = here and (not job.targets.stacks or CLUSTER in job.targets.stacks)
    return prepare.rollout(job, bring_lock) if needed else prepare.rollout(job)


def bring_lock(run: Rollout, images: Images = lambda name: EnvironmentImages(load_environment(name))) -> bool:
    """Bring the shared lock and return whether this checkout's copy was another one.

    Nothing is shared before the registry is deployed. Raises OperatorError, in one sentence, where the state of the
    registry or the registry itself cannot be read: what is deployed is then not known.
    """
    try:
        deployed = run.runner(REGISTRY).outputs()
    except TerraformError as error:
        lines = [line.strip("│╷ ") for line in error.output.splitlines() if "Error: " in line]
        raise OperatorError(
            f"whether there are images to share cannot be read from the state of {REGISTRY}:"
            f" {lines[0] if lines else 'no message'}",
            f"llmctl diff {run.workspace.environment} {REGISTRY}",
            ExitCode.NOT_READY,
        ) from None
    if not deployed:
        return False
    with err.status("Reading the image lock"):
        return images(run.workspace.environment).bring_lock()
