"""`llmctl opik token` and `env`: how programs log in to Opik."""

import shlex
from typing import Annotated

import typer

from scripts.cli.options import Environment
from scripts.cli.tools import tools_of
from scripts.core.azure import az
from scripts.core.console import print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment, known_environment
from scripts.opik.sdk_environment import exports, sdk_variables
from stacks.platform.components.opik.names import HOST


def token(context: typer.Context, environment: Environment = None) -> None:
    """Print a token for Opik's API, valid for about an hour, and nothing else.

    It is issued to your own Azure login, which has to be in the access group. SDKs send it as
    `OPIK_API_KEY="Bearer $(llmctl opik token)"`.

    Examples: `llmctl opik token prod`, `llmctl opik token`
    """
    scope = tools_of(context).outputs_of(known_environment(environment), "identity")["identity"]["api_scope"]
    answer = az("account", "get-access-token", "--scope", scope, login=f"az login --scope {scope}")
    if not answer.get("accessToken"):
        raise OperatorError("the Azure CLI gave no token", f"az login --scope {scope}", ExitCode.NOT_READY)
    typer.echo(answer["accessToken"])


def env(
    context: typer.Context,
    environment: Environment = None,
    *,
    local: Annotated[
        int | None, typer.Option(metavar="PORT", help="For `llmctl port-forward opik` on this port, without a login.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the variables as JSON, without the key.")] = False,
) -> None:
    """Print the environment variables of Opik's SDK and OpenTelemetry exporters, for `eval "$(llmctl opik env)"`.

    The token itself is not printed: the shell fetches one when it evaluates the lines.

    Examples: `llmctl opik env prod`, `llmctl opik env dev --local 5173`
    """
    name = environment or default_environment()
    tools = tools_of(context)
    settings = tools.load(name)
    base = f"http://127.0.0.1:{local}" if local else HOST.url(settings.domain)
    variables = sdk_variables(base)
    if as_json:
        print_json(variables)
        return
    launcher = shlex.join([str(tools.checkout / "scripts" / "llmctl"), "opik", "token", name])
    for line in exports(variables, None if local else launcher):
        typer.echo(line)
