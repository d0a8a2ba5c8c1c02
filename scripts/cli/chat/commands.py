"""`llmctl webui`: the chat."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.core import console
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, default_environment, load_environment

if TYPE_CHECKING:
    from scripts.applications.chat import ChatOps
    from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Look at the chat, read its log, restart it.",
)

Environment = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Part(StrEnum):
    """Containers of a pod, by what they do."""

    CHAT = "open-webui"
    LOGIN = "entra-login"
    MIGRATION = "migrate"


@app.command("status")
def status(environment: Environment = None, *, as_json: Json = False) -> None:
    """Show replicas, scaling, version and pods, and why a pod does not run."""
    state = _ops(environment)[1].state()
    if as_json:
        print_json(asdict(state))
        return
    out.print(f"chat: {state.ready} of {state.replicas} ready, scales from {state.least} to {state.most}")
    for image in state.images:
        out.print(f"  {image}", markup=False)
    for pod in state.pods:
        how = "ready" if pod.ready else pod.trouble or "not ready"
        out.print(f"  {pod.name} on {pod.node or 'no node yet'}: {how}, {pod.restarts} restarts", markup=False)


@app.command("logs")
def logs(
    environment: Environment = None,
    *,
    part: Annotated[Part, typer.Option("--part", help="Container: the chat, its login, or its migration.")] = Part.CHAT,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines from the end of every pod.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    previous: Annotated[bool, typer.Option("--previous", help="Of the container before a crash.")] = False,
) -> None:
    """Print the log of all pods."""
    _, ops = _ops(environment)
    raise typer.Exit(ops.logs(container=part.value, lines=lines, follow=follow, previous=previous))


@app.command("health")
def health(environment: Environment = None, *, as_json: Json = False) -> None:
    """Say whether the chat works: pods, one version, server, database, Redis. Exit code 1 when something does not."""
    from scripts.applications.ingress import print_checks  # noqa: PLC0415

    checks = _ops(environment)[1].checks()
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        print_checks(checks)
    if any(check.problem for check in checks):
        raise typer.Exit(ExitCode.FAILED)


@app.command("restart")
def restart(environment: Environment = None) -> None:
    """Replace all pods and wait for the new ones. The chat is away meanwhile, and nobody has to log in again.

    All go before the first new one comes, as always: two versions must not meet on one database.
    """
    _, ops = _ops(environment)
    with err.status("Restarting the chat"):
        ops.restart()
    out.print("The chat runs again.")


@app.command("shell")
def shell(environment: Environment = None) -> None:
    """Open a shell in a pod."""
    if not console.interactive():
        raise OperatorError("a shell needs a terminal", code=ExitCode.REFUSED)
    raise typer.Exit(_ops(environment)[1].shell())


@app.command("admin")
def admin(environment: Environment = None) -> None:
    """Tell who the local administrator is, where the password is kept, and whether it can be used."""
    from stacks.platform.components.chat.login import administrator  # noqa: PLC0415 - pydantic costs 0.2 s
    from stacks.settings.secret_names import GeneratedSecret  # noqa: PLC0415

    settings = _settings(environment or default_environment())
    out.print(administrator(settings), markup=False)
    err.print(f"Password: the vault's secret {GeneratedSecret.CHAT_ADMIN_PASSWORD.value}.", markup=False)
    if not settings.chat.password_login:
        err.print(f"Its form is off: set chat.password_login in environments/{settings.name}.yaml and deploy.")


def _settings(name: str) -> "Settings":
    settings = load_environment(name)
    if not settings.chat.enabled:
        raise OperatorError(f"{name} has no chat", f"set chat.enabled in environments/{name}.yaml", ExitCode.REFUSED)
    return settings


def _ops(environment: str | None) -> "tuple[Settings, ChatOps]":
    from scripts.applications.chat import ChatOps  # noqa: PLC0415
    from scripts.terraform.outputs import kubectl_of  # noqa: PLC0415

    name = environment or default_environment()
    settings = _settings(name)
    return settings, ChatOps(kubectl_of(name))
