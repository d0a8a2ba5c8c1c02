"""Stacks planned away, agreed to by the environment's name, and destroyed."""

from collections.abc import Callable

from scripts.core.consent import confirm_by_name
from scripts.core.console import TERMINAL, Terminal, err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.schedule import Outcome
from scripts.core.targets import Targets
from scripts.review.plan import Changes, Plan, total
from scripts.terraform import summary
from scripts.terraform.errors.failures import print_failures
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import InterruptedRunError, NotDeployedError, TerraformError

from . import history

_PLATFORM = "platform"
_IN_A_CLUSTER = ("kubernetes_", "helm_")


def take_down(
    run: Rollout,
    chosen: Targets,
    confirm: str,
    terminal: Terminal = TERMINAL,
    *,
    note: Callable[[Rollout, bool], None] = history.note,
) -> bool:
    """Plan the destruction, ask, and destroy; return whether all that was chosen is gone. `note` keeps what was done.

    Raises OperatorError when a plan fails, Terraform refuses, or nobody agrees.
    """
    again = " ".join(["llmctl", "destroy", chosen.environment, *chosen.stacks])
    run.plan()
    gone = _gone_with_the_cluster(run)
    summary.print_plans(run)
    if gone:
        err.print(f"The cluster is gone, and {len(gone)} objects of platform went with it. They are forgotten:")
        for address in gone:
            err.print(f"  {address}", markup=False)
    if run.failures:
        print_failures(run.by_runner(run.failures), again)
        code = ExitCode.REFUSED if any(run.stacks[name].durable for name in run.failures) else ExitCode.FAILED
        raise OperatorError(f"nothing was destroyed: {', '.join(run.failures)} cannot be planned away", code=code)
    if total(run.plans.values()).empty and not gone:
        err.print("Nothing of it exists.")
        return True
    confirm_by_name(chosen.environment, confirm, "Destroy all this?", terminal=terminal)
    if gone:
        _forget(run, gone)
    ok = run.apply(run.stacks, any_loss=False)
    for name, report in run.reports.items():
        if isinstance(report.error, InterruptedRunError):
            err.print(f"{name}: interrupted; `{again}` goes on from here.", markup=False)
        elif isinstance(report.error, TerraformError):
            print_failures([(run.runner(name), report.error)], again)
        elif report.outcome == Outcome.SKIPPED:
            err.print(f"{name}: not touched", markup=False)
    note(run, ok)
    return ok


def _gone_with_the_cluster(run: Rollout) -> list[str]:
    """Return what the state of `platform` still says to be in a cluster that does not exist; its plan failed for it."""
    if _PLATFORM not in run.stacks or _PLATFORM in run.plans or not run.cluster_is_gone:
        return []
    found = [address for address in run.runner(_PLATFORM).resources() if address.startswith(_IN_A_CLUSTER)]
    if found:
        run.failures.pop(_PLATFORM, None)
    return found


def _forget(run: Rollout, gone: list[str]) -> None:
    runner = run.runner(_PLATFORM)
    try:
        runner.forget(gone)
        run.plans[_PLATFORM] = runner.plan(destroy=True)
    except NotDeployedError:
        run.plans[_PLATFORM] = Plan(Changes())
    except TerraformError as error:
        print_failures([(runner, error)], f"llmctl destroy {run.workspace.environment}")
        raise OperatorError("what went with the cluster cannot be forgotten; nothing was destroyed") from None
