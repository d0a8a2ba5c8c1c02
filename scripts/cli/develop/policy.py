"""`llmctl policy`: the policy checks, one command each; CI runs all of them."""

import datetime
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.targets import complete_environment, load_environment, parse_targets
from scripts.core.workspace import Workspace
from scripts.gates import licences as licences_gate
from scripts.gates import manifests as manifests_gate
from scripts.gates import pods as pods_gate
from scripts.gates import routes as routes_gate
from scripts.gates import secrets as secrets_gate
from scripts.gates import stacks as stacks_gate
from scripts.gates.findings import PolicyError, compare, ended, load_skips
from scripts.gates.network import check as network_check
from scripts.gates.network import objects as network_objects
from scripts.gates.network import page as network_page
from scripts.gates.network import pods as network_pods
from scripts.gates.network import report as network_report
from scripts.gates.network import third_party as network_third_party
from scripts.terraform.synthesis import synthesize
from stacks.platform.common.catalogue import charts
from stacks.platform.components.enabled import enabled_components

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def policy() -> None:
    """Policy checks of stacks, charts, licences, credentials and routes. Exit code 1 on a finding not accepted."""


@app.command()
def secrets(
    paths: Annotated[list[str] | None, typer.Argument(help="Files; left out: all of the repository.")] = None,
) -> None:
    """Scan the files of the repository for credentials.

    Examples: `llmctl policy secrets`, `llmctl policy secrets environments docs`
    """
    scanned = secrets_gate.scan(paths or secrets_gate.repository_files())
    found, unused = compare(scanned, load_skips(secrets_gate.SKIPS))
    lines = [f"{finding.resource}:{finding.line}: {finding.check}" for finding in found]
    if not paths:
        lines += [
            f"{secrets_gate.SKIPS.name}: {skip.resource}, {skip.check}: accepts nothing any more" for skip in unused
        ]
    _end(
        "credentials", lines, f"remove it and revoke it, or accept it with a reason in tests/{secrets_gate.SKIPS.name}"
    )


@app.command()
def licences(
    write: Annotated[bool, typer.Option("--write", help="Rewrite docs/reference/licences.md.")] = False,
) -> None:
    """Check that every chart and image has a licence, and that docs/reference/licences.md names its conditions.

    Examples: `llmctl policy licences`, `llmctl policy licences --write`
    """
    known, names = licences_gate.load(), licences_gate.deployed()
    page = licences_gate.page(known, names)
    lines = list(licences_gate.errors(known, names))
    if write and not lines:
        licences_gate.PAGE.write_text(page, "utf-8")
    elif licences_gate.PAGE.read_text("utf-8") != page:
        lines.append("docs/reference/licences.md is out of date")
    _end("licences", lines, "correct helm/licences.yaml, then `llmctl policy licences --write`")


