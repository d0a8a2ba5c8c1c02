"""`llmctl db`: PostgreSQL's backups, and a restore to a point in time."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from scripts.applications.database_shell import DatabaseShell
from scripts.cli.completing import complete_database, databases_of
from scripts.cli.options import AsJson, Environment, Yes, require_terminal
from scripts.cli.tools import tools_of
from scripts.core.consent import Consent, confirm_by_name
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.remote_runs import refuse_remote_runs
from scripts.core.targets import default_environment

from .restore import Restore
from .server import server_status

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Restore PostgreSQL to a point in time, list its backups, open psql.",
)


@app.command("restore")
def restore(
    context: typer.Context,
    environment: Environment = None,
    *,
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="Such as 2026-11-01T12:00:00Z, or with +01:00.")] = "",
    from_: Annotated[
        str,
        typer.Option("--from", metavar="SERVER", help="Name or id of another server; left out, the one in use."),
    ] = "",
    geo_redundant: Annotated[
        bool,
        typer.Option("--geo-redundant", help="Restore a server of another region here, from its geo-redundant backup."),
    ] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Go back to the server before the restore.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask Azure, plan, and end with nothing written.")] = False,
    yes: Yes = False,
    wait_minutes: Annotated[float, typer.Option(min=0, help="How long to wait for chat and LLM gateway.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Restore PostgreSQL to a point in time: chats, users, vectors, keys of the API.

    Azure restores into a new server beside the old one, which stays as it is, with everything that was written since.
    Asks Azure whether it has a backup of that time, plans, asks you, and lets Azure make the server (some minutes to an
    hour). Only then the environment file and Terraform's state change over to it; network, aks and platform follow:
    private endpoint, addresses and secrets. At the end checks that chat and LLM gateway reach their databases.

    Running it again goes on after a failure or an interruption. Until the new server is there, the old one is in use,
    and another TIME or SERVER may be chosen. --abort goes back to it at any time. Opik's data is not in PostgreSQL.

    Examples: `llmctl db restore prod --to 2026-11-20T09:30:00Z --dry-run`, `llmctl db restore prod --abort`
    """
    tools, name = tools_of(context), environment or default_environment()
    if bool(to) == abort:
        raise OperatorError("name either --to TIME or --abort", "llmctl db restore --help", ExitCode.USAGE)
    if geo_redundant and not from_:
        raise OperatorError(
            "--geo-redundant needs --from with the server's resource id", "llmctl db restore --help", ExitCode.USAGE
        )
    settings = tools.load(name)
    refuse_remote_runs(settings.name, settings.state, "llmctl db restore")
    work = Restore(name, Consent(name, yes, terminal=tools.terminal), wait_minutes * 60, tools=tools)
    if abort:
        done = work.abort(from_=from_)
    else:
        # How long another server's backups are kept, Azure alone knows.
        days = None if from_ else settings.database.backup_retention_days
        moment = moment_of(to, days, datetime.now(UTC))
        done = work.run(moment, from_=from_, geo_redundant=geo_redundant, dry_run=dry_run)
    if as_json:
        print_json({"environment": name, "server": done.server, "left": done.left, "dry_run": dry_run})
    elif dry_run:
        out.print(f"{done.server} would be made, and {name} would use it. Nothing was written.", markup=False)
    else:
        out.print(f"{name} works with the server {done.server}. Commit environments/{name}.yaml.", markup=False)
        for server in done.left:
            out.print(
                f"{server} stays and costs until a person removes it: docs/how-to/restore-postgresql.md.", markup=False
            )


@app.command("shell")
def shell(
    context: typer.Context,
    environment: Environment = None,
    *,
    database: Annotated[
        str | None,
        typer.Option(
            "--database", metavar="NAME", autocompletion=complete_database, help="Left out: the chat's, else the first."
        ),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Allow changes too; asks for the environment's name.")] = False,
    confirm: Annotated[str | None, typer.Option("--confirm", metavar="ENV", help="Agree to --write.")] = None,
) -> None:
    """Open psql on a database of the platform, in a pod that ends with it; read-only unless asked otherwise.

    Logs in as the database's owner, with the password that is mounted in the pod. Examples: `llmctl db shell prod`,
    `llmctl db shell prod --database litellm`
    """
    tools, name = tools_of(context), environment or default_environment()
    known = databases_of(tools.load(name))
    if not known or (database is not None and database not in known):
        raise OperatorError(
            f"{name} has no database {database or ''}".rstrip(), f"it has: {', '.join(known) or 'none'}", ExitCode.USAGE
        )
    require_terminal(tools.terminal)
    if write:
        question = f"Statements may change and delete data of {name}."
        confirm_by_name(name, confirm, question, done="opened", terminal=tools.terminal)
    kubectl = tools.kubectl_of(name)
    session = DatabaseShell(kubectl, tools.cluster_of(kubectl))
    raise typer.Exit(session.open(database or known[0], write=write))


@app.command("status")
def status(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show the server, its earliest restore point, its daily backups, and servers left by earlier restores.

    Examples: `llmctl db status prod`, `llmctl db status --json`
    """
    tools, name = tools_of(context), environment or default_environment()
    found = server_status(tools.load(name).azure, tools.outputs_of(name, "database")["database"])
    if as_json:
        print_json({"environment": name, **found})
        return
    out.print(f"{found['server']}: {found['size']}, {found['state']}", markup=False)
    out.print(f"Restorable from {found['earliest_restore']} on, to any second", markup=False)
    for backup in found["backups"]:
        out.print(f"  full backup of {backup}", markup=False)
    for old in found["other_servers"]:
        err.print(
            f"{old} is no longer used, and still costs; docs/how-to/restore-postgresql.md says when to delete it."
        )


def moment_of(text: str, retention_days: int | None, now: datetime) -> str:
    """Return the point in time as the environment file has it: UTC, whole seconds.

    Raises OperatorError for a text that is no time with an offset, and, where the retention is known, for a time that
    has no backup.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise OperatorError(
            f"--to {text} is no point in time", "write it like 2026-11-01T12:00:00Z or 2026-11-01T13:00:00+01:00",
            ExitCode.USAGE,
        )  # fmt: skip
    moment = moment.astimezone(UTC)
    if retention_days is None:
        return _written(moment)
    earliest = now - timedelta(days=retention_days)
    if not earliest <= moment <= now:
        raise OperatorError(
            f"--to {text} is not between {_written(earliest)} and {_written(now)}, so there is no backup of it",
            f"backups are kept {retention_days} days (database.backup_retention_days); `llmctl db status`",
            ExitCode.USAGE,
        )
    return _written(moment)


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
