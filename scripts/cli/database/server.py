"""What Azure knows of an environment's PostgreSQL servers and their backups."""

from collections.abc import Callable
from typing import Any

from scripts.core.azure import az
from stacks.settings import Settings

_BACKUPS_API = "2024-08-01"


def server_status(
    settings: Settings, outputs: dict[str, Any], ask: Callable[..., dict[str, Any]] = az
) -> dict[str, Any]:
    """Return what Azure knows of the server in use and of others in its resource group. Raises AzureError."""
    server, group = outputs["server_name"], outputs["resource_group_name"]
    place = ("--resource-group", group, "--subscription", settings.azure.subscription_id)
    shown = ask("postgres", "flexible-server", "show", "--name", server, *place)
    # az answers these with lists.
    listed = ask("postgres", "flexible-server", "list", *place, "--query", "{servers: [].name}")
    # By its interface: the argument that names the server of `backup list` is another one from az 2.86 on.
    resource = f"/subscriptions/{settings.azure.subscription_id}/resourceGroups/{group}/providers"
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
