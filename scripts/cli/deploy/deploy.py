"""`llmctl deploy`: an environment brought up, or up to date, in one go."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.applications.internal_ca import fingerprint, root_certificate
from scripts.cli.options import AllowDestroy, AsJson
from scripts.cli.tools import Tools, tools_of
from scripts.core.checks import Check
from scripts.core.consent import Consent
from scripts.core.console import out, print_json, report
from scripts.core.errors import OperatorError
from scripts.core.schedule import PARALLELISM
from scripts.core.targets import TARGETS_HELP, Targets, complete_targets, parse_targets
from scripts.deployment.bring_up import bring_up, failure_code
from scripts.deployment.ending import ending, next_steps, private_steps
from scripts.deployment.first_deployment import check_before, print_consent
from scripts.deployment.going_back import GoingBack
from scripts.deployment.ready_file import refuse_unready
from scripts.opik import migrations as opik_migrations
from scripts.opik.retention import retention_check
from scripts.terraform import saved_plans, summary
from scripts.terraform.prepare import Job
from scripts.terraform.program import require_terraform
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import TerraformError
from stacks.settings import Settings
from stacks.settings.network import IngressSettings
from stacks.settings.opik import OpikSettings

from .pending_releases import require_none_pending
from .stopped_cluster import require_running

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def deploy(
    context: typer.Context,
    *,
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENV] [STACK]...", help=TARGETS_HELP, autocompletion=complete_targets),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to changes that destroy nothing.")] = False,
    allow_destroy: AllowDestroy = False,
    parallelism: Annotated[int, typer.Option(min=1, help="Stacks worked on in parallel.")] = PARALLELISM,
    skip_images: Annotated[
        bool, typer.Option("--skip-images", help="Build and import no images; deploy those in the lock file.")
    ] = False,
    skip_preflight: Annotated[
        bool, typer.Option("--skip-preflight", help="Deploy stacks for the first time without the checks before.")
    ] = False,
    plans: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Apply the plans that `llmctl diff --out FOLDER` made, and nothing else."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring an environment up, or up to date.

    Plans every stack, shows what would change, asks once, then applies what was shown: identity, disks, acr,
    database and address in parallel, then the images, then network, aks and platform. A stack that reads outputs of
    one that is not deployed yet is planned once that one is.

    Stacks of which nothing stands yet are checked first, as `llmctl preflight` does; where a check fails, it asks
    whether to go on (with --yes, or with nobody there, it does not).

    Safe to interrupt (on Ctrl-C Terraform finishes what it began and saves the state) and to run again.
    Works on the same state and folders as `cdktf deploy`.

    --yes does not agree to destroying anything: a plan that destroys or replaces asks for the environment's name, or
    needs --allow-destroy. With --plans it agrees to what was reviewed, destruction included; nothing else is done.

    Examples: `llmctl deploy prod`, `llmctl deploy prod platform --yes`
    """
    tools, chosen = tools_of(context), parse_targets(targets)
    require_terraform()
    settings = refuse_unready(chosen.environment, tools.checkout)
    consent = Consent(chosen.environment, yes, allow_destroy, tools.terminal)
    workspace = tools.workspace(chosen.environment)
    if plans:
        saved_plans.restore_images(plans, workspace)
    with tools.rollout(Job("deploy", chosen, workspace, parallelism, current=plans is None)) as run:
        if plans:
            saved_plans.restore(plans, run)
        check_before(run, settings, ask=tools.preflight, terminal=tools.terminal, yes=yes, skip=skip_preflight)
        running = partial(
            require_running,
            run.stacks,
            settings.name,
            settings.azure,
            outputs_of=tools.outputs_of,
            power_of=tools.power_of,
        )
        if settings.cluster.off_hours.enabled:
            running()
        if not require_none_pending(run, chosen.environment, tools.kubectl_of):
            running()
        back = GoingBack(connect=tools.kubectl_of, changelogs=tools.changelogs)
        ok = bring_up(run, chosen, consent, with_images=not skip_images, back=back, image_step=tools.images)
        if as_json:
            print_json(summary.reports_as_json(chosen.environment, run.reports))
        elif ok:
            _print_next(run, chosen, settings, tools)
        if ok:
            print_consent(run, settings.identity)
    if ok:
        ok = _opik_is_migrated(settings.name, settings.opik, run, tools)
    if not ok:
        raise typer.Exit(failure_code(run))


def _opik_is_migrated(environment: str, opik: OpikSettings, run: Rollout, tools: Tools) -> bool:
    if "platform" not in run.stacks or not opik.enabled:
        return True
    migrated = opik_migrations.after_deployment(environment, opik, tools.kubectl_of, tools.changelogs)
    _tell_retention(environment, opik, tools)
    return migrated


def _tell_retention(environment: str, opik: OpikSettings, tools: Tools) -> None:
    """Say that traces are kept for another time than the file asks for, which a command alone changes: it deletes."""
    try:
        kept = retention_check(tools.kubectl_of(environment), environment, opik)
    except OperatorError as error:
        kept = Check("retention", f"{error.message}; ask again: llmctl opik health {environment}")
    if kept.problem:
        report(f"Opik: {kept.name}: {kept.problem}")


def _print_next(run: Rollout, chosen: Targets, settings: Settings, tools: Tools) -> None:
    changed = {name: done for name, done in run.reports.items() if not done.changes.empty}
    for name, done in changed.items():
        out.print(f"{name}: {done.changes.past} in {done.seconds:.0f} s", markup=False)
    if "platform" not in run.stacks:
        out.print(f"Next: `llmctl deploy {chosen.environment}` brings up the rest.", markup=False)
        return
    outputs: dict[str, dict[str, Any]] = {
        name: run.runner(name).outputs() for name in ("aks", "platform") if name in run.stacks
    }
    lines = [*ending(settings, _standing(run)), *private_steps(settings, _root_fingerprint(settings, tools))]
    for line in [*lines, *_left(chosen.environment, outputs, settings.ingress)]:
        typer.echo(line)


def _root_fingerprint(settings: Settings, tools: Tools) -> str:
    """Return that of the internal CA; empty without one, and where this login may not read the vault."""
    if not settings.has_internal_ca:
        return ""
    try:
        return fingerprint(root_certificate(settings, tools.azure_of(settings.azure.subscription_id).vaults))
    except (OperatorError, ValueError):
        return ""


def _left(environment: str, outputs: dict[str, dict[str, Any]], ingress: IngressSettings) -> list[str]:
    return next_steps(environment, outputs, records_written=ingress.dns_zone_id is not None)


def _standing(run: Rollout) -> list[tuple[str, Mapping[str, Any]]]:
    """Return type and attributes of all that stands; a stack that cannot be read is left out."""

    def read(name: str) -> Mapping[str, Mapping[str, Any]]:
        try:
            return run.runner(name).resources()
        except TerraformError:
            return {}

    with ThreadPoolExecutor(max_workers=run.parallelism) as pool:
        found = list(pool.map(read, run.stacks))
    return [(address.split(".", maxsplit=1)[0], values) for stack in found for address, values in stack.items()]
