"""`llmctl adopt disks`: Opik's managed disks of another installation."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Annotated, Any

import typer

from scripts.applications.adoption.disk_copy import DesiredDisk, DiskCopy, desired, problems, was_used
from scripts.applications.adoption.found_disks import FoundDisk, choose, find
from scripts.azure.compute import Compute, made_from
from scripts.cli.options import AsJson
from scripts.cli.tools import Tools, tools_of
from scripts.core import environment_file
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.remote_runs import refuse_remote_runs
from scripts.core.targets import Targets
from scripts.deployment import disks_in_state
from scripts.terraform.prepare import Job
from scripts.terraform.stack import TerraformError, unreadable_state
from stacks.settings import Settings
from stacks.settings.data import DataDisk

from .options import Confirm, DryRun, Env, agree

STACK = "disks"


def disks(
    context: typer.Context,
    environment: Env,
    *,
    group: Annotated[str, typer.Option("--resource-group", metavar="NAME", help="Where the old disks lie.")],
    subscription: Annotated[
        str | None, typer.Option("--subscription", metavar="ID", help="Left out: the environment's.")
    ] = None,
    disk: Annotated[
        list[str] | None, typer.Option("--disk", metavar="STORE=NAME", help="The right one of several; repeatable.")
    ] = None,
    beside: Annotated[
        list[DataDisk] | None,
        typer.Option(
            "--beside", metavar="STORE", help="This environment's disk holds data and is put aside; repeatable."
        ),
    ] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Import the disks as they are, and copy nothing.")
    ] = False,
    dry_run: DryRun = False,
    confirm: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Copy Opik's managed disks of another installation beside the environment's, or take them over as they are.

    Found by name (opik-mysql-data-...) and by the tag of their claim, shown with size, zone and use. A copy goes by way
    of a snapshot to a disk as the stack `disks` makes it, which takes the place of the environment's own in Terraform's
    state; both old ones stay. --take-over imports a disk that already has the environment's name, size, type and zone.

    Examples: `llmctl adopt disks prod --resource-group opik-rg --dry-run`,
    `llmctl adopt disks prod --resource-group opik-rg --disk mysql=opik-mysql-data-1756776933`
    """
    tools = tools_of(context)
    settings = tools.load(environment)
    refuse_remote_runs(settings.name, settings.state, "llmctl adopt disks")
    own = tools.azure_of(settings.azure.subscription_id).compute
    found = find(tools.azure_of(subscription).compute if subscription else own, group)
    for one in found:
        err.print(str(one), markup=False)
    if not found:
        raise OperatorError(f"no disk of Opik in {group}", "name another --resource-group", ExitCode.USAGE)
    chosen = choose(found, named_disks(disk or ()))
    state = _state(tools, environment)
    targets = {
        store: target_of(settings, one, state, own, take_over=take_over, used=store in (beside or ()))
        for store, one in chosen.items()
    }
    report: dict[str, Any] = {
        "environment": environment,
        "action": "take over" if take_over else "copy",
        "disks": {store.value: asdict(one) | {"becomes": targets[store].name} for store, one in chosen.items()},
    }
    wrong = [
        f"{one.name} {text}" for store, one in chosen.items()
        for text in problems(one, targets[store], take_over=take_over)
    ]  # fmt: skip
    report["problems"] = wrong
    if dry_run:
        _end(report, as_json=as_json)
        return
    if wrong:
        raise OperatorError("; ".join(wrong), "correct this, or leave such a disk out with --disk", ExitCode.REFUSED)
    agree(
        tools,
        environment,
        confirm,
        f"{len(chosen)} disks are {'imported' if take_over else 'copied'} as"
        f" {', '.join(target.name for target in targets.values())}, in Terraform's state in the place of the"
        " environment's own, which stay in Azure",
    )
    ids = {store: one.id for store, one in chosen.items()} if take_over else _copied(chosen, targets, own)
    _write_generations(settings, targets)
    _switch(tools, environment, {targets[store].name: id_ for store, id_ in ids.items()})
    report["done"] = True
    _end(report, as_json=as_json)


def named_disks(words: "list[str] | tuple[str, ...]") -> dict[DataDisk, str]:
    """Return the disks of STORE=NAME words. Raises OperatorError."""
    found = {}
    for word in words:
        store, sign, name = word.partition("=")
        if not sign or not name or store not in set(DataDisk):
            raise OperatorError(
                f"{word!r} is no STORE=NAME", f"stores are {', '.join(one.value for one in DataDisk)}", ExitCode.USAGE
            )
        found[DataDisk(store)] = name
    return found


