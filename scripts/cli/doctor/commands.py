"""The command: what is asked, how findings are shown, and how they are mended."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.releases import pending_releases
from scripts.core.azure import AzureError, az
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from scripts.diagnostics.doctor import (
    deliveries,
    egress,
    engines,
    nodes,
    outside,
    pods,
    scheduling,
    snapshot,
    storage,
)
from scripts.diagnostics.doctor.problem import Finding
from scripts.diagnostics.doctor.problems import PROBLEMS
from scripts.diagnostics.state_parts import outline
from scripts.terraform.outputs import NotDeployedError, runners
from scripts.terraform.stack import TerraformError

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def doctor(
    context: typer.Context,
    environment: Environment = None,
    *,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended from here, one by one, asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --fix: agree to every repair beforehand.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look for known problems in the cluster, in Azure and in the states; say what each means and how it is fixed.

    Reads only, unless --fix is given. Ends with code 1 when something was found. docs/how-to/symptoms.md has the same
    list to search in.

    Examples: `llmctl doctor prod`, `llmctl doctor prod --fix`
    """
    if as_json and fix:
        raise OperatorError("--fix asks, and --json is for programs", "use one of them", ExitCode.USAGE)
    tools, name = tools_of(context), environment or default_environment()
    tools.load(name)
    if fix and not yes and not tools.terminal.interactive():
        raise OperatorError("nobody is there to be asked", "add --yes to agree beforehand", ExitCode.REFUSED)
    notes: list[str] = []
    with err.status("Looking at Azure, states and cluster"):
        kubectl, findings = _examine(tools, name, notes)
    if as_json:
        print_json({"environment": name, "findings": [_as_json(one, name) for one in findings], "not_checked": notes})
    else:
        _show(name, findings, notes)
    if fix and kubectl:
        _mend(tools, kubectl, findings, agreed=yes)
    if findings:
        raise typer.Exit(ExitCode.FAILED)


def _examine(tools: Tools, name: str, notes: list[str]) -> tuple[Kubectl | None, list[Finding]]:
    findings = list(_states(tools, name, notes))
    try:
        aks = tools.outputs_of(name, "aks")["aks"]
    except NotDeployedError:
        raise
    except OperatorError as error:
        return None, [*findings, outside.of_error(error)]
    findings += _azure(aks, notes)
    if any(one.problem in (outside.STOPPED, outside.LOGIN) for one in findings):
        notes.append("the cluster was not asked")
        return None, findings
    try:
        kubectl = tools.kubectl_of(name)
        seen = snapshot.take(kubectl)
    except OperatorError as error:
        return None, [*findings, outside.of_error(error)]
    notes += [f"{kind} cannot be listed: {why}" for kind, why in seen.unread.items()]
    ready = [node["metadata"]["name"] for node in seen.of("nodes")]
    findings += [
        *nodes.find(seen),
        *scheduling.find(seen),
        *pods.find(seen),
        *engines.find(seen),
        *storage.find(seen, storage.volume_usage(kubectl, ready)),
        *deliveries.find(seen),
        *egress.find(seen),
        *_releases(kubectl, notes),
    ]
    order = {problem.id: place for place, problem in enumerate(PROBLEMS)}
    return kubectl, sorted(findings, key=lambda one: (order[one.problem.id], one.where))


def _states(tools: Tools, name: str, notes: list[str]) -> Iterator[Finding]:
    found = {}
    for stack, runner in runners(tools.workspace(name)).items():
        try:
            if state := runner.pull():
                found[stack] = outline(state)
        except TerraformError as error:
            notes.append(f"the state of {stack} cannot be read: {error}")
    yield from outside.of_states(found)


def _azure(aks: dict[str, Any], notes: list[str]) -> Iterator[Finding]:
    group, cluster = aks["resource_group_name"], aks["cluster_name"]
    try:
        yield from outside.of_cluster(az("aks", "show", "--resource-group", group, "--name", cluster))
    except AzureError as error:
        finding = outside.of_error(error)
        if finding.problem is outside.LOGIN:
            yield finding
        else:
            notes.append(f"Azure was not asked about the cluster: {error.message}")


def _releases(kubectl: Kubectl, notes: list[str]) -> Iterator[Finding]:
    try:
        yield from deliveries.releases(pending_releases(kubectl))
    except OperatorError as error:
        notes.append(f"Helm's releases cannot be listed: {error.message}")


def _show(name: str, findings: Sequence[Finding], notes: Sequence[str]) -> None:
    last = None
    for one in findings:
        if one.problem is not last:
            out.print(f"\n{one.problem.title}", style="bold", markup=False)
            out.print(f"  {one.problem.why}", markup=False, soft_wrap=True)
        out.print(f"  - {one.where}: {one.detail}", markup=False, soft_wrap=True)
        out.print(f"    Fix: {one.fix(name)}", markup=False, soft_wrap=True)
        last = one.problem
    for note in notes:
        err.print(f"Not checked: {note}", markup=False)
    count = len(findings)
    mends = sum(one.repair is not None for one in findings)
    if not findings:
        out.print(f"None of {len(PROBLEMS)} known problems was found in {name}.", markup=False)
        return
    how = f"; `llmctl doctor {name} --fix` can mend {mends} of them" if mends else ""
    err.print(f"\n{count} {'problem' if count == 1 else 'problems'}{how}.", markup=False)


def _mend(tools: Tools, kubectl: Kubectl, findings: Sequence[Finding], *, agreed: bool) -> None:
    for one in findings:
        if one.repair is None:
            continue
        if not agreed and tools.terminal.ask(f"{one.deed}? [y/N]").lower() not in ("y", "yes"):
            err.print(f"{one.where}: left as it is", markup=False)
            continue
        try:
            out.print(f"{one.where}: {one.repair(kubectl)}", markup=False)
        except OperatorError as error:
            err.print(f"{one.where}: {error.message}", markup=False)


def _as_json(finding: Finding, name: str) -> dict[str, Any]:
    return {
        "id": finding.problem.id,
        "title": finding.problem.title,
        "where": finding.where,
        "detail": finding.detail,
        "fix": finding.fix(name),
        "mends": finding.deed or None,
    }
