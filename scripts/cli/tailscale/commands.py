"""The commands."""

from typing import Annotated

import typer

from scripts.applications.tailscale.split_dns import difference
from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.core.console import out, print_json
from scripts.core.targets import default_environment

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Tell a tailnet which nameserver answers for the private zone.",
)


@app.callback()
def _group() -> None:
    """Keep `dns` a command of its own while it is the only one."""


@app.command("dns")
def dns(
    context: typer.Context,
    environment: Environment = None,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Make the change; without it, it is only shown.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the zone away instead, before a `destroy`.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how the tailnet's split DNS differs from what the environment needs, and change it with --apply.

    Changes the environment's own zone alone, and nothing where it is right already. Logs in with TAILSCALE_API_TOKEN,
    or TAILSCALE_OAUTH_CLIENT_ID and TAILSCALE_OAUTH_CLIENT_SECRET of an OAuth client with the scope dns.
    Examples: `llmctl tailscale dns prod`, `llmctl tailscale dns prod --apply`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    difference(settings, {}, remove=remove)  # before anybody is asked: whether there is anything to set
    tailscale = settings.private_access.tailscale
    tailnet = tools.tailnet_of(tailscale.tailnet if tailscale else "-")
    change = difference(settings, tailnet.split_dns(), remove=remove)
    if change and apply:
        tailnet.set_nameservers(change.domain, list(change.needed))
    if as_json:
        print_json(
            {
                "domain": change.domain,
                "found": list(change.found),
                "needed": list(change.needed),
                "changed": bool(change) and apply,
            }
        )
        return
    if not change:
        asked = f"asks {', '.join(change.needed)}" if change.needed else "asks nobody of its own"
        out.print(f"The tailnet {asked} for {change.domain}; there is nothing to change.", markup=False)
        return
    for line in change.lines():
        out.print(line, markup=False, highlight=False)
    out.print("Changed." if apply else "Nothing was changed; --apply makes this change.", markup=False)
