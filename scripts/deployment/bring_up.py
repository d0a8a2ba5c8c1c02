"""Stacks planned, agreed to and applied, durable ones first, with the images between the registry and the cluster."""

from collections.abc import Callable, Iterator
from functools import partial

from scripts.core.consent import Consent
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.schedule import Outcome
from scripts.core.targets import Targets, load_environment
from scripts.review.plan import Plan, total
from scripts.terraform import summary
from scripts.terraform.errors.failures import print_failures
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import InterruptedRunError, TerraformError
from stacks.common import fresh_secrets

from . import history
from .announcing import ANNOUNCING, Announcing
from .bill import first_bill
from .going_back import GoingBack
from .image_step import IMAGES, ImageStep


def bring_up(
    run: Rollout,
    chosen: Targets,
    consent: Consent,
    *,
    with_images: bool = False,
    back: GoingBack | None = None,
    image_step: ImageStep = IMAGES,
    note: Callable[[Rollout, bool], None] = history.note,
    announcing: Announcing = ANNOUNCING,
) -> bool:
    """Plan, ask and apply; return whether every stack is as it should be.

    `note` keeps what was done; `announcing` tells people meanwhile.
    Images are only looked at when all stacks are selected: they belong between the registry and the cluster.
    Raises OperatorError when a plan fails, takes back what is deployed, or nobody agrees.
    """
    redeploy = " ".join(["llmctl", "deploy", chosen.environment, *chosen.stacks])
    if not run.reviewed:
        run.plan()
    summary.print_plans(run)
    if run.failures:
        print_failures(run.by_runner(run.failures), redeploy)
        raise OperatorError(f"planning failed: {', '.join(run.failures)}; nothing was changed")
    if not run.reviewed:
        (back or GoingBack()).refuse(run)
    with_images = with_images and not chosen.stacks
    images = image_step.pending(chosen.environment) if with_images else []
    if images and run.reviewed:
        raise OperatorError(
            f"{', '.join(images)}: not in the images' lock file, and reviewed plans bring no images",
            f"`llmctl images ensure {chosen.environment}`, then plan again with `llmctl diff --out`",
            ExitCode.REFUSED,
        )
    if images:
        err.print(f"Images to build or import: {', '.join(images)}", markup=False)
    if len(run.plans) == len(run.stacks) and total(run.plans.values()).empty and not images:
        err.print(f"{chosen.environment} is up to date.")
        return True
    if bill := first_bill(run, partial(load_environment, chosen.environment)):
        err.print(bill, markup=False)
    consent.obtain(f"Apply this to {chosen.environment}?", {} if run.reviewed else run.lost)
    _allow_fresh_secrets(run)
    durable = [name for name, stack in run.stacks.items() if stack.durable]
    with announcing.around(run, durable):
        ok = run.apply(durable, any_loss=consent.allow_destroy) if durable else True
    disposable = [name for name in run.stacks if name not in durable]
    if ok and with_images and not run.reviewed and image_step.bring(run.workspace, run.processes):
        run.stale.update(disposable)
    if ok and disposable:
        image_step.require_signed(chosen.environment, run.processes)
        with announcing.around(run, disposable):
            ok = run.apply(disposable, any_loss=consent.allow_destroy)
    _explain_failures(run, redeploy)
    note(run, ok)
    return ok


def _allow_fresh_secrets(run: Rollout) -> None:
    """Let a first deployment write its secrets where a deleted environment of the same name has left some."""
    new = [run.plans[name] for name in ("database", "disks") if name in run.plans and _is_new(run.plans[name])]
    if len(new) == 2 and not run.reviewed and any(change.type == "azurerm_key_vault" for change in new[0].resources):
        fresh_secrets.allow(run.stacks["database"].folder)
        run.stale.add("database")


def _is_new(plan: Plan) -> bool:
    return plan.changes.create > 0 and not plan.exists and not plan.vanished


def failure_code(run: Rollout) -> ExitCode:
    """Return the exit code of a run that did not go well."""
    if run.processes.interrupted:
        return ExitCode.INTERRUPTED
    if any(report.refused or report.unreviewed for report in run.reports.values()):
        return ExitCode.REFUSED
    return ExitCode.FAILED


def _explain_failures(run: Rollout, redeploy: str) -> None:
    for name, report in run.reports.items():
        if report.refused:
            err.print(f"{name}: its plan, possible only now, loses or takes back what nobody agreed to:")
            for address in report.refused:
                err.print(f"  {address}", markup=False)
            err.print(f"Nothing was changed in {name}. `{redeploy}` shows it again and asks.", markup=False)
        elif report.unreviewed:
            again = f"llmctl diff {run.workspace.environment} --out FOLDER"
            err.print(f"{name}: nothing was done, because {report.unreviewed}.", markup=False)
            err.print(f"Plan it with `{again}`, have that reviewed, and deploy again.", markup=False)
        elif isinstance(report.error, InterruptedRunError):
            err.print(f"{name}: interrupted. What Terraform finished is in the state; `{redeploy}` goes on from here.")
    print_failures(run.by_runner(dict(_failed(run))), redeploy)
    if any(report.outcome != Outcome.DONE for report in run.reports.values()):
        err.print(f"What is done stays done. After the fix: `{redeploy}`", markup=False)


def _failed(run: Rollout) -> Iterator[tuple[str, TerraformError]]:
    for name, report in run.reports.items():
        if report.error and not isinstance(report.error, InterruptedRunError):
            yield name, report.error
