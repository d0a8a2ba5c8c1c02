"""`llmctl restore`: bring a backup set back beside what is there, go back, and discard what was in use before."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.backup.counts import counted_in
from scripts.backup.manifest import Manifest, parse
from scripts.backup.restoring import RestorePart
from scripts.cli.backup.opened import opened
from scripts.cli.database.commands import restore as restore_database
from scripts.cli.options import AsJson, Yes
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.external_secrets import refresh
from scripts.cluster.pod_program import ByCommand, in_pod
from scripts.core.consent import Consent
from scripts.core.console import out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.remote_runs import refuse_remote_runs
from scripts.core.targets import complete_environment
from stacks.platform.components.chat import names as chat
from stacks.settings.data import DataDisk

from .disk_switch import DiskSwitch
from .reach import Reach
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
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="OTHER", help="Restore into another environment, which is deployed."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="FILE", help="The set, as `backup show --json` prints it, for --into."),
    ] = None,
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

    `--into OTHER` does so in a scratch environment, or in one of the region that `backups.copy_to_region` names: then
    go on and back with `llmctl restore OTHER`.

    `llmctl restore prod latest --only disks`, `llmctl restore prod latest --into scratch --dry-run`,
    `llmctl restore prod --discard-old llm-prod-mysql`.

    Examples: `llmctl restore prod latest --dry-run`, `llmctl restore prod --only database --into dev`
    """
    if manifest and not into:
        raise OperatorError("--manifest is for --into OTHER", "llmctl restore --help", ExitCode.USAGE)
    if into and (into == environment or abort or use or discard_old):
        raise OperatorError(
            f"--into takes another environment than {environment}, and neither --abort, --use nor --discard-old",
            f"llmctl restore {into} --abort" if into != environment else f"llmctl restore {environment}",
            ExitCode.USAGE,
        )
    tools = tools_of(context)
    of = _set_of(tools, environment, set_id, manifest) if into else None
    environment = into or environment
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
    differences = found.run(set_id, parts, tuple(disk or ()), dry_run=dry_run, of=of)
    if dry_run:
        return
    _end(environment, differences, [], as_json=as_json)
    if differences:
        raise OperatorError(
            "what was restored is not what the set held",
            f"look at it; `llmctl restore {environment} --abort` goes back to what was in use before",
            ExitCode.FAILED,
        )


def _set_of(tools: Tools, environment: str, set_id: str, file: Path | None) -> Manifest:
    """Return a set of the environment, from its container or from a file. Raises OperatorError."""
    if file is None:
        return opened(tools, environment).store.read(set_id)
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}", code=ExitCode.USAGE) from None
    found = parse(text, file.name)
    if found.environment != environment or set_id not in ("latest", found.id):
        raise OperatorError(
            f"{file.name} is the set {found.id} of {found.environment}",
            f"llmctl restore {found.environment} --into OTHER --manifest {file}",
            ExitCode.USAGE,
        )
    return found


def set_restore(context: typer.Context, environment: str, *, yes: bool) -> SetRestore:
    """Return what restores into an environment.

    Raises OperatorError when its durable stacks are not deployed, or its state is in HCP Terraform.
    """
    tools = tools_of(context)
    settings = tools.load(environment)
    refuse_remote_runs(settings.name, settings.state, "llmctl restore")
    found = opened(tools, environment)
    consent = Consent(environment, yes, terminal=tools.terminal)

    def database(moment: str, server_id: str, geo: bool) -> None:
        restore_database(context, environment, to=moment, from_=server_id, geo_redundant=geo, yes=True)

    def database_back(server: str) -> None:
        restore_database(context, environment, abort=True, from_=server, yes=True)

    def chat_of(name: str) -> ByCommand:
        return in_pod(tools.kubectl_of(name), chat.NAMESPACE, f"deployment/{chat.RELEASE}", chat.RELEASE)

    reach = Reach(
        opened=found,
        load=lambda: tools.load(environment),
        switch=lambda ids: DiskSwitch(
            environment=environment, tools=tools, disk_ids=ids, vault_id=found.place.backup_vault_id
        ),
        database=database,
        database_back=database_back,
        counted=lambda: counted_in(found.settings, found.kubectl(), found.stores(found.kubectl()).counts),
        chat=lambda: chat_of(environment),
        chat_of=chat_of,
        azure_of=tools.azure_of,
        refresh=lambda: refresh(found.kubectl()),
    )
    return SetRestore(reach=reach, consent=consent)


def _end(environment: str, differences: list[str], stays: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"environment": environment, "differences": differences, "stays": stays})
        return
    for line in differences:
        out.print(f"differs: {line}", markup=False)
    for line in stays:
        out.print(f"stays: {line}", markup=False)
    out.print(f"Done. Commit environments/{environment}.yaml.", markup=False)
