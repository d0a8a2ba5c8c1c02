"""`llmctl opik empty-mysql`: an incomplete data directory of MySQL."""

from typing import Annotated

import typer

from scripts.cli.options import Environment
from scripts.cli.tools import tools_of
from scripts.core.console import out
from scripts.core.targets import known_environment
from scripts.opik.mysql import empty_half_made
from scripts.terraform.outputs import connected


def empty_mysql(
    context: typer.Context,
    environment: Environment = None,
    *,
    confirm: Annotated[
        str | None, typer.Option(metavar="DISK", help="Agree beforehand, by the name of MySQL's disk.")
    ] = None,
) -> None:
    """Delete an incomplete data directory of MySQL, so that MySQL can be initialised again.

    For one case only: MySQL's very first start was interrupted, and it has not started since. Refuses when MySQL runs
    or when the directory holds a single table of Opik. Shows what would be deleted and asks for the disk's name.

    Examples: `llmctl opik empty-mysql dev`, `llmctl opik empty-mysql dev --confirm dev`
    """
    tools = tools_of(context)
    name = known_environment(environment)
    found = tools.outputs_of(name, "disks", "aks")
    disk = found["disks"]["mysql_disk_id"].rpartition("/")[2]
    empty_half_made(connected(tools.load(name), found["aks"]), disk, confirm, tools.terminal)
    out.print("MySQL runs on a new, empty data directory; the backend's pods migrate it as they start.")
