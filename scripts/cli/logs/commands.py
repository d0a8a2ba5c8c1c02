"""The command."""

import re
import sys
from typing import Annotated

import typer

from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.cluster.component_logs import Wanted, as_json, coloured, plain, print_logs
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.registry import components

app = typer.Typer(rich_markup_mode="rich")

DURATION = r"[1-9]\d{0,5}[smh]"


def _complete(incomplete: str) -> list[str]:
    return [component.name for component in components() if component.name.startswith(incomplete)]


@app.command()
def logs(
    context: typer.Context,
    component: Annotated[
        str, typer.Argument(metavar="COMPONENT", autocompletion=_complete, help="Such as chat, llm_gateway, ingress.")
    ],
    environment: Environment = None,
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=-1, help="Lines from the end of each; -1: all.")] = 50,
    since: Annotated[str, typer.Option(metavar="TIME", help="Only lines of the last 30s, 10m, 2h.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing until Ctrl-C.")] = False,
    previous: Annotated[bool, typer.Option("--previous", help="Logs from before the last restarts.")] = False,
    json_lines: AsJson = False,
) -> None:
    """Print what all pods and containers of a component write, each line with its pod.

    Examples: `llmctl logs ingress prod --since 10m`, `llmctl logs serving --follow`
    """
    if since and not re.fullmatch(DURATION, since):
        raise OperatorError(f"--since: {since!r} is no time such as 10m", "units are s, m, h", ExitCode.USAGE)
    tools, name = tools_of(context), environment or default_environment()
    enabled = enabled_components(tools.load(name))
    spaces = {each.name: [rules.name for rules in each.namespaces(enabled)] for each in enabled}
    known = [each for each, own in spaces.items() if own]
    if component not in known:
        raise OperatorError(
            f"{name} runs no component {component!r} with pods", f"name one of: {', '.join(known)}", ExitCode.USAGE
        )
    wanted = Wanted(lines=lines, since=since, follow=follow, previous=previous)
    form = as_json if json_lines else coloured if sys.stdout.isatty() else plain
    status = print_logs(tools.kubectl_of(name), spaces[component], wanted, sys.stdout, form)
    if status:
        err.print(f"Not every pod could be read: exit status {status} of kubectl.", markup=False)
        raise typer.Exit(ExitCode.FAILED)
