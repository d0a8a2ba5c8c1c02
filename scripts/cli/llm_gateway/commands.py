"""`llmctl gateway`: the LLM gateway's teams with budgets, their keys and spending, and its models offered to Opik."""

import typer

from scripts.cli.operations.nouns import add_operations

from .judge import judge
from .keys import create_key, key, keys, revoke_key, rotate_key
from .person import person
from .spend import spend
from .teams import remove_team, team, teams

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="LLM gateway: teams, budgets, keys, spending; models offered to Opik.",
)
app.command("teams")(teams)
app.command("team")(team)
app.command("remove-team")(remove_team)
app.command("keys")(keys)
app.command("create-key")(create_key)
app.command("key")(key)
app.command("rotate-key")(rotate_key)
app.command("revoke-key")(revoke_key)
app.command("person")(person)
app.command("spend")(spend)
app.command("judge")(judge)
add_operations(app, "gateway")
