"""`llmctl bench synth`: what synthesis takes, cold and warm, as published and lean, and how it grows."""

import itertools
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scripts.core.targets import load_environment
from stacks.fast_synth.mode import Mode

from . import report
from .figures import FLOOR, Figures, Step, Times, added_resources, cost_ms
from .measure import BenchError
from .processes import (
    LABELS,
    REPEATS,
    ROOT,
    Bench,
    measure_growth,
    measure_memory,
    measure_times,
    memory_runs,
    node_binary,
)

DOCUMENT = ROOT / "docs" / "reference" / "performance.md"
POOLS = (1, 25, 50)
MODELS = (1, 100, 200)
POOLS_FOR_MODELS = 10
TARGET_COLUMNS = ("promise", "limit", "figure", "verdict")


def tables(figures: Figures) -> list[report.Table]:
    """Return the figures as tables."""
    found = [report.Table(*_times_table(figures)), report.Table(*_memory_table(figures))]
    for item, steps in (("GPU pool", figures.pools), ("model", figures.models)):
        rows = [
            [f"{step.items}", f"{step.resources}", f"{step.seconds:.3f}", cost]
            for step, cost in zip(steps, ["", *_costs(steps)], strict=True)
        ]
        unit = "resource" if added_resources(steps) else item
        columns = [f"{item}s", "resources", "without imports s", f"ms per added {unit}"]
        found.append(report.Table(f"Growth with {item}s, fastest of {figures.runs * REPEATS}", columns, rows))
    rows = [
        [target.promise, f"{target.comparison} {target.limit:g}", target.printed, target.verdict]
        for target in figures.targets()
    ]
    found.append(report.Table("Targets", TARGET_COLUMNS, rows))
    return found


def _times_table(figures: Figures) -> tuple[str, list[str], list[list[str]]]:
    floor, shipped = (figures.warm[name].cpu_s for name in (FLOOR, Mode.AS_SHIPPED))
    rows = []
    for name, label in LABELS.items():
        cold, warm = figures.cold[name], figures.warm[name]
        both = [text for times in (cold, warm) for text in (f"{times.cpu_s:.2f}", _range(times), f"{times.wall_s:.2f}")]
        rows.append([label, *both, f"{shipped / warm.cpu_s:.1f}", f"{warm.cpu_s / floor:.1f}"])
    columns = ["synthesis", "cold: CPU s", "range", "wall s", "warm: CPU s", "range", "wall s", "faster", "floors"]
    return f"All stacks of {figures.environment}, median of {figures.runs}", columns, rows


def _range(times: Times) -> str:
    return f"{times.least_cpu_s:.2f}-{times.most_cpu_s:.2f}"


def _memory_table(figures: Figures) -> tuple[str, list[str], list[list[str]]]:
    rows = [
        [LABELS[name], f"{memory.total_mib:.0f}", f"{memory.largest_mib:.0f}"]
        for name, memory in figures.memory.items()
    ]
    return "Peak memory, warm", ["synthesis", "MiB", "largest process MiB"], rows


def _costs(steps: list[Step]) -> Iterator[str]:
    return (f"{cost_ms(before, after):.2f}" for before, after in itertools.pairwise(steps))


def markdown(figures: Figures) -> str:
    """Return the machine and the tables as Markdown."""
    machine = report.bullet_list(figures.machine.items())
    return "\n\n".join([machine, *(table.markdown() for table in tables(figures))])


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total, completed=-1)
        yield lambda label: progress.update(task, advance=1, description=label)


def measure(environment: str, runs: int) -> Figures:
    """Run the whole benchmark. Raises BenchError when a measured process fails."""
    version = subprocess.run([node_binary(), "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    machine = report.machine(version.stdout.strip())
    pools = {count: (count, 0) for count in POOLS}
    models = {count: (POOLS_FOR_MODELS, count) for count in MODELS}
    total = len(LABELS) * (1 + 2 * runs + memory_runs(runs)) + 2 * runs
    with tempfile.TemporaryDirectory() as folder, _progress(total) as advance:
        bench = Bench(environment, Path(folder), advance)
        cold, warm, largest = measure_times(bench, runs)
        return Figures(
            machine,
            environment,
            runs,
            cold,
            warm,
            measure_memory(bench, runs, largest),
            measure_growth(bench, "pool", pools, runs),
            measure_growth(bench, "model", models, runs),
        )


def main(
    runs: Annotated[int, typer.Option(min=1, help="Measured runs of each variant; the median counts.")] = 5,
    environment: Annotated[str, typer.Option("--env", help="Environment whose stacks are synthesized.")] = "dev",
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    write: Annotated[
        bool, typer.Option("--markdown", help="Also write the tables into docs/reference/performance.md.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="End with status 1 when a target is missed.")] = False,
) -> None:
    """Measure synthesis, cold and warm: as published, lean, lean + lazy index, and the floor; then how it grows.

    Takes about ten minutes with five runs on two cores. Let nothing else run meanwhile.

    Examples: `llmctl bench synth --env dev --runs 3`, `llmctl bench synth --markdown`
    """
    load_environment(environment)
    try:
        figures = measure(environment, runs)
    except BenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if write:
        DOCUMENT.write_text(report.replace_block(DOCUMENT.read_text("utf-8"), "synth", markdown(figures)), "utf-8")
    if as_json:
        typer.echo(
            json.dumps(
                asdict(figures)
                | {"targets": [asdict(target) | {"verdict": target.verdict} for target in figures.targets()]},
                indent=2,
            )
        )
    else:
        console = Console()
        console.print(*report.bullet_list(figures.machine.items()).splitlines(), sep="\n", highlight=False)
        for table in tables(figures):
            console.print(table.rich())
    if check and not all(target.verdict == "met" for target in figures.targets()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
