"""`llmctl opik`: tracing and evaluation."""

import typer

from scripts.opik.parts import CLIENTS

from .access import env, token
from .check import health
from .mysql import empty_mysql
from .repair import repair
from .retention import retention
from .running import client, logs, restart, shell, start, status, stop
from .version import rollback, upgrade

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Opik: status, logs, restart, stop, start, shells, upgrade, roll back, check, tokens for programs.",
)
app.command("status")(status)
app.command("logs")(logs)
app.command("restart")(restart)
app.command("stop")(stop)
app.command("start")(start)
app.command("shell")(shell)
for store_client in CLIENTS:
    app.command(store_client)(client(store_client))
app.command("upgrade")(upgrade)
app.command("rollback")(rollback)
app.command("empty-mysql")(empty_mysql)
app.command("repair")(repair)
app.command("token")(token)
app.command("env")(env)
app.command("retention")(retention)
app.command("health")(health)
