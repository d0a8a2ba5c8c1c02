"""`llmctl env`: check, list and write environment files, and show what is deployed of one."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer

from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import Tools, tools_of
from scripts.core.console import err, out, print_json
from scripts.core.deployed_record import local_records
from scripts.core.environment_check import Verdict, other_environments, verdict_of
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from scripts.terraform.deployed.record import deployed_records
from stacks.settings import Settings, available_environments
from stacks.settings.generated.reference import reference, write_reference
from stacks.settings.generated.schema import schema_text, write_schema
from stacks.settings.one_way.steps import Record

from .history import as_json as history_as_json
from .history import history_of, screen
from .new import LOCAL_STATE, keeps_local_state, render, write_new
from .questions import asked

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Check, list and write environment files.")


@app.command("check")
def check(
    context: typer.Context,
    environment: Environment = None,
    every: Annotated[bool, typer.Option("--all", help="Check every file in environments/.")] = False,
    previous: Annotated[
        str,
        typer.Option(
            metavar="REV",
            help="Commit to compare with; changes that cannot be deployed on it are errors.",
        ),
    ] = "HEAD",
    as_json: AsJson = False,
) -> None:
    """Validate an environment file: one line per error, with line, key, value and fix.

    Compares with the committed version and with what is deployed too, because some values cannot go back once deployed:
    disks do not shrink, the region stays. What is deployed is read from the state, with --all from local states alone.
    Exit code 4 when there is an error.

    Examples: `llmctl env check prod`, `llmctl env check --all --previous main`
    """
    tools = tools_of(context)
    names = available_environments(tools.checkout / "environments") if every else [environment or default_environment()]
    if not names:
        raise OperatorError("there is no environment file", "`llmctl env new NAME` writes one", ExitCode.SETTINGS)
    deployed = None if every else partial(_deployed, tools)
    verdicts = [verdict_of(name, tools.checkout, previous, deployed) for name in names]
    if as_json:
        print_json({"environments": [_plain(verdict) for verdict in verdicts]})
    else:
        for verdict in verdicts:
            show_verdict(verdict)
    if any(verdict.errors for verdict in verdicts):
        raise typer.Exit(ExitCode.SETTINGS)


@app.command("list")
def list_environments(context: typer.Context, as_json: AsJson = False) -> None:
    """List the environments, with region and domain.

    Examples: `llmctl env list`, `llmctl env list --json`
    """
    checkout = tools_of(context).checkout
    rows = [_row(verdict_of(name, checkout, None)) for name in available_environments(checkout / "environments")]
    if as_json:
        print_json({"environments": rows})
        return
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        place = f"{row['region']}  {row['domain']}" if row["ok"] else f"has errors: llmctl env check {row['name']}"
        out.print(f"{row['name']:<{width}}  {place}", markup=False)


@app.command("new")
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="2 to 10 lower-case letters and digits.")],
    *,
    subscription: Annotated[str | None, typer.Option(help="Azure subscription id.")] = None,
    region: Annotated[str | None, typer.Option(help="Azure region, such as westeurope.")] = None,
    exposure: Annotated[
        str | None, typer.Option(metavar="WHERE", help="public, or private: your own network or tailnet alone.")
    ] = None,
    tailscale: Annotated[
        str | None, typer.Option(metavar="YES|NO", help="With private: whether a Tailscale tailnet is let in.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="With private: the DNS zone; llm.internal when left out.")] = None,
    domain: Annotated[
        str | None, typer.Option(help="Domain whose sub-names chat, api, opik and grafana will be used.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Contact address for Let's Encrypt.")] = None,
    access_group: Annotated[
        str | None, typer.Option(help='Object id of the Entra group of the users; "" makes a new one.')
    ] = None,
    operators_group: Annotated[
        str | None, typer.Option(help='Object id of the Entra group of the operators; "": the first deployer alone.')
    ] = None,
    opik_group: Annotated[
        str | None, typer.Option(help='Object id of the Entra group that reads all traces; "" makes one for operators.')
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Where Terraform keeps its state: azurerm:RESOURCE_GROUP/STORAGE_ACCOUNT, hcp:ORGANIZATION, or local: "
            "this checkout alone.",
        ),
    ] = None,
) -> None:
    """Write a commented environment file that can be deployed; asks for what has no default.

    Never overwrites a file.

    Examples: `llmctl env new team`, `llmctl env new team --region northeurope --state azurerm:tfstate/acmetfstate`
    """
    given = {
        "subscription": subscription,
        "region": region,
        "exposure": exposure,
        "tailscale": tailscale,
        "zone": zone,
        "domain": domain,
        "email": email,
        "access_group": access_group,
        "operators_group": operators_group,
        "opik_group": opik_group,
        "state": state,
    }
    tools = tools_of(context)
    folder = tools.checkout / "environments"
    if (folder / f"{name}.yaml").exists():
        raise OperatorError(
            f"environments/{name}.yaml exists; it stays as it is",
            f"edit it, then `llmctl env check {name}`",
            ExitCode.REFUSED,
        )
    others = dict(other_environments(name, tools.checkout / "environments"))
    answers = asked(name, given, tools.terminal, others)
    path = write_new(folder, name, render(answers))
    err.print(f"environments/{path.name} written.", markup=False)
    if keeps_local_state(answers):
        err.print(f"{LOCAL_STATE.format(name=name)}.", markup=False)
    before = f"`llmctl state bootstrap {name}`, " if answers.state.startswith("azurerm:") else ""
    err.print(f"Next: read it, `llmctl env check {name}`, {before}then `llmctl deploy {name}`.", markup=False)


@app.command("history")
def history(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show what is deployed: versions, charts, images, and who deployed last, from which commit, and when.

    Reads the states of the stacks and the environment's registry, where `deploy` and `destroy` keep what they did; this
    checkout says where they are, and nothing else.

    Examples: `llmctl env history prod`, `llmctl env history prod --json`
    """
    tools, name = tools_of(context), environment or default_environment()
    found = history_of(tools, name)
    if as_json:
        print_json({"environment": name, **history_as_json(*found)})
        return
    for line in screen(name, *found):
        out.print(line, markup=False, soft_wrap=True)


