"""The processes that the synthesis benchmark measures, each in turn."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from scripts.images.charts.archives import NEVER, SWITCH
from stacks.fast_synth.mode import MODE_VARIABLE, Mode
from stacks.fast_synth.node import bundled_node, node_options

from .figures import FLOOR, Memory, Step, Times
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
    Mode.LAZY: "lean + lazy index",
    FLOOR: "floor",
}
REPEATS = 8
"""How often each process that measures growth synthesizes."""
UNWANTED = ("CDKTF_", "PYTEST_", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
"""Variables that are not passed on; the cold case sets the third one itself."""
APPLICATION = ("main.py", "stacks", "constructs", "scripts", "environments", "helm")


class Bench:
    """Runs the measured processes, each with a fresh output folder."""

    def __init__(self, environment: str, folder: Path, advance: Callable[[str], None]) -> None:
        self._environment = environment
        self._folder = folder
        self._advance = advance
        self._fresh = folder / "fresh"

    def _variables(self, mode: str) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(UNWANTED)}
        options = node_options(clean.pop("NODE_OPTIONS", ""), lazy=False)
        outdir = self._folder / mode / self._environment
        outdir.parent.mkdir(exist_ok=True)
        return clean | {
            "PLATFORM_ENV": self._environment,
            "CDKTF_OUTDIR": str(outdir),
            SWITCH: NEVER,  # a download would be measured too
            "JSII_NODE": node_binary(),
            "NODE_OPTIONS": options,
            MODE_VARIABLE: Mode.LAZY if mode == FLOOR else mode,
        }

    def _command(self, name: str) -> list[str]:
        if name == FLOOR:
            return [sys.executable, "-c", FLOOR_PROGRAM, str(self._folder / "floor-out")]
        return [sys.executable, "main.py"]

    def warm(self, name: str) -> Usage:
        """Time one synthesis of the named variant in this checkout, with the bytecode that it finds and writes."""
        self._advance(f"{LABELS[name]}, warm")
        return run(self._command(name), self._variables(name), ROOT)

    def cold(self, name: str) -> Usage:
        """Time one synthesis in a copy that has no bytecode and gets none, as in most images and on CI.

        Installed packages keep the bytecode that pip compiled.
        """
        self._advance(f"{LABELS[name]}, cold")
        if not self._fresh.exists():
            copy_sources(self._fresh)
        return run(self._command(name), self._variables(name) | {"PYTHONDONTWRITEBYTECODE": "1"}, self._fresh)

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


def copy_sources(folder: Path) -> None:
    """Copy what a synthesis reads of this checkout, without bytecode."""
    without = shutil.ignore_patterns("__pycache__")
    for name in APPLICATION:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=without)
        else:
            folder.mkdir(exist_ok=True)
            shutil.copyfile(source, folder / name)


def node_binary() -> str:
    """Return the Node binary that every variant runs on."""
    return os.environ.get("JSII_NODE") or str(bundled_node() or "node")


def measure_times(bench: Bench, runs: int) -> tuple[dict[str, Times], dict[str, Times], dict[str, float]]:
    """Measure every variant `runs` times, cold and warm, and return times of both and MiB of the largest process.

    The variants take turns, so that a drift of the machine meets all of them alike.
    """
    for name in LABELS:
        bench.warm(name)  # Not counted: writes bytecode and fills jsii's package cache.
    cold: dict[str, list[Usage]] = {name: [] for name in LABELS}
    warm: dict[str, list[Usage]] = {name: [] for name in LABELS}
    for _ in range(runs):
        for name in LABELS:
            cold[name].append(bench.cold(name))
            warm[name].append(bench.warm(name))
    largest = {name: median(usage.largest_mib for usage in usages) for name, usages in warm.items()}
    return _times(cold), _times(warm), largest


def _times(measured: Mapping[str, Sequence[Usage]]) -> dict[str, Times]:
    return {
        name: Times(
            cpu_s=median(usage.cpu_s for usage in usages),
            least_cpu_s=min(usage.cpu_s for usage in usages),
            most_cpu_s=max(usage.cpu_s for usage in usages),
            wall_s=median(usage.wall_s for usage in usages),
        )
        for name, usages in measured.items()
    }


def measure_memory(bench: Bench, runs: int, largest: Mapping[str, float]) -> dict[str, Memory]:
    """Measure the memory of every variant; `largest` has the MiB of its largest process."""
    found: dict[str, list[float]] = {name: [] for name in LABELS}
    for _ in range(memory_runs(runs)):
        for name in LABELS:
            found[name].append(bench.memory(name))
    return {name: Memory(median(totals), largest[name]) for name, totals in found.items()}


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
