"""The commands."""

from typing import Annotated

import typer

from scripts.cli.options import AsJson, Environment, Yes
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.power import Power
from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Stop the cluster while nobody works, and start it again.",
)


@app.command("status")
def status(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show whether the cluster runs, what the schedule says, and when it changes next.

    Examples: `llmctl off-hours status dev`, `llmctl off-hours status --json`
    """
    tools, settings, power = _opened(context, environment)
    hours, now = settings.cluster.off_hours, tools.now()
    runs = power.runs()
    planned = hours.runs_at(now) if hours.enabled else None
    change = hours.next_change(now) if hours.enabled else None
    if as_json:
        print_json({"runs": runs, "planned": planned, "next_change": change, "share": round(hours.share(), 4)})
        return
    out.print(f"{settings.name}: the cluster {'runs' if runs else 'is stopped'}", markup=False)
    if not hours.enabled:
        out.print("No off-hours: cluster.off_hours.enabled is false.", markup=False)
        return
    if planned != runs:
        says = "runs" if planned else "is stopped"
        out.print(
            f"By the schedule it {says} now; `llmctl off-hours now {settings.name}` brings that about", markup=False
        )
    if change:
        begins = "stops" if hours.runs_at(now) else "starts"
        out.print(f"{begins} on {change:%A, %Y-%m-%d at %H:%M} {hours.time_zone}", markup=False)
    out.print(f"Runs {hours.share():.0%} of the time; `llmctl cost` counts nodes and API so.", markup=False)


@app.command("now")
def now(
    context: typer.Context,
    environment: Environment = None,
    *,
    stop: Annotated[bool, typer.Option("--stop", help="Stop it, whatever the schedule says; asks first.")] = False,
    start: Annotated[bool, typer.Option("--start", help="Start it, whatever the schedule says.")] = False,
    yes: Yes = False,
) -> None:
    """Stop or start the cluster as its schedule says now; a pipeline runs this every half hour.

    Does nothing where it is so already, and nothing without a schedule. What is stopped or started by hand stays so
    until the next run. Examples: `llmctl off-hours now dev`, `llmctl off-hours now dev --start`
    """
    if stop and start:
        raise OperatorError("--stop and --start exclude each other", code=ExitCode.USAGE)
    settings = tools_of(context).load(environment or default_environment())
    hours, name = settings.cluster.off_hours, settings.name
    if not (stop or start or hours.enabled):
        raise OperatorError(
            f"{name} has no off-hours, so nothing was done",
            f"set cluster.off_hours in environments/{name}.yaml, or add --stop or --start",
            ExitCode.REFUSED,
        )
    tools, settings, power = _opened(context, environment)
    wanted = start or (not stop and hours.runs_at(tools.now()))
    if power.runs() == wanted:
        out.print(f"{name}: the cluster {'runs' if wanted else 'is stopped'} already", markup=False)
        return
    if wanted:
        power.start()
        out.print(f"{name}: starting, which takes some minutes", markup=False)
        err.print(f"`llmctl health {name}` says when everything answers.", markup=False)
        return
    if stop:
        Consent(name, yes, terminal=tools.terminal).obtain(f"Stop the whole cluster of {name}?", {})
    power.stop()
    out.print(f"{name}: stopping; disks, databases and addresses stay, and cost as before", markup=False)


def _opened(context: typer.Context, environment: str | None) -> tuple[Tools, Settings, Power]:
    tools = tools_of(context)
    settings = tools.load(environment or default_environment())
    aks = tools.outputs_of(settings.name, "aks")["aks"]
    return tools, settings, tools.power_of(settings.azure.subscription_id, aks)
