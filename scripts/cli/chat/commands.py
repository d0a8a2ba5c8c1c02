"""`llmctl webui`: the chat, Open WebUI."""

from dataclasses import asdict

import typer

from scripts.applications.chat.running import Chat
from scripts.cli.checks import end_with
from scripts.cli.operations.nouns import add_operations
from scripts.cli.options import AsJson, Environment, require_terminal
from scripts.cli.tools import tools_of
from scripts.core.console import err, out, print_json
from stacks.platform.components.chat.login import administrator
from stacks.settings.secrets.names import GeneratedSecret

from .banner import banner, remove_banner
from .opened import settings_of_chat
from .people import group, groups, log_out, remove_group, role, users

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Open WebUI, the chat: status, logs, health, restart; people, roles, groups.",
)
app.command("users")(users)
app.command("role")(role)
app.command("log-out")(log_out)
app.command("groups")(groups)
app.command("group")(group)
app.command("remove-group")(remove_group)
app.command("banner")(banner)
app.command("remove-banner")(remove_banner)


@app.command("status")
def status(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show replicas, scaling, version and pods, and why a pod does not run.

    Examples: `llmctl webui status prod`, `llmctl chat status --json`
    """
    state = _chat(context, environment).state()
    if as_json:
        print_json(asdict(state))
        return
    out.print(f"chat: {state.ready} of {state.replicas} ready, scales from {state.least} to {state.most}")
    for image in state.images:
        out.print(f"  {image}", markup=False)
    for pod in state.pods:
        out.print(f"  {pod}", markup=False)


@app.command("health")
def health(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Check the chat: pods, one version, server, database, Redis. Exit code 1 when something fails.

    Examples: `llmctl webui health prod`, `llmctl chat health --json`
    """
    checks = _chat(context, environment).checks()
    end_with(checks, [asdict(check) for check in checks], as_json=as_json)


@app.command("shell")
def shell(context: typer.Context, environment: Environment = None) -> None:
    """Open a shell in a pod.

    Examples: `llmctl webui shell prod`, `llmctl chat shell`
    """
    settings_of_chat(tools_of(context), environment)
    require_terminal(tools_of(context).terminal)
    raise typer.Exit(_chat(context, environment).workload.shell("bash"))


@app.command("admin")
def admin(context: typer.Context, environment: Environment = None) -> None:
    """Show the local administrator, where the password is kept, and whether password login is on.

    Examples: `llmctl webui admin prod`, `llmctl chat admin`
    """
    settings = settings_of_chat(tools_of(context), environment)
    out.print(administrator(settings.domain), markup=False)
    err.print(f"Password: the vault's secret {GeneratedSecret.CHAT_ADMIN_PASSWORD.value}.", markup=False)
    if not settings.chat.password_login:
        err.print(f"Its form is off: set chat.password_login in environments/{settings.name}.yaml and deploy.")


def _chat(context: typer.Context, environment: str | None) -> Chat:
    tools = tools_of(context)
    return Chat(tools.kubectl_of(settings_of_chat(tools, environment).name))


add_operations(app, "chat")