@app.command("schema")
def schema(write: Annotated[bool, typer.Option("--write", help="Write environments/schema.json.")] = False) -> None:
    """Print the JSON schema by which editors complete and check environment files.

    Examples: `llmctl env schema`, `llmctl env schema --write`
    """
    if not write:
        out.file.write(schema_text())
    else:
        err.print("environments/schema.json " + ("written." if write_schema() else "is current."))


@app.command("docs")
def docs(write: Annotated[bool, typer.Option("--write", help="Write docs/reference/environment.md.")] = False) -> None:
    """Print the reference of environment files.

    Examples: `llmctl env docs`, `llmctl env docs --write`
    """
    if not write:
        out.file.write(reference())
    else:
        err.print("docs/reference/environment.md " + ("written." if write_reference() else "is current."))


def _deployed(tools: Tools, settings: Settings) -> Mapping[str, Record]:
    if settings.state.azurerm or settings.state.hcp:
        return deployed_records(settings, tools.workspace(settings.name))
    return local_records(tools.checkout / "state" / settings.name)


def show_verdict(verdict: Verdict) -> None:
    """Print what was found in one environment file: errors to standard output, notes and the sum to standard error."""
    for error in verdict.errors:
        out.print(str(error), markup=False, soft_wrap=True)
    for note in verdict.notes:
        err.print(f"note: {note}", markup=False, soft_wrap=True)
    count = len(verdict.errors)
    result = "is valid" if not count else f"has {count} error{'s' if count > 1 else ''}"
    # The lists of charts and images are read with it, and may be what is wrong.
    elsewhere = any(error.file != verdict.label for error in verdict.errors)
    err.print(f"{verdict.name if elsewhere else verdict.label} {result}.", markup=False)


def _plain(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.name,
        "file": verdict.label,
        "ok": not verdict.errors,
        "faults": [asdict(error) for error in verdict.errors],
        "notes": list(verdict.notes),
    }


def _row(verdict: Verdict) -> dict[str, Any]:
    settings = verdict.settings
    return {
        "name": verdict.name,
        "ok": settings is not None,
        "region": settings.azure.region if settings else None,
        "domain": settings.domain if settings else None,
    }
