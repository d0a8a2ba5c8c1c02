"""`llmctl db`: PostgreSQL's backups, and a restore to a point in time."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from scripts.cli.options import AsJson, Environment, Yes
from scripts.cli.tools import tools_of
from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment

from .restore import Restore
from .server import server_status

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Restore PostgreSQL to a point in time, list its backups.",
)


@app.command("restore")
def restore(
    context: typer.Context,
    environment: Environment = None,
    *,
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="Such as 2026-11-01T12:00:00Z, or with +01:00.")],
    yes: Yes = False,
    wait_minutes: Annotated[float, typer.Option(min=0, help="How long to wait for chat and LLM gateway.")] = 20,
) -> None:
    """Restore PostgreSQL to a point in time: chats, users, vectors, keys of the API.

    Azure restores into a new server beside the old one, which stays as it is, with everything that was written since.
    Writes the restore into the environment file, removes the old server from Terraform's state, deploys database
    (some minutes to an hour), then network, aks and platform: private endpoint, addresses and secrets follow the new
    server, and what uses it restarts. At the end checks that chat and LLM gateway reach their databases.

    Running it again with the same TIME goes on after a failure. Opik's data is not in PostgreSQL.
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    moment = moment_of(to, settings.database.backup_retention_days, datetime.now(UTC))
    Restore(name, moment, Consent(name, yes, terminal=tools.terminal), wait_minutes * 60, tools=tools).run()
    out.print(
        f"{name} works with its database of {moment}. Commit environments/{name}.yaml. The old server stays and costs"
        f" until a person removes it: `llmctl db status {name}`, docs/how-to/restore-postgresql.md.",
        markup=False,
    )


@app.command("status")
def status(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show the server, its earliest restore point, its daily backups, and servers left by earlier restores."""
    tools, name = tools_of(context), environment or default_environment()
    found = server_status(tools.load(name), tools.outputs_of(name, "database")["database"])
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


def moment_of(text: str, retention_days: int, now: datetime) -> str:
    """Return the point in time as the environment file has it: UTC, whole seconds.

    Raises OperatorError for a text that is no time with an offset, and for a time that has no backup.
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
