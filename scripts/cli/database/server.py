"""What Azure knows of an environment's PostgreSQL servers and their backups."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scripts.core.azure import az
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings.azure import AzureSettings

_BACKUPS_API = "2024-08-01"


def server_status(
    azure: AzureSettings, outputs: dict[str, Any], ask: Callable[..., dict[str, Any]] = az
) -> dict[str, Any]:
    """Return what Azure knows of the server in use and of others in its resource group. Raises AzureError."""
    server, group = outputs["server_name"], outputs["resource_group_name"]
    place = ("--resource-group", group, "--subscription", azure.subscription_id)
    shown = ask("postgres", "flexible-server", "show", "--name", server, *place)
    # az answers these with lists.
    listed = ask("postgres", "flexible-server", "list", *place, "--query", "{servers: [].name}")
    # By its interface: the argument that names the server of `backup list` is another one from az 2.86 on.
    resource = f"/subscriptions/{azure.subscription_id}/resourceGroups/{group}/providers"
    url = f"{resource}/Microsoft.DBforPostgreSQL/flexibleServers/{server}/backups?api-version={_BACKUPS_API}"
    backups = ask("rest", "--method", "GET", "--url", url)
    return {
        "server": server,
        "size": f"{shown['sku']['name']}, {shown['storage']['storageSizeGb']} GiB",
        "state": shown["state"],
        "earliest_restore": shown["backup"]["earliestRestoreDate"],
        "backups": sorted(backup["properties"]["completedTime"] for backup in backups["value"]),
        "other_servers": sorted(set(listed["servers"]) - {server}),
    }


@dataclass(frozen=True)
class AzureServers:
    """What Azure says before and after a restore."""

    ask: Callable[..., dict[str, Any]] = az

    def require_restorable(self, server_id: str, moment: str) -> None:
        """Return when `moment` (UTC) can be restored of a server. Raises OperatorError, also when it is not there."""
        earliest = str(self._shown(server_id)["backup"]["earliestRestoreDate"])
        if datetime.fromisoformat(moment) < datetime.fromisoformat(earliest):
            raise OperatorError(
                f"Azure has no backup of {_name(server_id)} at {moment}; its earliest point is {earliest}",
                "name a later --to; a restored server has backups from its own beginning on, so that an earlier time"
                " needs --from with the server before it",
                ExitCode.REFUSED,
            )

    def require_there(self, server_id: str) -> None:
        """Return when the server exists and runs. Raises OperatorError otherwise."""
        self._shown(server_id)

    def names(self, server_id: str) -> set[str]:
        """Return the names of all servers beside this one and of itself, as far as they exist. Raises AzureError."""
        listed = self.ask("postgres", "flexible-server", "list", *_place(server_id), "--query", "{servers: [].name}")
        return set(listed["servers"])

    def _shown(self, server_id: str) -> dict[str, Any]:
        shown = self.ask(
            "postgres", "flexible-server", "show", "--name", _name(server_id), *_place(server_id)
        )  # fmt: skip
        if str(shown["state"]) != "Ready":
            raise OperatorError(
                f"{_name(server_id)} is {shown['state']}, and Azure restores a server that is Ready",
                "start it or wait, then run this again",
                ExitCode.NOT_READY,
            )
        return shown


def _name(server_id: str) -> str:
    return server_id.rsplit("/", 1)[-1]


def _place(server_id: str) -> tuple[str, ...]:
    parts = server_id.split("/")
    return ("--resource-group", parts[4], "--subscription", parts[2])
