"""The benchmark measures whole process trees and checks the figures by the promises."""

import os
import sys
from pathlib import Path
from typing import Literal

import pytest

from scripts.lab.bench.figures import FLOOR, Figures, Memory, Step, Target, Times, cost_ms, growth_target
from scripts.lab.bench.measure import BenchError, peak_memory_mib, run
from scripts.lab.bench.processes import ROOT, Bench, copy_sources, measure_growth
from scripts.lab.bench.report import machine, replace_block
from scripts.lab.bench.synth import DOCUMENT, TARGET_COLUMNS, markdown
from scripts.lab.bench.workload import resource_count, settings_data
from stacks.fast_synth.mode import Mode
from stacks.settings import Settings

SPIN = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
HOLD = "x = bytearray(b'x') * (120 << 20); import subprocess, sys"


def child(program: str) -> str:
    """Return a program that runs another one as its child process."""
    return f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}], check=True)"


def figures(*, cold: float = 2.0, shipped: float = 16.5, lazy: float = 1.4, mib: float = 300) -> Figures:
    """Return made-up figures: processor seconds of some variants, and MiB of the lazy one (as shipped: 1200)."""
    steps = [Step(1, 10, 0.1), Step(25, 34, 0.3), Step(50, 59, 0.5)]
    seconds = {Mode.AS_SHIPPED: shipped, Mode.LEAN: 3.0, Mode.LAZY: lazy, FLOOR: 0.5}
    memory = {Mode.AS_SHIPPED: 1200.0, Mode.LEAN: 900.0, Mode.LAZY: mib, FLOOR: 100.0}
    return Figures(
        machine={"processor": "some"},
        environment="dev",
        runs=5,
        cold={name: Times(value, value, value, value) for name, value in (seconds | {Mode.LAZY: cold}).items()},
        warm={name: Times(value, value, value, value) for name, value in seconds.items()},
        memory={name: Memory(value, value) for name, value in memory.items()},
        pools=steps,
        models=steps,
    )


def test_processor_time_counts_the_processes_that_a_command_starts() -> None:
    usage = run([sys.executable, "-c", child(SPIN)], os.environ, Path.cwd())
    assert usage.cpu_s >= 0.2
    assert usage.wall_s >= 0.2


def test_memory_is_summed_over_the_processes_that_run_together() -> None:
    program = f"{HOLD}; {child(HOLD)}"
    assert peak_memory_mib([sys.executable, "-c", program], os.environ, Path.cwd()) > 160
    assert 120 < run([sys.executable, "-c", program], os.environ, Path.cwd()).largest_mib < 240


def test_the_memory_of_the_measuring_process_is_not_counted() -> None:
    ballast = bytearray(b"x") * (200 << 20)
    assert run([sys.executable, "-c", "pass"], os.environ, Path.cwd()).largest_mib < len(ballast) / (1 << 20) / 2


@pytest.mark.slow
def test_growth_is_measured_on_the_real_application(tmp_path: Path) -> None:
    bench = Bench("dev", tmp_path, lambda _label: None)
    one, two = measure_growth(bench, "pool", {1: (1, 0), 2: (2, 0)}, runs=1)
    assert (one.items, two.items) == (1, 2)
    assert two.resources == one.resources + 1
    assert min(one.seconds, two.seconds) > 0


@pytest.mark.parametrize("measured", [run, peak_memory_mib])
def test_a_measured_command_that_fails_is_reported_with_what_it_wrote(measured: object) -> None:
    assert callable(measured)
    with pytest.raises(BenchError, match=r"status 3:\nno such stack"):
        measured([sys.executable, "-c", "print('no such stack'); raise SystemExit(3)"], os.environ, Path.cwd())


def test_targets_are_met_by_good_figures_only() -> None:
    assert [target.verdict for target in figures().targets()] == ["met"] * 6
    slow = figures(cold=2.3, shipped=14.0, lazy=1.8, mib=500)
    assert [target.verdict for target in slow.targets()] == ["missed"] * 4 + ["met"] * 2


