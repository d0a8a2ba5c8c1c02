"""`llmctl cleanup`: give up a part of an environment, or all of it; each mode is named by what it deletes."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from scripts.backup.cost import in_words
from scripts.backup.remains import Remains, described, size_gib
from scripts.cli.options import AsJson
from scripts.cli.tools import tools_of
from scripts.core.azure import az
from scripts.core.consent import confirm_by_name
from scripts.core.console import err, out, print_json
from scripts.core.targets import complete_environment
from scripts.cost.prices import listed
from scripts.deployment.leaving.inventory import Item, inventory
from scripts.deployment.leaving.modes import SCOPES, Mode
from scripts.deployment.leaving.recent_backup import require_recent_backup

from .cleanup import Cleanup

app = typer.Typer(add_completion=False, rich_markup_mode="rich")
_SERVER = "azurerm_postgresql_flexible_server."
KEPT_ALWAYS = (
    "environments/{name}.yaml and the state backend",
    "identities of pipelines (llmctl pipeline remove)",
)


@app.command()
def cleanup(
    context: typer.Context,
    mode: Annotated[Mode, typer.Argument(metavar="MODE", help="What is deleted.", show_default=False)],
    environment: Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environment)],
    *,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="TEXT", help='Agree beforehand; with data in it: "ENV MODE".')
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Agree beforehand where no data is deleted, and only there.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go and what stays, and end.")] = False,
    without_backup: Annotated[
        bool, typer.Option("--without-backup", help="Delete databases that have no recent backup.")
    ] = False,
    keep_backups: Annotated[
        bool, typer.Option("--keep-backups", help="Leave the backup sets, which `restore --into` can take.")
    ] = False,
    confirm_backups: Annotated[
        str, typer.Option("--confirm-backups", metavar="TEXT", help='Agree to deleting backup sets: "ENV backups".')
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Delete a part of an environment, or all of it, and say what stays.

    [bold]platform[/] what runs in the cluster
    [bold]cluster[/] network, cluster and what runs in it, as `llmctl destroy`
    [bold]uploads[/] files that people uploaded to the chat
    [bold]traces[/] Opik: projects, traces, attachments, with their backups
    [bold]databases[/] PostgreSQL: chats, users, vectors, API keys
    [bold]everything[/] the whole environment for good

    The modes that delete data delete the cluster first and make what they delete again, empty (not `everything`); then
    `llmctl deploy` brings the rest back. They ask for the environment and the mode by name, whatever --yes says; where
    `traces` and `everything` find backup sets, they ask for these as well, by "ENV backups" (or --keep-backups).
    Locks and policies are taken off for what goes, by this command alone. Safe to interrupt and to run again.

    To go back to an earlier moment instead: `llmctl db restore`, docs/how-to/operate-opik.md.

    Examples: `llmctl cleanup traces dev --dry-run`,
    `llmctl cleanup everything dev --confirm "dev everything" --keep-backups`
    """
    tools = tools_of(context)
    settings = tools.load(environment)
    work, scope = Cleanup(settings, mode, tools, keep_backups), SCOPES[mode]
    states = work.states()
    items = inventory(mode, settings.azure_names, states)
    remains = work.remains(states)
    told = {"environment": environment, "mode": mode.value, "items": [item.as_json() for item in items],
            **_remains_as_json(remains, keep_backups=keep_backups)}  # fmt: skip
    if as_json and dry_run:
        print_json(told)
    else:
        _show(environment, mode, items, remains, keep_backups=keep_backups)
    if dry_run:
        return
    server = next(
        (values for found in states.values() for address, values in found.items() if address.startswith(_SERVER)), None
    )
    if mode in (Mode.DATABASES, Mode.EVERYTHING) and server and not without_backup:
        last = require_recent_backup(str(server["id"]), ask=az)
        err.print(f"Last full backup of {server['name']}: {last:%Y-%m-%d %H:%M} UTC", markup=False)
    if scope.data:
        name = f"{environment} {mode.value}"
        confirm_by_name(name, confirm, "This deletes data.", done="deleted", terminal=tools.terminal)
        if remains.sets and not keep_backups:
            question = f"This deletes {len(remains.sets)} backup sets as well; --keep-backups leaves them."
            confirm_by_name(
                f"{environment} backups", confirm_backups, question, done="deleted", terminal=tools.terminal
            )
    else:
        agreed = confirm or (environment if yes else "")
        confirm_by_name(environment, agreed, "Delete this?", done="deleted", terminal=tools.terminal)
    work.run()
    if as_json:
        print_json(told)
    err.print(f"Deleted: {scope.goes}. {scope.after}".rstrip(), markup=False)
    if mode is not Mode.EVERYTHING:
        err.print(f"To bring the platform back: `llmctl deploy {environment}`", markup=False)


def _show(environment: str, mode: Mode, items: list[Item], remains: Remains, *, keep_backups: bool) -> None:
    out.print(f"{environment} {mode.value}: {SCOPES[mode].goes}", markup=False)
    for title, goes in (("Goes:", True), ("Stays:", False)):
        out.print(title)
        for line in _remains(remains, sets=goes is not keep_backups, others=goes):
            out.print(f"  {line}", markup=False, soft_wrap=True)
        for item in items:
            if item.goes is goes:
                kind = item.address.partition(".")[0].removeprefix("azurerm_").removeprefix("azuread_")
                out.print(f"  {item.stack:<9} {kind.replace('_', ' ')} {item.name}  {item.size}", markup=False)
    for line in KEPT_ALWAYS:
        out.print(f"  {line.format(name=environment)}", markup=False)
    if SCOPES[mode].after:
        out.print(SCOPES[mode].after, markup=False)


def _remains(remains: Remains, *, sets: bool, others: bool) -> Iterator[str]:
    """Yield what no state holds, in lines like those of what Terraform knows."""
    if sets and remains.sets:
        for set_id, found in remains.sets.items():
            what = f"backup set {set_id}" if set_id else "snapshots of no backup set"
            yield f"backups   {what}  {len(found)} snapshots, {sum(size_gib(one) for one in found)} GiB of disks"
        price = in_words(remains.most(lambda _region: listed()))
        yield f"backups   together  {remains.size_gib} GiB of disks, {price} ({listed()})"
    if others:
        for name, size in described(remains).items():
            yield f"no stack  {name}  {size}, put aside by a restore or an adoption"


def _remains_as_json(remains: Remains, *, keep_backups: bool) -> dict[str, Any]:
    sets = [
        {"id": set_id, "snapshots": len(found), "size_gib": sum(map(size_gib, found)), "goes": not keep_backups}
        for set_id, found in remains.sets.items()
    ]
    return {"backup_sets": sets, "in_no_state": described(remains)}
