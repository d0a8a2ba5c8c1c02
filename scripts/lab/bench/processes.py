"""The processes that the synthesis benchmark measures, each in turn."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from stacks import fast_bindings
from stacks.fast_bindings import Mode

from .figures import FLOOR, Step, Variant
from .measure import Usage, peak_memory_mib, run

ROOT = Path(__file__).parents[3]
FLOOR_PROGRAM = """
import sys
from cdktf import App, TerraformStack
app = App(outdir=sys.argv[1])
TerraformStack(app, "empty")
app.synth()
"""
LABELS = {
    Mode.AS_SHIPPED: "as shipped",
    Mode.LEAN: "lean",
    Mode.LAZY: "lean + lazy",
    FLOOR: "floor",
}
REPEATS = 8
"""How often each process that measures growth synthesizes."""
UNWANTED = ("CDKTF_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")
"""Variables that are not handed on: the last one would make every process compile this repository's modules anew."""


class Bench:
    """Runs the measured processes, each with a fresh output folder."""

    def __init__(self, environment: str, folder: Path, advance: Callable[[str], None]) -> None:
        self._environment = environment
        self._folder = folder
        self._advance = advance

    def _variables(self, mode: str) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(UNWANTED)}
        node_options = fast_bindings.node_options(clean.pop("NODE_OPTIONS", ""), lazy=False)
        outdir = self._folder / mode / self._environment
        outdir.parent.mkdir(exist_ok=True)
        return clean | {
            "PLATFORM_ENV": self._environment,
            "CDKTF_OUTDIR": str(outdir),
            "JSII_NODE": node_binary(),
            "NODE_OPTIONS": node_options,
            fast_bindings.MODE_VARIABLE: Mode.LAZY if mode == FLOOR else mode,
        }

    def _command(self, name: str) -> list[str]:
        if name == FLOOR:
            return [sys.executable, "-c", FLOOR_PROGRAM, str(self._folder / "floor-out")]
        return [sys.executable, "main.py"]

    def time(self, name: str) -> Usage:
        """Time one synthesis of the named variant."""
        self._advance(LABELS[name])
        return run(self._command(name), self._variables(name), ROOT)

    def memory(self, name: str) -> float:
        """Return the peak memory in MiB of one synthesis of the named variant."""
        self._advance(f"{LABELS[name]}, memory")
        return peak_memory_mib(self._command(name), self._variables(name), ROOT)

    def growth(self, name: str, sizes: Sequence[tuple[int, int]]) -> list[dict[str, float]]:
        """Return resources and seconds of lazy syntheses with so many GPU pools and models, made by one process."""
        self._advance(f"growth with {name}s")
        arguments = [str(self._folder / name), *(f"{pools}:{models}" for pools, models in sizes)]
        command = [sys.executable, "-m", "scripts.lab.bench.workload", *arguments, "--repeats", str(REPEATS)]
        found: list[dict[str, float]] = json.loads(run(command, self._variables(Mode.LAZY), ROOT).output)
        return found


def node_binary() -> str:
    """Return the Node binary that every variant runs on."""
    bundled = fast_bindings.bundled_node()
    return os.environ.get("JSII_NODE") or (str(bundled) if bundled else "node")


def measure_variants(bench: Bench, runs: int) -> dict[str, Variant]:
    """Measure every variant `runs` times, in turns so that a drift of the machine meets all of them alike."""
    for name in LABELS:
        bench.time(name)  # Not counted: writes bytecode and fills jsii's package cache.
    times: dict[str, list[Usage]] = {name: [] for name in LABELS}
    for _ in range(runs):
        for name in LABELS:
            times[name].append(bench.time(name))
    memory: dict[str, list[float]] = {name: [] for name in LABELS}
    for _ in range(memory_runs(runs)):
        for name in LABELS:
            memory[name].append(bench.memory(name))
    return {
        name: Variant(
            wall_s=median(usage.wall_s for usage in usages),
            fastest_s=min(usage.wall_s for usage in usages),
            slowest_s=max(usage.wall_s for usage in usages),
            cpu_s=median(usage.cpu_s for usage in usages),
            largest_mib=median(usage.largest_mib for usage in usages),
            total_mib=median(memory[name]),
        )
        for name, usages in times.items()
    }


def memory_runs(runs: int) -> int:
    """Return how often memory, which hardly varies, is measured."""
    return (runs + 1) // 2


def measure_growth(bench: Bench, name: str, sizes: Mapping[int, tuple[int, int]], runs: int) -> list[Step]:
    """Measure the sizes (GPU pools, models), keyed by the number of items called `name`, and return a step for each.

    The differences between sizes are tens of milliseconds. So every process takes the sizes in turns, and the fastest
    synthesis counts: whatever else the machine does only adds to it.
    """
    processes = [bench.growth(name, list(sizes.values())) for _ in range(runs)]
    return [
        Step(items, int(found[0]["resources"]), min(one["seconds"] for one in found))
        for items, found in zip(sizes, zip(*processes, strict=True), strict=True)
    ]
