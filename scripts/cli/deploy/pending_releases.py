"""Refuses a deployment that Helm would refuse halfway, because a killed run has left a release pending."""

from collections.abc import Callable

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.releases import pending_releases
from scripts.core.errors import ExitCode, OperatorError
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import TerraformError


def require_none_pending(run: Rollout, environment: str, kubectl_of: Callable[[str], Kubectl]) -> bool:
    """Return whether the cluster answers, where it has to. Raises OperatorError (REFUSED) for a pending release."""
    if "platform" not in run.stacks or not _is_deployed(run):
        return True
    try:
        found = pending_releases(kubectl_of(environment))
    except OperatorError:
        # A cluster that is not there, or cannot be reached from here: Terraform says so better.
        return False
    if found:
        named = ", ".join(f"{release.path} ({release.status} since {release.since})" for release in found)
        raise OperatorError(
            f"a Helm run that has not ended, or was killed, holds {named}; Helm would refuse to go on",
            f"wait for it; if it is dead: `llmctl state unlock-release {environment}`, then deploy again",
            ExitCode.REFUSED,
        )
    return True


def _is_deployed(run: Rollout) -> bool:
    try:
        return bool(run.runner("platform").outputs())
    except TerraformError:
        return False
