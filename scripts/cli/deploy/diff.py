"""`llmctl diff`: what a deployment would change, and nothing else."""

from enum import StrEnum
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.tools import tools_of
from scripts.core.console import out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.schedule import PARALLELISM
from scripts.core.targets import TARGETS_HELP, complete_targets, parse_targets
from scripts.cost.sources import prices_in_passing
from scripts.deployment.bill import expected
from scripts.deployment.going_back import GoingBack, Step, refusals, steps_of
from scripts.deployment.losses import allowed_losses, refuse
from scripts.review.guard import Allowance
from scripts.review.markdown import markdown
from scripts.review.masking import Masks, masks_of
from scripts.review.plan import Plan, read_plan
from scripts.review.report import Review, as_json, review
from scripts.review.text import print_review
from scripts.terraform import saved_plans
from scripts.terraform.errors.failures import print_failures
from scripts.terraform.prepare import Job
from scripts.terraform.read_only import unread
from scripts.terraform.rollout import Rollout
from stacks.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


class Format(StrEnum):
    """How the result is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@app.command()
def diff(
    context: typer.Context,
    *,
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENV] [STACK]...", help=TARGETS_HELP, autocompletion=complete_targets),
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit code 2 when changes are pending, as with terraform plan.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="Format of the result.")] = Format.TEXT,
    as_json_too: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    save_to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Keep the plans, for `llmctl deploy --plans FOLDER`."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Agree to losing this resource; repeatable."),
    ] = None,
    read_only: Annotated[
        bool,
        typer.Option(
            "--read-only", help="Take no lock and read no secret, as an identity that may only read. For pipelines."
        ),
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Show every attribute, as Terraform does.")] = False,
    parallelism: Annotated[int, typer.Option(min=1, help="Stacks planned in parallel.")] = PARALLELISM,
) -> None:
    """Show what a deployment would change.

    Plans every stack, or those named, in parallel. Shows first what would be destroyed, then each change with the
    values before and after, Helm values as YAML, and the cost where a price is known. Secrets are masked.
    Changes nothing.

    Exit code 3 when a plan would destroy or replace anything of a durable stack, the cluster, or a node pool that
    models run on, or take back a deployed version, size or image, unless --allow or an entry in
    environments/losses/ENV.yaml agrees to it.

    Examples: `llmctl diff prod`, `llmctl diff prod platform --detailed-exitcode --format markdown`
    """
    tools, chosen = tools_of(context), parse_targets(targets)
    allowances = allowed_losses(chosen.environment, allow or [])
    with tools.rollout(Job("diff", chosen, tools.workspace(chosen.environment), parallelism)) as run:
        run.read_unchanged, run.read_only = True, read_only
        run.plan()
        steps, opik, problem = _older_opik(run, allowances, GoingBack(connect=tools.kubectl_of))
        allowances += opik
        found = review_of(run, allowances, tools.load(chosen.environment))
        _show(found, Format.JSON if as_json_too else form)
        if full:
            masks = secrets_of(run)
            for name, plan in run.plans.items():
                if not plan.changes.empty:
                    typer.echo(f"\n{name}\n{run.runner(name).show_plan(masks)}")
        print_failures(run.by_runner(run.failures), " ".join(["llmctl", "diff", chosen.environment, *chosen.stacks]))
        if run.failures:
            raise OperatorError(f"planning failed: {', '.join(run.failures)}")
        if problem:
            raise problem
        beside = [step for step in steps if step[0] not in run.plans]
        refuse(chosen.environment, [*found.refusals, *refusals(beside, allowances)])
        if save_to:
            saved_plans.save(run, save_to)
    if found.pending and detailed_exitcode:
        raise typer.Exit(ExitCode.CHANGES)


def _older_opik(
    run: Rollout, allowances: list[Allowance], back: GoingBack
) -> tuple[list[Step], list[Allowance], OperatorError | None]:
    """Return what goes back, the consent to an older Opik that its databases can live with, and why they cannot."""
    try:
        steps = steps_of(run)
    except OperatorError as error:
        return [], [], error
    try:
        return steps, back.opik_may(run.workspace.environment, steps, allowances), None
    except OperatorError as error:
        return steps, [], error


def review_of(run: Rollout, allowances: list[Allowance], settings: Settings) -> Review:
    """Return the plans of a run, checked and priced, without what is secret in any of them."""
    masks = secrets_of(run)
    plans = {name: _reread(run.plans[name], masks) for name in run.stacks if name in run.plans}
    waiting = {
        name: tuple(need for need in run.stacks if need in stack.dependencies)
        for name, stack in run.stacks.items()
        if name not in run.plans and name not in run.failures
    }
    unread_stacks = {name: why for name in plans if run.read_only and (why := unread(run.stacks[name].folder))}
    later = [charge for _, charge in expected(settings, {name: run.stacks[name] for name in waiting})]
    billed = [change.billed for plan in plans.values() for change in plan.resources if change.billed]
    changed = [charge for bill in billed for charge in (*bill.added, *bill.removed)]
    return review(
        run.workspace.environment,
        plans,
        waiting,
        run.failures,
        allowances,
        unread=unread_stacks,
        prices=prices_in_passing(settings.azure.region, [*changed, *later]) if changed or later else None,
        later=later,
    )


def secrets_of(run: Rollout) -> Masks:
    """Return what is secret in any plan of a run."""
    return reduce(or_, (masks_of(plan.document) for plan in run.plans.values()), Masks())


def _reread(plan: Plan, masks: Masks) -> Plan:
    return plan if plan.changes.empty else read_plan(plan.document, masks)


def _show(found: Review, form: Format) -> None:
    if form is Format.JSON:
        print_json(as_json(found))
    elif form is Format.MARKDOWN:
        typer.echo(markdown(found), nl=False)
    else:
        print_review(found, out)
