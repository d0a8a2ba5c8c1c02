"""`llmctl deploy`: an environment brought up, or up to date, in one go."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.environment_check import verdict_of
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.schedule import PARALLELISM, Outcome
from scripts.core.targets import TARGETS_HELP, Targets, complete_targets, load_environment, parse_targets
from scripts.core.workspace import ROOT, Workspace
from scripts.deployment import image_step
from scripts.deployment.ending import ending
from scripts.deployment.preflight import cluster_policies, login_consent, rights_check, zones
from scripts.opik import migrations as opik_migrations
from scripts.review.plan import total
from scripts.terraform import saved_plans, summary
from scripts.terraform.prepare import Job, require_terraform, rollout
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import InterruptedRunError, TerraformError

if TYPE_CHECKING:
    from stacks.settings import Settings

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def deploy(
    *,
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENV] [STACK]...", help=TARGETS_HELP, autocompletion=complete_targets),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to changes that lose nothing.")] = False,
    allow_destroy: Annotated[
        bool, typer.Option("--allow-destroy", help="Agree to resources being destroyed or replaced.")
    ] = False,
    parallelism: Annotated[int, typer.Option(min=1, help="Stacks worked on at once.")] = PARALLELISM,
    skip_images: Annotated[
        bool, typer.Option("--skip-images", help="Build and import nothing; deploy what the lock file names.")
    ] = False,
    plans: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Apply the plans that `llmctl diff --out FOLDER` made, and nothing else."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Bring an environment up, or up to date.

    Plans every stack, shows what would change, asks once, then applies what was shown: identity, disks, acr and
    database side by side, then the images, then network, aks and platform. Stacks that need another's outputs before
    they can be planned are planned when their turn comes.

    Safe to interrupt (Ctrl-C lets Terraform finish and save what it began) and to run again: what is done stays done.
    Works on the same state and folders as `cdktf deploy`.

    --yes does not agree to losing anything: a plan that destroys or replaces asks for the environment's name, or for
    --allow-destroy. With --plans it agrees to what was reviewed, losses included; what a reviewed plan does not say is
    not done.
    """
    chosen = parse_targets(targets)
    require_terraform()
    settings = refuse_unready(chosen.environment)
    consent = Consent(chosen.environment, yes, allow_destroy)
    workspace = Workspace(chosen.environment)
    if plans:
        saved_plans.restore_images(plans, workspace)
    with rollout(Job("deploy", chosen, workspace, parallelism)) as run:
        if plans:
            saved_plans.restore(plans, run)
        _say_rights(run, settings)
        _say_consent(run, settings)
        if "aks" in run.stacks and not run.reviewed:
            _refuse_zones(run, settings)
        if "platform" in run.stacks:
            for line in cluster_policies.warnings(settings):
                err.print(line, markup=False, soft_wrap=True)
        ok = bring_up(run, chosen, consent, with_images=not skip_images)
        if as_json:
            print_json(summary.reports_as_json(chosen.environment, run.reports))
        elif ok:
            _print_next(run, chosen, settings)
        if ok:
            _say_consent(run, settings)
    if ok:
        ok = _opik_is_migrated(settings, run)
    if not ok:
        raise typer.Exit(failure_code(run))


def _opik_is_migrated(settings: "Settings", run: Rollout) -> bool:
    if "platform" not in run.stacks or not settings.opik.enabled:
        return True
    return opik_migrations.after_deployment(settings.name)


def _say_rights(run: Rollout, settings: "Settings") -> None:
    """Tell what the login lacks, before the first deployment; whoever has deployed has shown that it may."""
    if "identity" not in run.stacks or run.reviewed:
        return
    try:
        standing = bool(run.runner("identity").outputs())
    except TerraformError:
        return
    if not standing:
        for line in rights_check.warnings(settings):
            err.print(line, markup=False, soft_wrap=True)


def _say_consent(run: Rollout, settings: "Settings") -> None:
    for line in login_consent.outstanding(settings, run):
        err.print(line, markup=False, soft_wrap=True)


def _refuse_zones(run: Rollout, settings: "Settings") -> None:
    """Refuse pools in zones that lack their machines, before the first cluster; a standing one has shown that it can.

    Raises OperatorError with a line for each pool.
    """
    try:
        standing = bool(run.runner("aks").outputs())
    except TerraformError:
        return
    if standing:
        return
    with err.status("Asking Azure in which zones the pools' machines are to be had"):
        found = zones.refused(settings)
    if found:
        raise OperatorError(
            "\n".join(found), f"correct the file, then `llmctl deploy {settings.name}`", ExitCode.SETTINGS
        )


