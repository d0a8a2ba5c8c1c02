"""`llmctl cleanup`: give up a part of an environment, or all of it; each mode is named by what it deletes."""

from typing import Annotated

import typer

from scripts.cli.options import AsJson
from scripts.cli.tools import tools_of
from scripts.core.azure import az
from scripts.core.consent import confirm_by_name
from scripts.core.console import err, out, print_json
from scripts.core.targets import complete_environment
from scripts.deployment.leaving.inventory import Item, inventory
from scripts.deployment.leaving.modes import SCOPES, Mode
from scripts.deployment.leaving.recent_backup import require_recent_backup

from .cleanup import Cleanup

app = typer.Typer(add_completion=False, rich_markup_mode="rich")
_SERVER = "azurerm_postgresql_flexible_server."
KEPT_ALWAYS = (
    "environments/{name}.yaml and the state backend",
    "identities of pipelines (llmctl pipeline remove)",
    "disks, servers and snapshots that earlier restores left, which no state holds (az resource list)",
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
    `llmctl deploy` brings the rest back. They ask for the environment and the mode by name, whatever --yes says.
    Locks and policies are taken off for what goes, by this command alone. Safe to interrupt and to run again.

    To go back to an earlier moment instead: `llmctl db restore`, docs/how-to/operate-opik.md.
    """
    tools = tools_of(context)
    settings = tools.load(environment)
    work, scope = Cleanup(settings, mode, tools), SCOPES[mode]
    states = work.states()
    items = inventory(mode, settings, states)
    if as_json and dry_run:
        print_json({"environment": environment, "mode": mode.value, "items": [item.as_json() for item in items]})
    else:
        _show(environment, mode, items)
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
    else:
        agreed = confirm or (environment if yes else "")
        confirm_by_name(environment, agreed, "Delete this?", done="deleted", terminal=tools.terminal)
    work.run()
    if as_json:
        print_json({"environment": environment, "mode": mode.value, "items": [item.as_json() for item in items]})
    err.print(f"Deleted: {scope.goes}. {scope.after}".rstrip(), markup=False)
    if mode is not Mode.EVERYTHING:
        err.print(f"To bring the platform back: `llmctl deploy {environment}`", markup=False)


def _show(environment: str, mode: Mode, items: list[Item]) -> None:
    out.print(f"{environment} {mode.value}: {SCOPES[mode].goes}", markup=False)
    for title, goes in (("Goes:", True), ("Stays:", False)):
        out.print(title)
        for item in items:
            if item.goes is goes:
                kind = item.address.partition(".")[0].removeprefix("azurerm_").removeprefix("azuread_")
                out.print(f"  {item.stack:<9} {kind.replace('_', ' ')} {item.name}  {item.size}", markup=False)
    for line in KEPT_ALWAYS:
        out.print(f"  {line.format(name=environment)}", markup=False)
    if SCOPES[mode].after:
        out.print(SCOPES[mode].after, markup=False)
