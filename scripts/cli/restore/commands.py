"""`llmctl restore`: bring a backup set back beside what is there, go back, and discard what was in use before."""

from typing import Annotated

import typer

from scripts.backup.counts import counted_in
from scripts.backup.restoring import RestorePart
from scripts.cli.backup.opened import opened
from scripts.cli.database.commands import restore as restore_database
from scripts.cli.options import AsJson, Yes
from scripts.cli.tools import tools_of
from scripts.cluster.pod_program import in_pod
from scripts.core.consent import Consent
from scripts.core.console import out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment
from stacks.platform.components.chat import names as chat
from stacks.settings.data import DataDisk

from .disk_switch import DiskSwitch
from .set_restore import SetRestore

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command("restore")
def restore(
    context: typer.Context,
    environment: Annotated[
        str, typer.Argument(metavar="ENV", autocompletion=complete_environment, help="The environment.")
    ],
    set_id: Annotated[
        str, typer.Argument(metavar="[SET]", help="Id of a backup set; left out, the newest.")
    ] = "latest",
    *,
    only: Annotated[
        list[RestorePart] | None, typer.Option("--only", metavar="PART", help="A part; repeatable. Left out: all.")
    ] = None,
    disk: Annotated[
        list[DataDisk] | None, typer.Option("--disk", metavar="DISK", help="A disk; repeatable. Left out: all five.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and do nothing.")] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Go back to what was in use before.")] = False,
    use: Annotated[
        list[str] | None, typer.Option("--use", metavar="NAME", help="Use a disk that exists, by name; repeatable.")
    ] = None,
    discard_old: Annotated[
        str | None, typer.Option("--discard-old", metavar="NAME", help="Delete a disk that is no longer in use.")
    ] = None,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="NAME", help="Agree to --discard-old beforehand, by its name.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup set beside what is there: new disks, a new database server, missing files, values of secrets.

    Shows the plan and asks, once. Opik's disks are made from the snapshots under the next free number, Opik is stopped,
    file, state and cluster change over, and Opik starts on them; what was in use stays, locked, until --discard-old
    names it. At the end traces, projects, users, chats and files are counted and compared with the set. Stopped
    anywhere, `llmctl restore ENV` goes on, and --abort goes back.

    `llmctl restore prod latest --only disks`, `llmctl restore prod latest --only vault`,
    `llmctl restore prod --discard-old llm-prod-mysql`.
    """
    found = context.find_object(SetRestore) or set_restore(context, environment, yes=yes)
    if discard_old:
        found.discard(discard_old, confirm)
        out.print(f"{discard_old} is deleted.", markup=False)
        return
    if use:
        found.use(use)
        _end(environment, [], [], as_json=as_json)
        return
    if abort:
        stays = found.abort()
        _end(environment, [], stays, as_json=as_json)
        return
    parts = tuple(only) if only else (RestorePart.DISKS,) if disk else tuple(RestorePart)
    differences = found.run(set_id, parts, tuple(disk or ()), dry_run=dry_run)
    if dry_run:
        return
    _end(environment, differences, [], as_json=as_json)
    if differences:
        raise OperatorError(
            "what was restored is not what the set held",
            f"look at it; `llmctl restore {environment} --abort` goes back to what was in use before",
            ExitCode.FAILED,
        )


def set_restore(context: typer.Context, environment: str, *, yes: bool) -> SetRestore:
    """Return what restores an environment. Raises OperatorError when its durable stacks are not deployed."""
    tools = tools_of(context)
    found = opened(tools, environment)
    consent = Consent(environment, yes, terminal=tools.terminal)

    def database(moment: str, server_id: str) -> None:
        restore_database(context, environment, to=moment, from_=server_id, yes=True)

    def database_back() -> None:
        restore_database(context, environment, abort=True, yes=True)

    return SetRestore(
        opened=found,
        consent=consent,
        load=lambda: tools.load(environment),
        switch=lambda ids: DiskSwitch(
            environment=environment, tools=tools, disk_ids=ids, vault_id=found.place.backup_vault_id
        ),
        database=database,
        database_back=database_back,
        counted=lambda: counted_in(found.settings, found.kubectl(), found.stores(found.kubectl()).counts),
        chat=lambda: in_pod(found.kubectl(), chat.NAMESPACE, f"deployment/{chat.RELEASE}", chat.RELEASE),
    )


def _end(environment: str, differences: list[str], stays: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"environment": environment, "differences": differences, "stays": stays})
        return
    for line in differences:
        out.print(f"differs: {line}", markup=False)
    for line in stays:
        out.print(f"stays: {line}", markup=False)
    out.print(f"Done. Commit environments/{environment}.yaml.", markup=False)
