"""`llmctl policy`: the gates, one command each; all of them run in CI."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.targets import complete_environment, load_environment, parse_targets
from scripts.core.workspace import Workspace
from scripts.terraform.synthesis import synthesize

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def policy() -> None:
    """Judge what is deployed, and the repository itself. Ends with 1 when something is not accepted."""


@app.command()
def secrets(
    paths: Annotated[list[str] | None, typer.Argument(help="Files; all of the repository where none is named.")] = None,
) -> None:
    """Look for credentials in the files of the repository."""
    from scripts.gates import secrets as gate  # noqa: PLC0415 - keeps --help fast

    found, unused = gate.judge(gate.scan(paths or gate.repository_files()), gate.load_skips())
    lines = [f"{finding.path}:{finding.line}: {finding.kind}" for finding in found]
    if not paths:
        lines += [f"{gate.SKIPS.name}: {skip.path}, {skip.kind}: accepts nothing any more" for skip in unused]
    _end("credentials", lines, f"remove it and revoke it, or accept it with a reason in tests/{gate.SKIPS.name}")


@app.command()
def licences(
    write: Annotated[bool, typer.Option("--write", help="Write docs/reference/licences.md anew.")] = False,
) -> None:
    """Check that every chart and image has a licence, and that what it asks is told."""
    from scripts.gates import licences as gate  # noqa: PLC0415 - keeps --help fast

    known, names = gate.load(), gate.deployed()
    page = gate.page(known, names)
    lines = list(gate.faults(known, names))
    if write and not lines:
        gate.PAGE.write_text(page, "utf-8")
    elif gate.PAGE.read_text("utf-8") != page:
        lines.append("docs/reference/licences.md is out of date")
    _end("licences", lines, "correct helm/licences.yaml, then `llmctl policy licences --write`")


@app.command()
def stacks(
    environment: Annotated[
        str | None, typer.Argument(metavar="[ENV]", help="Environment to judge.", autocompletion=complete_environment)
    ] = None,
) -> None:
    """Judge the synthesized stacks with checkov's rules for Azure."""
    from scripts.gates import stacks as gate  # noqa: PLC0415 - keeps --help fast
    from scripts.gates.checkov import PolicyError  # noqa: PLC0415

    name = parse_targets([environment] if environment else []).environment
    load_environment(name)
    with tempfile.TemporaryDirectory() as folder, err.status(f"Judging {name}"):
        workspace = Workspace(name, Path(folder))
        synthesize(workspace, Processes())
        try:
            found, unused = gate.judge(gate.find(name, workspace.output)[0], gate.load_skips())
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
    """Judge rendered charts with checkov's rules for Kubernetes."""
    from scripts.gates import manifests as gate  # noqa: PLC0415 - keeps --help fast
    from scripts.gates.checkov import PolicyError  # noqa: PLC0415

    try:
        with err.status("Judging"):
            found, _ = gate.judge(gate.find(folder)[0], gate.load_skips(), ())
    except PolicyError as error:
        raise OperatorError(str(error)) from None
    lines = [f"{finding.check} {finding.resource}: {finding.meaning}" for finding in found]
    _end("policy of the charts", lines, f"change the values, or accept it in tests/{gate.SKIPS.name}")


def _end(title: str, lines: Sequence[str], fix: str) -> None:
    if not lines:
        err.print(f"{title}: nothing to object to", markup=False)
        return
    for line in lines:
        typer.echo(line)
    raise OperatorError(f"{title}: {len(lines)} findings", fix, ExitCode.FAILED)
