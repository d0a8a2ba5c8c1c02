"""`llmctl db`: PostgreSQL's backups, and the way back to a point in time."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, default_environment, load_environment

if TYPE_CHECKING:
    from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Restore PostgreSQL to a point in time.",
)

Environment = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
]


@app.command("restore")
def restore(
    environment: Environment = None,
    *,
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="Such as 2026-11-01T12:00:00Z, or with +01:00.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand.")] = False,
    wait_minutes: Annotated[float, typer.Option(min=0, help="How long to wait for chat and gateway.")] = 20,
) -> None:
    """Take PostgreSQL back to a point in time: chats, users, vectors, keys of the API.

    Azure restores into a new server beside the old one, which stays as it is, with everything that was written since.
    Writes the restore into the environment file, takes the old server out of Terraform's state, deploys database
    (some minutes to an hour), then network, aks and platform: private endpoint, addresses and secrets follow the new
    server, and what uses it restarts. At the end chat and gateway are asked whether they reach their databases.

    Running it again with the same TIME goes on after a failure. Opik's data is not in PostgreSQL.
    """
    from .restore import Restore  # noqa: PLC0415

    name = environment or default_environment()
    settings = load_environment(name)
    moment = moment_of(to, settings.database.backup_retention_days, datetime.now(UTC))
    Restore(name, moment, Consent(name, yes), wait_minutes * 60).run()
    out.print(
        f"{name} works with its database of {moment}. Commit environments/{name}.yaml. The old server stays and costs"
        f" until a person removes it: `llmctl db status {name}`, docs/how-to/restore-postgresql.md.",
        markup=False,
    )


@app.command("status")
def status(
    environment: Environment = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for a program.")] = False,
) -> None:
    """Show the server, from when on it can be restored, its daily backups, and servers left by earlier restores."""
    from scripts.terraform.outputs import outputs_of  # noqa: PLC0415

    name = environment or default_environment()
    settings = load_environment(name)
    found = server_status(settings, outputs_of(name, "database")["database"])
    if as_json:
        print_json({"environment": name, **found})
        return
    out.print(f"{found['server']}: {found['size']}, {found['state']}", markup=False)
    out.print(f"Restorable from {found['earliest_restore']} on, to any second", markup=False)
    for backup in found["backups"]:
        out.print(f"  full backup of {backup}", markup=False)
    for old in found["other_servers"]:
        err.print(f"{old} is no longer used and still costs; docs/how-to/restore-postgresql.md says when to delete it.")


_BACKUPS_API = "2024-08-01"


def server_status(settings: "Settings", outputs: dict[str, Any]) -> dict[str, Any]:
    """Return what Azure knows of the server in use and of others in its resource group. Raises AzureError."""
    from scripts.core.azure import az  # noqa: PLC0415

    server, group = outputs["server_name"], outputs["resource_group_name"]
    place = ("--resource-group", group, "--subscription", settings.azure.subscription_id)
    shown = az("postgres", "flexible-server", "show", "--name", server, *place)
    # az answers these with lists.
    listed = az("postgres", "flexible-server", "list", *place, "--query", "{servers: [].name}")
    # By its interface: the argument that names the server of `backup list` is another one from az 2.86 on.
    resource = f"/subscriptions/{settings.azure.subscription_id}/resourceGroups/{group}/providers"
    url = f"{resource}/Microsoft.DBforPostgreSQL/flexibleServers/{server}/backups?api-version={_BACKUPS_API}"
    backups = az("rest", "--method", "GET", "--url", url)
    return {
        "server": server,
        "size": f"{shown['sku']['name']}, {shown['storage']['storageSizeGb']} GiB",
        "state": shown["state"],
        "earliest_restore": shown["backup"]["earliestRestoreDate"],
        "backups": sorted(backup["properties"]["completedTime"] for backup in backups["value"]),
        "other_servers": sorted(set(listed["servers"]) - {server}),
    }


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