def refuse_unready(environment: str, root: Path = ROOT) -> "Settings":
    """Return the settings, unless Azure or the data would not survive them: placeholders, and sizes that shrink.

    A file that was committed but never deployed binds nobody, as far as local state can tell.
    Raises OperatorError with every such line of the environment file.
    """
    settings = load_environment(environment)
    remote = settings.state.azurerm or settings.state.hcp
    deployed = remote or any((root / "state" / environment).glob("*.tfstate"))
    verdict = verdict_of(environment, root, "HEAD" if deployed else None)
    if found := [*verdict.placeholders, *map(str, verdict.faults)]:
        raise OperatorError(
            "\n".join(found),
            f"correct the file, then `llmctl env check {environment}`; `llmctl rehearse {environment}` works without",
            ExitCode.SETTINGS,
        )
    return settings


def bring_up(run: Rollout, chosen: Targets, consent: Consent, *, with_images: bool = False) -> bool:
    """Plan, ask and apply; return whether every stack is as it should be.

    Images are only looked at when all stacks are meant: they belong between the registry and the cluster.
    Raises OperatorError when a plan fails or nobody agrees.
    """
    redeploy = " ".join(["llmctl", "deploy", chosen.environment, *chosen.stacks])
    if not run.reviewed:
        run.plan()
    summary.print_plans(run)
    if run.failures:
        summary.print_failures(run, run.failures, redeploy)
        raise OperatorError(f"planning failed: {', '.join(run.failures)}; nothing was changed")
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
    consent.obtain(f"Apply this to {chosen.environment}?", {} if run.reviewed else run.lost)
    durable = [name for name, stack in run.stacks.items() if stack.durable]
    ok = run.apply(durable, any_loss=consent.allow_destroy) if durable else True
    disposable = [name for name in run.stacks if name not in durable]
    if ok and with_images and not run.reviewed and image_step.bring_images(run.workspace, run.processes):
        run.stale.update(disposable)
    if ok and disposable:
        image_step.require_signed(chosen.environment, run.processes)
        ok = run.apply(disposable, any_loss=consent.allow_destroy)
    _explain_failures(run, redeploy)
    return ok


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
            err.print(f"{name}: its plan, possible only now, destroys or replaces what nobody agreed to lose:")
            for address in report.refused:
                err.print(f"  {address}", markup=False)
            err.print(f"Nothing was changed in {name}. `{redeploy}` shows it again and asks.", markup=False)
        elif report.unreviewed:
            again = f"llmctl diff {run.workspace.environment} --out FOLDER"
            err.print(f"{name}: nothing was done, because {report.unreviewed}.", markup=False)
            err.print(f"Plan it with `{again}`, have that reviewed, and deploy again.", markup=False)
        elif isinstance(report.error, InterruptedRunError):
            err.print(f"{name}: interrupted. What Terraform finished is in the state; `{redeploy}` goes on from here.")
    summary.print_failures(run, dict(_failed(run)), redeploy)
    if any(report.outcome != Outcome.DONE for report in run.reports.values()):
        err.print(f"What is done stays done. After the fix: `{redeploy}`", markup=False)


def _failed(run: Rollout) -> Iterator[tuple[str, TerraformError]]:
    for name, report in run.reports.items():
        if report.error and not isinstance(report.error, InterruptedRunError):
            yield name, report.error


def _print_next(run: Rollout, chosen: Targets, settings: "Settings") -> None:
    changed = {name: report for name, report in run.reports.items() if not report.changes.empty}
    for name, report in changed.items():
        out.print(f"{name}: {report.changes.past} in {report.seconds:.0f} s", markup=False)
    if "platform" not in run.stacks:
        out.print(f"Next: `llmctl deploy {chosen.environment}` brings up the rest.", markup=False)
        return
    outputs: dict[str, dict[str, Any]] = {
        name: run.runner(name).outputs() for name in ("aks", "platform") if name in run.stacks
    }
    for line in [*ending(settings, _standing(run)), *next_steps(chosen.environment, outputs)]:
        typer.echo(line)


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


def next_steps(environment: str, outputs: dict[str, dict[str, Any]]) -> list[str]:
    """Return what is left for people to do, from the outputs of aks and platform."""
    lines = []
    records = outputs.get("platform", {}).get("dns_records", {}).get("value") or {}
    if records:
        lines.append("Next: let your domain's DNS hold these records")
        lines += [f"  {host}  CNAME  {target}" for host, target in sorted(records.items())]
    aks = {name: output["value"] for name, output in outputs.get("aks", {}).items()}
    if aks:
        group, cluster = aks["resource_group_name"], aks["cluster_name"]
        credentials = f"az aks get-credentials --resource-group {group} --name {cluster}"
        lines.append(f"kubectl: {credentials} && kubelogin convert-kubeconfig -l azurecli")
    lines.append(f"Whether it works, from a question to its trace: llmctl health {environment}")
    lines.append(f"All outputs: llmctl outputs {environment}")
    return lines
