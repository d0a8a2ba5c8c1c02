"""`llmctl adopt`: take over an installation that was made by hand; the old one is only read."""

import typer

from .chat import chat
from .disks import disks
from .keys import keys
from .models import models

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Take over an installation made by hand: chat, keys, models, disks. The old one stays as it is.",
)
app.command("chat")(chat)
app.command("keys")(keys)
app.command("models")(models)
app.command("disks")(disks)
