"""The checks before a deployment, each for the stacks that it is about."""

from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import TerraformError
from stacks.settings import Settings

from . import cluster_policies, login_consent, rights_check, zones


def check_before(run: Rollout, settings: Settings) -> None:
    """Print what would stop this deployment halfway. Raises OperatorError for pools in zones without their machines."""
    # A stack that is deployed has shown that the login may, and that Azure has the machines.
    if not run.reviewed and _is_first(run, "identity"):
        _print(rights_check.warnings(settings))
    print_consent(run, settings)
    if not run.reviewed and _is_first(run, "aks"):
        _require_zones(settings)
    if "platform" in run.stacks:
        _print(cluster_policies.warnings(settings))


def print_consent(run: Rollout, settings: Settings) -> None:
    """Print the consent that an administrator still has to give, nothing where none is missing."""
    _print(login_consent.outstanding(settings, run))


def _is_first(run: Rollout, stack: str) -> bool:
    """Tell whether a selected stack has no outputs yet; one that cannot be read counts as deployed."""
    if stack not in run.stacks:
        return False
    try:
        return not run.runner(stack).outputs()
    except TerraformError:
        return False


def _require_zones(settings: Settings) -> None:
    with err.status("Asking Azure in which zones the node pools' machines are available"):
        found = zones.refused(settings)
    if found:
        raise OperatorError(
            "\n".join(found), f"correct the file, then `llmctl deploy {settings.name}`", ExitCode.SETTINGS
        )


def _print(lines: list[str]) -> None:
    for line in lines:
        err.print(line, markup=False, soft_wrap=True)
