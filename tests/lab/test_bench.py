"""The benchmark measures whole process trees and judges the figures by the promises."""

import os
import sys
from pathlib import Path

import pytest

from scripts.lab.bench.figures import FLOOR, Figures, Step, Variant, cost_ms, growth_target
from scripts.lab.bench.measure import BenchError, peak_memory_mib, run
from scripts.lab.bench.processes import Bench, measure_growth
from scripts.lab.bench.report import machine, replace_block
from scripts.lab.bench.synth import markdown
from scripts.lab.bench.workload import resource_count, settings_data
from stacks.fast_bindings import Mode
from stacks.settings import Settings

SPIN = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
HOLD = "x = bytearray(b'x') * (120 << 20); import subprocess, sys"


def child(program: str) -> str:
    """Return a program that runs another one as its child process."""
    return f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}], check=True)"


def figures(shipped: Variant, lazy: Variant, floor: Variant) -> Figures:
    steps = [Step(1, 10, 0.1), Step(25, 34, 0.3), Step(50, 59, 0.5)]
    return Figures(
        machine={"processor": "some"},
        environment="dev",
        runs=5,
        variants={Mode.AS_SHIPPED: shipped, Mode.LEAN: shipped, Mode.LAZY: lazy, FLOOR: floor},
        pools=steps,
        models=steps,
    )


def variant(wall_s: float, total_mib: float) -> Variant:
    return Variant(wall_s, wall_s, wall_s, wall_s, total_mib, total_mib)


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
    good = figures(variant(16, 1200), variant(1.2, 200), variant(0.6, 100))
    assert [target.met for target in good.targets()] == [True] * 5
    slow = figures(variant(16, 1200), variant(1.6, 500), variant(0.6, 100))
    assert [target.met for target in slow.targets()] == [False, False, False, True, True]


def test_growth_faster_than_linear_misses_its_target() -> None:
    linear = [Step(1, 10, 1.0), Step(25, 34, 1.24), Step(50, 59, 1.49)]
    quadratic = [Step(1, 10, 1.0), Step(25, 34, 1.24), Step(50, 59, 1.90)]
    assert growth_target("pool", linear).met
    assert not growth_target("pool", quadratic).met
    assert cost_ms(linear[0], linear[1]) == pytest.approx(10)


def test_items_without_resources_of_their_own_are_charged_per_item() -> None:
    assert cost_ms(Step(1, 10, 1.0), Step(101, 10, 1.1)) == pytest.approx(1)


def test_growth_within_the_noise_of_a_timing_is_not_judged() -> None:
    assert growth_target("model", [Step(1, 10, 1.0), Step(100, 10, 0.995), Step(200, 10, 1.005)]).met


def test_the_benchmarked_environments_are_valid_and_as_large_as_asked() -> None:
    settings = Settings.model_validate(settings_data(pools=50, models=200))
    assert len(settings.cluster.gpu_pools) == 50
    assert len({model.pool for model in settings.models}) > 1
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
    report = markdown(figures(variant(16, 1200), variant(1.2, 200), variant(0.6, 100)))
    facts = " ".join(machine("v22.20.0").values())
    for private in (os.uname().nodename, str(Path.home()), str(Path.cwd())):
        assert private not in facts
        assert private not in report
    assert "| lean + lazy | 1.20 |" in report
