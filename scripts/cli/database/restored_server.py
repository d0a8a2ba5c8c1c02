"""The server that a restore is about: in the environment file, in the state of the stack `database`, and in Azure."""

from collections.abc import Collection, Mapping
from typing import Any

from scripts.core import environment_file
from scripts.core.errors import ExitCode, OperatorError
from stacks.common.azure_names import AzureNames
from stacks.settings.database import DatabaseSettings

SERVER = "azurerm_postgresql_flexible_server"
GENERATION = "database.generation"
"""Setting that goes back with an abort."""
_GENERATIONS = range(1, 100)
_RESTORE_KEYS = ("restore_from_server_id", "restore_time_utc", "restore_geo_redundant")


def of_a_server(type_: str) -> bool:
    """Tell whether resources of a type are a server or belong to one."""
    return type_.startswith(SERVER)


def name_of(server_id: str) -> str:
    """Return the name in a server's id."""
    return server_id.rsplit("/", 1)[-1]


def server_id(names: AzureNames, server: str) -> str:
    """Return the id of a server that is named by its name in the environment's own group, or by its id."""
    if server.startswith("/"):
        return server
    group = names.resource_group("database")
    return (
        f"/subscriptions/{names.subscription_id}/resourceGroups/{group}"
        f"/providers/Microsoft.DBforPostgreSQL/flexibleServers/{server}"
    )


def source_of(names: AzureNames, database: DatabaseSettings, server: Mapping[str, Any] | None, from_: str) -> str:
    """Return the id of the server whose backups are restored: `from_`, else the one in the state.

    Raises OperatorError when there is none, or when file and state are about different servers and no restore has
    begun.
    """
    environment, wanted = names.environment, names.postgresql_server(database.generation)
    begun = database.restore_time_utc is not None
    if server is not None and server["name"] != wanted and not begun:
        raise OperatorError(
            f"environments/{environment}.yaml is about the server {wanted}, the state about {server['name']}",
            "bring database.generation back to the server that runs",
            ExitCode.REFUSED,
        )
    if from_:
        return server_id(names, from_)
    if server is None:
        raise OperatorError(
            f"the state of {environment} holds no database to restore",
            f"`llmctl deploy {environment}` makes one; `--from SERVER` restores from another server, `--abort` takes"
            " back the one before the last restore",
            ExitCode.NOT_READY,
        )
    return str(server["id"])


def is_switched(
    names: AzureNames, database: DatabaseSettings, moment: str, server: Mapping[str, Any] | None, from_: str
) -> bool:
    """Tell whether the state already holds the server that was restored to `moment`."""
    return (
        database.restore_time_utc == moment
        and server is not None
        and server["name"] == names.postgresql_server(database.generation)
        and (not from_ or database.restore_from_server_id == server_id(names, from_))
    )


def free_generation(
    names: AzureNames, database: DatabaseSettings, server: Mapping[str, Any] | None, taken: Collection[str]
) -> int:
    """Return the number of a server that does not exist, after the one in the state; `taken` are names in Azure."""
    first = generation_of(names, str(server["name"])) if server else database.generation
    return next(
        number for number in _GENERATIONS if number > (first or 0) and names.postgresql_server(number) not in taken
    )


def generation_of(names: AzureNames, name: str) -> int | None:
    """Return the number in the name of one of the environment's servers, None for another server's name."""
    return next((number for number in _GENERATIONS if names.postgresql_server(number) == name), None)


def with_restore(text: str, generation: int, source_id: str, moment: str) -> str:
    """Return the text of the environment file that asks for a restored server."""
    values = {"generation": str(generation), "restore_from_server_id": source_id, "restore_time_utc": moment}
    for key, value in values.items():
        text = environment_file.with_value(text, ("database", key), value)
    return text


def with_geo_redundant_backup(text: str) -> str:
    """Return the text of the environment file that restores from a backup of another region."""
    return environment_file.with_value(text, ("database", "restore_geo_redundant"), "true")


def without_restore(text: str, generation: int) -> str:
    """Return the text of the environment file that asks for an existing server, and for no restore."""
    for key in _RESTORE_KEYS:
        text = environment_file.without_key(text, ("database", key))
    return environment_file.with_value(text, ("database", "generation"), str(generation))


def import_ids(server: str, configured: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the import ids of a server and of what belongs to it, by address; `configured` are their arguments."""
    last = {"": "", "_configuration": "name", "_active_directory_administrator": "object_id"}
    kinds = {"_configuration": "configurations", "_active_directory_administrator": "administrators"}
    found = {}
    for address, arguments in configured.items():
        kind = address.partition(".")[0].removeprefix(SERVER)
        found[address] = f"{server}/{kinds[kind]}/{arguments[last[kind]]}" if kind else server
    return found
