"""`llmctl backup`: make, list, show, verify and prune backup sets."""

from typing import Annotated

import typer

from scripts.backup import cost, parts, retention, verify
from scripts.backup import prune as pruning
from scripts.backup.cost import PricesOf
from scripts.backup.create import Part, utc_text
from scripts.backup.manifest import Manifest
from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.core.checks import failed, print_checks
from scripts.core.consent import confirm_by_name
from scripts.core.console import err, out, print_json
from scripts.core.environment_lock import environment_lock
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, default_environment
from scripts.core.workspace import ROOT

from .opened import Opened, opened
from .shown import lines, rows

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Backup sets: one consistent state of disks, database, uploads and secrets.",
)

_ENV = Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environment, help="The environment.")]
_SET = Annotated[str, typer.Argument(metavar="SET", help="Id of the set, or `latest`.")]
Offline = Annotated[
    bool, typer.Option("--offline", help="Take the dated prices of this release (East US) instead of Azure's.")
]
_LOCKS = ROOT / ".cache" / "locks"


@app.command("create")
def create(
    context: typer.Context,
    environment: Environment = None,
    *,
    without: Annotated[
        list[Part] | None, typer.Option("--without", metavar="PART", help="Leave out; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a backup set. Opik takes no writes for some minutes; chat and LLM gateway go on.

    Stops Opik's backend and ClickHouse's merges, flushes all stores, counts, makes incremental snapshots of the five
    disks and of the chat uploads, fixes a moment of PostgreSQL, starts everything again, locks the snapshots, copies
    them where `backups.copy_to_region` says so, and writes the manifest. Killed half-way, the next run brings Opik's
    writes back first.

    Examples: `llmctl backup create prod`, `llmctl backup create prod --without vault` (the vault cannot be reached)
    """
    name = environment or default_environment()
    with environment_lock(_LOCKS, f"{name}-backup", "backup create"):
        found = _opened(context, name)
        made = found.making(tuple(without or ())).run()
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    for line in lines(made, found.prices(offline=True)):
        out.print(line, markup=False, soft_wrap=True)


@app.command("list")
def list_sets(
    context: typer.Context,
    environment: Environment = None,
    *,
    max_age_hours: Annotated[
        float | None, typer.Option(min=0, help="Fail when the newest set is older, or there is none.")
    ] = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """List the backup sets with age, size, price and what was counted; and what failed attempts left.

    Examples: `llmctl backup list prod`, `llmctl backup list prod --max-age-hours 36` (fails without a young set)
    """
    found = _opened(context, environment or default_environment())
    sets = found.store.manifests()
    left = pruning.leftovers(parts.snapshots(found.azure, found.place.sets_group), [one.id for one in sets])
    now, prices = found.clock.utc(), found.prices(offline=offline)
    if as_json:
        stay = {one.id: one.why for one in retention.kept(sets, found.settings.backups)}
        print_json(
            {
                "sets": [
                    one.model_dump(mode="json", exclude={"code"})
                    | {"size_gib": one.size_gib, "kept": stay.get(one.id), "usd_a_month_at_most": _amount(one, prices)}
                    for one in sets
                ],
                "incomplete": sorted(left),
            }
        )
    else:
        for row in rows(sets, found.settings.backups, now, prices):
            out.print(row, markup=False, soft_wrap=True)
        for set_id, snapshots in sorted(left.items()):
            err.print(f"{set_id}: {len(snapshots)} snapshots without a manifest, of a failed attempt", markup=False)
    _require_young(sets, now.timestamp(), max_age_hours)


@app.command("show")
def show(
    context: typer.Context,
    environment: _ENV,
    set_id: _SET = "latest",
    *,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Show what a backup set consists of, what it held, and what it costs at most.

    `--json` prints the manifest, which `llmctl restore --manifest` takes where the container of manifests is gone.

    Examples: `llmctl backup show prod latest`, `llmctl backup show prod latest --json`
    """
    found = _opened(context, environment)
    one = found.store.read(set_id)
    if as_json:
        print_json(one.model_dump(mode="json"))
        return
    for line in lines(one, found.prices(offline=offline)):
        out.print(line, markup=False, soft_wrap=True)


@app.command("verify")
def verify_set(context: typer.Context, environment: _ENV, set_id: _SET = "latest", *, as_json: AsJson = False) -> None:
    """Check that every part of a set is there, complete and locked, and note it in the manifest.

    Restores nothing.

    Examples: `llmctl backup verify prod latest`, `llmctl backup verify prod --json`
    """
    found = _opened(context, environment)
    manifest = found.store.read(set_id)
    checks = verify.checks(manifest, found.place, found.azure, found.clock.utc())
    if not failed(checks):
        manifest = manifest.model_copy(update={"verified": utc_text(found.clock)})
        found.store.write(manifest)
    if as_json:
        print_json(
            {
                "id": manifest.id,
                "verified": manifest.verified,
                "checks": [{"name": check.name, "problem": check.problem} for check in checks],
            }
        )
    else:
        print_checks(checks)
    if failed(checks):
        raise OperatorError(
            f"the set {manifest.id} is not whole", f"`llmctl backup create {environment}` makes another one"
        )


@app.command("prune")
def prune(
    context: typer.Context,
    environment: _ENV,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted, and delete nothing.")] = False,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="ENV", help="Agree beforehand, by the environment's name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Delete the sets that `backups.keep_…` does not keep, and what failed attempts left; names them and asks.

    The newest set and the newest verified one always stay. Interrupted, the same command goes on.

    Examples: `llmctl backup prune prod --dry-run`, `llmctl backup prune prod --confirm prod`
    """
    tools = tools_of(context)
    found = _opened(context, environment)
    sets = found.store.manifests()
    superfluous = retention.superfluous(sets, found.settings.backups)
    snapshots = parts.snapshots(found.azure, found.place.sets_group)
    gone = pruning.doomed(superfluous, snapshots, [one.id for one in sets], found.clock.utc())
    told = err if as_json else out
    for one in gone:
        size = f"{one.manifest.size_gib} GiB of disks" if one.manifest else "no manifest"
        told.print(f"  {one.id}: {len(one.snapshots)} snapshots, {size}", markup=False)
    for stays in retention.kept(sets, found.settings.backups):
        told.print(f"  {stays.id} stays: {stays.why}", markup=False)
    if gone and not dry_run:
        question = f"Delete these {len(gone)} backup sets of {environment} for good?"
        confirm_by_name(environment, confirm, question, done="deleted", terminal=tools.terminal)
        for one in gone:
            pruning.remove(one, found.place, found.azure, found.store)
            err.print(f"{one.id} is deleted", markup=False)
    if as_json:
        print_json({"environment": environment, "deleted": [one.id for one in gone], "done": not dry_run})
    elif not gone:
        out.print("Nothing to delete.")


@app.command("resume")
def resume(context: typer.Context, environment: Environment = None) -> None:
    """Bring Opik's writes back after a `backup create` that was killed. Does nothing where they are not stopped.

    Examples: `llmctl backup resume prod`, `llmctl backup resume`
    """
    quiescence = _opened(context, environment or default_environment()).quiescence()
    if quiescence is None or not (set_id := quiescence.leftover()):
        out.print("Opik's writes are not stopped.")
        return
    quiescence.resume()
    quiescence.wait_ready()
    out.print(f"Opik takes writes again; they were stopped for the set {set_id}.", markup=False)


def _opened(context: typer.Context, environment: str) -> Opened:
    return context.find_object(Opened) or opened(tools_of(context), environment)


def _amount(one: Manifest, prices: PricesOf) -> float | None:
    found = cost.most(one, prices)
    return round(found.high, 2) if found.known else None


def _require_young(sets: list[Manifest], now: float, max_age_hours: float | None) -> None:
    if max_age_hours is None:
        return
    newest = max((one.moment.timestamp() for one in sets), default=None)
    if newest is None or now - newest > max_age_hours * 3600:
        age = "there is no backup set" if newest is None else f"the newest set is {(now - newest) / 3600:.0f} hours old"
        raise OperatorError(
            f"{age}; at most {max_age_hours:g} hours are allowed", "llmctl backup create", ExitCode.FAILED
        )