@app.command()
def routes(
    environment: Annotated[
        str | None, typer.Argument(metavar="[ENV]", help="Environment to show.", autocompletion=complete_environment)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Rewrite docs/reference/routes.md.")] = False,
) -> None:
    """Show which methods and paths each host answers, for whom, and what it refuses with which reason.

    Examples: `llmctl policy routes prod`, `llmctl policy routes dev --json`
    """
    settings = load_environment(parse_targets([] if environment is None else [environment]).environment)
    components = enabled_components(settings)
    if as_json:
        typer.echo(json.dumps(routes_gate.matrix(components.routes()), indent=2))
        return
    page = routes_gate.page({host.label: host.routes for host in enabled_components(settings).known_hosts()})
    if write:
        routes_gate.PAGE.write_text(page, "utf-8")
    for row in routes_gate.rows(components.routes()):
        typer.echo(
            f"{row.host}  {row.who:<35}  {','.join(row.methods):<35}  {' '.join(row.paths) or row.name}  ({row.why})"
        )
    if routes_gate.PAGE.read_text("utf-8") != page:
        _end("routes", ["docs/reference/routes.md is out of date"], "`llmctl policy routes --write`")


@app.command()
def stacks(
    environment: Annotated[
        str | None, typer.Argument(metavar="[ENV]", help="Environment to check.", autocompletion=complete_environment)
    ] = None,
) -> None:
    """Check the synthesized stacks with checkov's rules for Azure.

    Examples: `llmctl policy stacks`, `llmctl policy stacks prod`
    """
    name = parse_targets([] if environment is None else [environment]).environment
    load_environment(name)
    with tempfile.TemporaryDirectory() as folder, err.status(f"Checking {name}"):
        workspace = Workspace(name, Path(folder))
        synthesize(workspace, Processes())
        try:
            found, unused = compare(stacks_gate.find(name, workspace.output)[0], stacks_gate.load_skips())
        except PolicyError as error:
            raise OperatorError(str(error)) from None
    lines = [f"{finding.check} {finding.resource}: {finding.meaning}" for finding in found]
    # An entry for other environments as well may be of use there.
    lines += [
        f"{skip.check} {skip.resource}: accepts nothing any more" for skip in unused if skip.environments == (name,)
    ]
    _end(f"policy of the stacks of {name}", lines, "change the stack, or accept it in tests/checkov_skips.yaml")


@app.command()
def manifests(
    folder: Annotated[Path, typer.Argument(help="Folder with <release>.yaml, as `helm template` writes them.")],
) -> None:
    """Check rendered charts with checkov's rules for Kubernetes and our own for pods and roles.

    Examples: `llmctl policy manifests rendered`, `llmctl policy manifests rendered/prod`
    """
    try:
        with err.status("Checking"):
            skips = manifests_gate.accepted()
            findings = [*manifests_gate.find(folder)[0], *pods_gate.find(manifests_gate.read(folder))]
            found, _ = compare(findings, skips)
            versions = {release: pin.version for release, pin in charts().items()}
            over = ended(skips, datetime.date.today(), versions)
    except PolicyError as error:
        raise OperatorError(str(error)) from None
    lines = [f"{skip.check} {skip.resource}: accepted until {skip.until}, look at it again" for skip in over]
    lines += [f"{finding.check} {finding.resource}: {finding.meaning}" for finding in found]
    _end("policy of the charts", lines, f"change the values, or accept it in tests/{manifests_gate.SKIPS.name}")


@app.command()
def network(
    environment: Annotated[
        str | None, typer.Argument(metavar="[ENV]", help="Environment to check.", autocompletion=complete_environment)
    ] = None,
    caller: Annotated[str | None, typer.Option("--from", metavar="TEXT", help="Only callers with TEXT in it.")] = None,
    receiver: Annotated[
        str | None, typer.Option("--to", metavar="TEXT", help="Only receivers with TEXT in it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every open connection for a program.")] = False,
    write: Annotated[
        bool,
        typer.Option("--write", help="Rewrite the table in docs/reference/network.md, and with CHARTS_DIR known pods."),
    ] = False,
) -> None:
    """Show who may talk to whom, evaluated by Cilium's own engine over the pods of the environment.

    Exit code 1 where something is open that no component documents, or denied that one needs.

    Examples: `llmctl policy network prod`, `llmctl policy network prod --from opik --json`
    """
    name = parse_targets([] if environment is None else [environment]).environment
    settings = load_environment(name)
    rendered = network_pods.charts_folder()
    with tempfile.TemporaryDirectory() as folder, err.status(f"Checking {name}"):
        if write:
            network_page.write()
        if write and rendered:
            stacks_of_all = [_platform(each, Path(folder)) for each in network_page.ENVIRONMENTS]
            network_third_party.write_facts(
                network_third_party.facts(map(network_objects.read, stacks_of_all), rendered)
            )
        matrix = network_check.check(settings, _platform(name, Path(folder)), rendered)
    if as_json:
        print_json(network_report.for_programs(matrix, caller, receiver))
    else:
        out.print(network_report.table(matrix, caller, receiver))
    fix = "change the traffic rules, or name the connection in the component's connections.py"
    _end(f"network of {name}", matrix.findings, fix, quiet=as_json)


def _platform(environment: str, base: Path) -> Path:
    """Synthesize an environment below `base`; return the folder of its platform stack."""
    workspace = Workspace(environment, base)
    synthesize(workspace, Processes())
    return workspace.output / "stacks" / "platform"


def _end(title: str, lines: Sequence[str], fix: str, *, quiet: bool = False) -> None:
    """Print the findings, unless they are printed already, and end with an error where there are any."""
    if not lines:
        err.print(f"{title}: no findings", markup=False)
        return
    for line in () if quiet else lines:
        typer.echo(line)
    raise OperatorError(f"{title}: {len(lines)} findings", fix, ExitCode.FAILED)
