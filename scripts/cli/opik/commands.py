"""`llmctl opik`: tracing and evaluation."""

import typer

from scripts.cli.operations.nouns import add_operations
from scripts.opik.clients import CLIENTS

from .access import env, token
from .check import health
from .clients import client, minio_console
from .mysql import empty_mysql
from .repair import repair
from .retention import retention
from .version import rollback, upgrade

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Opik: status, logs, restart, stop, start, shells, upgrade, roll back, check, tokens for programs.",
)
add_operations(app, "opik")
for store_client in CLIENTS:
    app.command(store_client)(client(store_client))
app.command("minio-console")(minio_console)
app.command("upgrade")(upgrade)
app.command("rollback")(rollback)
app.command("empty-mysql")(empty_mysql)
app.command("repair")(repair)
app.command("token")(token)
app.command("env")(env)
app.command("retention")(retention)
app.command("health")(health)
