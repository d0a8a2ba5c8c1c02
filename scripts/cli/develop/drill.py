"""`llmctl drill`: something bad happens to a rehearsed environment, and what survived is shown."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from scripts.cli.develop.drills.catalogue import DRILLS, drill
from scripts.cli.develop.drills.way_out import adopt
from scripts.cli.options import AsJson
from scripts.core.console import err, out, print_json
from scripts.core.environment_lock import environment_lock
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_targets, load_environment, parse_targets
from scripts.core.tiers import STACKS
from scripts.core.workspace import CACHE
from scripts.lab.drills.base import Drill, Finding, Size
from scripts.lab.drills.kept import Kept
from scripts.lab.drills.killed import QUICK
from scripts.lab.drills.stage import Stage
from scripts.lab.rehearsal.drive import FOLDER, Rehearsal
from scripts.terraform.program import require_terraform
from stacks.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode="rich")
_ALL = "all"


@app.command("drill")
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A drill, or `all`.")],
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ENV] [STACK]...",
            help="Environment to rehearse, then stacks that it happens to; all where none is named.",
            autocompletion=complete_targets,
        ),
    ] = None,
    *,
    moments: Annotated[int, typer.Option(min=1, help="Moments at which an apply is killed.")] = 50,
    seed: Annotated[int, typer.Option(help="Chooses the moments; the same seed chooses the same.")] = 1,
    forms: Annotated[
        int | None,
        typer.Option(min=1, help="Forms of other drills that are played (disks, groups, rounds), chosen by the seed."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only the stacks that are deployed in seconds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play what can go wrong, on fake providers, and show what survived.

    Deploys the environment with the real Terraform in a folder of its own, lets each thing happen to it from the same
    moment, takes the way out that docs/how-to/runbook.md has for it, and compares: a second plan is empty, nothing in
    the cloud is in no state, no lock is left, and every disk, database, share and secret is the same one. Exit code 1
    when something did not survive. What was built stays for the next drill, until something of it changes.

    Examples: `llmctl drill all --quick`, `llmctl drill killed dev disks --seed 7 --moments 10`
    """
    chosen = _chosen(name)
    selected = parse_targets(targets)
    settings = load_environment(selected.environment)
    require_terraform()
    with environment_lock(CACHE / "locks", f"{settings.name}-drill", "drill"):
        stage = _built(settings, QUICK if quick else STACKS)
        whole = Kept.of(stage.folder)
        size = Size(seed=seed, moments=moments, forms=forms, stacks=selected.stacks)
        found = {entry: list(_played(entry, stage, size)) for entry in chosen}
    if as_json:
        print_json({entry.name: [asdict(finding) for finding in findings] for entry, findings in found.items()})
    else:
        _print(found, whole)
    if not all(finding.survived for findings in found.values() for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _built(settings: Settings, stacks: Sequence[str]) -> Stage:
    """Return an environment that stands: the one of the last drill, where nothing of it has changed since."""
    folder = FOLDER / f"{settings.name}-drill-{len(stacks)}"
    for fresh in (False, True):
        stage = Stage(Rehearsal(settings, folder, fresh=fresh), stacks, adopt=adopt)
        if not fresh and stage.resume():
            err.print(f"As the last drill built it: {folder}", markup=False)
            return stage
    stage.build()
    return stage


def _chosen(name: str) -> tuple[Drill, ...]:
    if name == _ALL:
        return DRILLS
    if (found := drill(name)) is None:
        raise OperatorError(
            f"there is no drill {name}", f"the drills are: {', '.join(entry.name for entry in DRILLS)}", ExitCode.USAGE
        )
    return (found,)


def _played(entry: Drill, stage: Stage, size: Size) -> list[Finding]:
    err.print(f"{entry.name}: {entry.happened}", style="bold", markup=False)
    findings = []
    for finding in entry.play(stage, size):
        err.print(f"  {finding.happened}: {finding.problem or 'survived'}", markup=False)
        findings.append(finding)
    return findings


def _print(found: dict[Drill, list[Finding]], whole: Kept) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("drill")
    for column in ("played", "survived", "most runs", "taken over", "lost", "time"):
        table.add_column(column, justify="right")
    for entry, findings in found.items():
        table.add_row(
            entry.name,
            str(len(findings)),
            str(sum(finding.survived for finding in findings)),
            str(max((finding.runs for finding in findings), default=0)),
            str(sum(finding.taken_over for finding in findings)),
            f"{sum(finding.lost_bytes for finding in findings)} bytes",
            f"{sum(finding.seconds for finding in findings):.0f} s",
        )
    out.print(table)
    for entry, findings in found.items():
        for finding in findings:
            if not finding.survived:
                what = "; ".join(filter(None, (finding.problem, ", ".join(finding.lost))))
                out.print(f"{entry.name}, {finding.happened}: {what}", markup=False)
    out.print(
        f"What could be lost: {len(whole.objects)} durable objects with {whole.bytes / 2**30:.0f} GiB,"
        f" {len(whole.secrets)} secrets.",
        markup=False,
    )
