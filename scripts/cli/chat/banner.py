"""`llmctl webui banner`: a text over the chat, for maintenance by hand."""

from typing import Annotated

import typer

from scripts.applications.chat.banner import Banner, banner_of
from scripts.cli.options import Environment
from scripts.cli.tools import tools_of
from scripts.core.console import out
from scripts.core.errors import ExitCode, OperatorError

from .opened import settings_of_chat

LONGEST = 500


def banner(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What everybody shall read.")],
    environment: Environment = None,
) -> None:
    """Show a text over the page of a new chat to everybody who opens or reloads it, until removed or the pods restart.

    `deployments.chat_banner` shows one during deployments by itself.

    Examples: `llmctl webui banner "Maintenance from 18:00" prod`, `llmctl webui banner "Slow today" dev`
    """
    if not text.strip() or len(text) > LONGEST:
        raise OperatorError(f"TEXT has {len(text)} characters; 1 to {LONGEST} can be shown", code=ExitCode.USAGE)
    out.print(f"Shown in {_pods(_banner(context, environment).show(text))}.", markup=False)


def remove_banner(context: typer.Context, environment: Environment = None) -> None:
    """Remove the banner that `webui banner`, or a deployment that was killed, has left.

    Examples: `llmctl webui remove-banner prod`, `llmctl chat remove-banner`
    """
    out.print(f"Removed from {_pods(_banner(context, environment).remove())}.", markup=False)


def _banner(context: typer.Context, environment: str | None) -> Banner:
    tools = tools_of(context)
    settings = settings_of_chat(tools, environment)
    return banner_of(settings, tools.kubectl_of(settings.name), tools.in_pod)


def _pods(count: int) -> str:
    return f"{count} pod{'s' if count > 1 else ''}"