def target_of(
    settings: Settings,
    source: FoundDisk,
    state: Mapping[str, Mapping[str, Any]],
    compute: Compute,
    *,
    take_over: bool,
    used: bool,
) -> DesiredDisk:
    """Return the disk that a store is to have. Raises OperatorError (REFUSED) where the environment's own holds data.

    A copy gets the generation after that of the disk in the state, whichever the environment file names; a disk in the
    state that is such a copy already stays.
    """
    store = source.store
    now = settings.disks.generations.get(store, 1)
    present = desired(settings, store, now)
    if take_over or present.name not in set(disks_in_state.names_held(state)):
        # Else of a copy that is made, or being made, and not in the state yet.
        return present
    own = compute.disk(present.name, present.new.group)
    if own and is_copy(own, present, source, compute):
        return present
    if own and was_used(own) and not used:
        raise OperatorError(
            f"this environment's disk {own['name']} has been in use and may hold data",
            f"--beside {store.value} puts it aside; it stays in Azure, and nothing on it is lost",
            ExitCode.REFUSED,
        )
    return desired(settings, store, now + 1)


def is_copy(own: Mapping[str, Any], present: DesiredDisk, source: FoundDisk, compute: Compute) -> bool:
    """Whether the environment's own disk is what an earlier run copied from `source`."""
    if not made_from(own, present.snapshot_id):
        return False
    snapshot = compute.snapshot(present.snapshot, present.snapshots_group)
    return snapshot is None or made_from(snapshot, source.id)


def _state(tools: Tools, environment: str) -> Mapping[str, Mapping[str, Any]]:
    with tools.rollout(_job(tools, environment)) as run:
        try:
            found = run.runner(STACK).resources()
        except TerraformError as error:
            raise unreadable_state(error, environment) from None
    if not any(disks_in_state.names_held(found)):
        raise OperatorError(
            f"{environment} has no disks yet, and so no group to put the copies into",
            f"llmctl deploy {environment} {STACK}",
            ExitCode.NOT_READY,
        )
    return found


def _copied(
    chosen: Mapping[DataDisk, FoundDisk], targets: Mapping[DataDisk, DesiredDisk], compute: Compute
) -> dict[DataDisk, str]:
    """Copy all side by side: ClickHouse and ZooKeeper belong together, so their snapshots are of one moment."""

    def one(store: DataDisk) -> str:
        return DiskCopy(chosen[store], targets[store], compute).run(lambda text: err.print(text, markup=False))

    with ThreadPoolExecutor(max_workers=len(chosen)) as pool:
        return dict(zip(chosen, pool.map(one, chosen), strict=True))


def _write_generations(settings: Settings, targets: Mapping[DataDisk, DesiredDisk]) -> None:
    file = environment_file.file_of(settings.name)
    numbers = {}
    for store, target in targets.items():
        number = next(n for n in range(1, 100) if settings.azure_names.data_disk(store.value, n) == target.name)
        if settings.disks.generations.get(store, 1) != number:
            numbers[store] = number
    if numbers:
        text = disks_in_state.with_generations(file.read_text("utf-8"), numbers)
        environment_file.parsed(settings.name, text)
        environment_file.write(file, text)


def _switch(tools: Tools, environment: str, ids: Mapping[str, str]) -> None:
    """Put the disks into the state at their addresses; the old ones, their locks and backups leave it."""
    with tools.rollout(_job(tools, environment)) as run:
        runner = run.runner(STACK)
        try:
            vaults = [str(one["id"]) for address, one in runner.resources().items()
                      if address.startswith("azurerm_data_protection_backup_vault.")]  # fmt: skip
            disks_in_state.take_over(runner, ids, vaults[0])
        except TerraformError as error:
            raise OperatorError(
                f"the state of {STACK} could not be changed: {error.output.strip()}",
                "run the command again: it goes on where it ended",
            ) from None


def _job(tools: Tools, environment: str) -> Job:
    return Job("adopt disks", Targets(environment, (STACK,)), tools.workspace(environment))


def _end(report: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    environment = report["environment"]
    for store, one in report["disks"].items():
        out.print(f"{store}: {one['name']} becomes {one['becomes']} ({report['action']})", markup=False)
    for text in report["problems"]:
        out.print(f"refused: {text}", markup=False)
    if report.get("done"):
        out.print(
            f"Now deploy: llmctl deploy {environment}. Commit environments/{environment}.yaml. MySQL's passwords are"
            " those on the disk: docs/how-to/adopt-an-installation.md says how to set them.",
            markup=False,
        )