@pytest.mark.parametrize(
    ("comparison", "figure", "printed", "verdict"),
    [
        ("at most", 2.204, "2.20", "met"),
        ("at most", 2.206, "2.21", "missed"),
        ("at least", 2.196, "2.20", "met"),
        ("at least", 2.194, "2.19", "missed"),
    ],
)
def test_a_figure_is_judged_as_it_is_printed(
    comparison: Literal["at most", "at least"], figure: float, printed: str, verdict: str
) -> None:
    target = Target("seconds", comparison, 2.2, figure)
    assert (target.printed, target.verdict) == (printed, verdict)


def test_the_published_page_has_every_target_and_no_verdict_that_its_figure_contradicts() -> None:
    page = DOCUMENT.read_text("utf-8")
    heading = f"| {' | '.join(TARGET_COLUMNS)} |"
    published = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in page[page.index(heading) :].partition("<!--")[0].splitlines()[2:]
        if line.startswith("|")
    ]
    limits = {target.promise: f"{target.comparison} {target.limit:g}" for target in figures().targets()}
    for promise, limit, figure, verdict in published:
        comparison, _, number = limit.rpartition(" ")
        kept = float(figure) <= float(number) if comparison == "at most" else float(figure) >= float(number)
        assert verdict == ("met" if kept else "missed"), promise
        assert limit == limits[promise] if promise in limits else promise.startswith("seconds of "), promise
    assert len(published) == len(limits)


def test_growth_faster_than_linear_misses_its_target() -> None:
    linear = [Step(1, 10, 1.0), Step(25, 34, 1.24), Step(50, 59, 1.49)]
    quadratic = [Step(1, 10, 1.0), Step(25, 34, 1.24), Step(50, 59, 1.90)]
    assert growth_target("pools", linear).verdict == "met"
    assert growth_target("pools", quadratic).verdict == "missed"
    assert growth_target("pools", quadratic).printed == "0.35"
    assert cost_ms(linear[0], linear[1]) == pytest.approx(10)


def test_the_cold_case_has_no_bytecode_and_gets_none(tmp_path: Path) -> None:
    copy_sources(tmp_path)
    assert (tmp_path / "main.py").read_bytes() == (ROOT / "main.py").read_bytes()
    command = [sys.executable, "-c", "import stacks.settings, sys; print(sys.dont_write_bytecode)"]
    usage = run(command, os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, tmp_path)
    assert usage.output == "True\n"
    assert not list(tmp_path.rglob("*.pyc"))


def test_items_without_resources_of_their_own_are_charged_per_item() -> None:
    assert cost_ms(Step(1, 10, 1.0), Step(101, 10, 1.1)) == pytest.approx(1)


def test_growth_within_the_noise_of_a_timing_is_not_judged() -> None:
    assert growth_target("model", [Step(1, 10, 1.0), Step(100, 10, 0.995), Step(200, 10, 1.005)]).verdict == "met"


def test_the_benchmarked_environments_are_valid_and_as_large_as_asked() -> None:
    settings = Settings.model_validate(settings_data(pools=50, models=200))
    assert len(settings.cluster.gpu_pools) == 50
    assert len({model.first_pool for model in settings.models}) > 1
    assert len(settings.models) == 200


def test_resources_are_counted_over_all_stacks(tmp_path: Path) -> None:
    for name in ("aks", "disks"):
        (tmp_path / "stacks" / name).mkdir(parents=True)
        text = '{"resource": {"a_b": {"x": {}, "y": {}}}, "data": {"a_c": {"z": {}}}}'
        (tmp_path / "stacks" / name / "cdk.tf.json").write_text(text)
    assert resource_count(tmp_path) == 6


def test_figures_replace_only_their_own_block_of_a_document() -> None:
    document = "before\n<!-- bench synth -->\nold\n<!-- end bench synth -->\nafter\n"
    assert replace_block(document, "synth", "new") == document.replace("old", "new")
    with pytest.raises(ValueError, match="no place for the figures"):
        replace_block(document, "rehearse", "new")


def test_the_written_report_names_no_host_and_no_path() -> None:
    report = markdown(figures())
    facts = " ".join(machine("v22.20.0").values())
    for private in (os.uname().nodename, str(Path.home()), str(Path.cwd())):
        assert private not in facts
        assert private not in report
    assert "| lean + lazy index | 2.00 | 2.00-2.00 | 2.00 | 1.40 |" in report
