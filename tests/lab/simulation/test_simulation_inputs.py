"""What the simulation reads and writes: environments, assumptions, traces, tables, plots, the command line."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from scripts.cli.develop import simulate
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import ROOT
from scripts.lab.simulation import chapter, report
from scripts.lab.simulation.compare import compare
from scripts.lab.simulation.policies import Policy
from scripts.lab.simulation.scenario import ScenarioError, model_of, scenario, tokens_per_second, varied
from scripts.lab.simulation.sources import AssumptionError, changes, load, parse_change
from scripts.lab.simulation.traffic import DAY_S, HOUR_S, PATTERNS, WEEK_S, Request, TraceError, generate, read_trace
from stacks.aks.profiles import autoscaler
from stacks.platform.common.timeouts import ENGINE_DRAIN_SECONDS
from stacks.platform.components.serving.scaling import scaling
from stacks.settings import load_settings
from stacks.settings.models import Engine

ASSUMED, ORIGINS = load()
DEV = load_settings("dev")


def run(*words: str) -> Result:
    return CliRunner().invoke(simulate.app, words)


def test_every_assumption_names_its_source() -> None:
    assert all(len(origin.source) > 5 for origin in ORIGINS)
    assert not next(origin for origin in ORIGINS if origin.key == "start.node_ready_s").verified


def test_a_changed_assumption_is_used_and_says_who_changed_it() -> None:
    assumed, origins = load(changes(None, ["keda.polling_interval_s=5", "service.concurrency.vllm=2"]))
    assert assumed.keda.polling_interval_s == 5
    assert assumed.service.concurrency == ASSUMED.service.concurrency | {Engine.VLLM: 2}
    changed = [origin.key for origin in origins if origin.source == "given by the caller"]
    assert changed == ["keda.polling_interval_s", "service.concurrency"]


def test_assumptions_of_a_file_come_before_those_of_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("hpa: {tolerance: 0.2, period_s: {value: 30}}\n")
    assumed, _ = load(changes(file, ["hpa.tolerance=0.3"]))
    assert (assumed.hpa.tolerance, assumed.hpa.period_s) == (0.3, 30)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keda.polling=1", "no assumption keda.polling; there are keda.polling_interval_s"),
        ("kedo.polling=1", "no assumption kedo.polling; there are cluster_autoscaler, hpa, keda"),
        ("keda.polling_interval_s=-1", "keda.polling_interval_s cannot be -1: Input should be greater than 0"),
        ("keda.polling_interval_s=soon", "cannot be 'soon'"),
        ("keda=1", "write GROUP.KEY=VALUE"),
        ("keda.polling_interval_s", "write GROUP.KEY=VALUE"),
        ("keda.polling_interval_s=[1", "is no value for keda.polling_interval_s"),
    ],
)
def test_an_assumption_that_cannot_be_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(AssumptionError, match=re.escape(message)):
        load([parse_change(text)])


@pytest.mark.parametrize("content", ["- a", "keda: 5", "a: [", "just text"])
def test_a_file_that_holds_no_assumptions_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(AssumptionError, match=r"mine\.yaml"):
        changes(tmp_path / "mine.yaml", [])


def test_the_scenario_is_scaled_by_what_the_chart_gets() -> None:
    model = model_of(DEV.name, DEV.models, "qwen2-5-7b")
    played = scenario(*varied(DEV, model, idle_minutes=40, max_replicas=2), ASSUMED)
    chart = scaling(varied(DEV, model, idle_minutes=40, max_replicas=2)[0])
    engine = chart["engines"]["vllm-qwen2-5-7b"]
    assert (played.cooldown_s, played.max_replicas) == (40 * 60, 2) == (engine["idleSeconds"], engine["max"])
    assert (played.hold_s, played.answer_s) == (chart["holdSeconds"], chart["answerSeconds"])
    assert played.waiting_target == engine["waiting"]["perReplica"]
    assert scenario(DEV, model_of(DEV.name, DEV.models, "phi3.5"), ASSUMED).waiting_target is None


def test_models_that_share_an_ollama_are_changed_together() -> None:
    changed, _ = varied(DEV, model_of(DEV.name, DEV.models, "phi3.5"), idle_minutes=99)
    assert Counter(model.idle_minutes == 99 for model in changed.models) == {True: 6, False: 1}


def test_assumed_intervals_are_those_that_the_platform_sets() -> None:
    chart = (ROOT / "helm" / "scaling" / "templates" / "scaled-objects.yaml").read_text()
    hpa = ASSUMED.hpa
    assert f"pollingInterval: {ASSUMED.keda.polling_interval_s:g}\n" in chart
    assert f"stabilizationWindowSeconds: {hpa.scale_up_window_s:g}\n" in chart
    assert f"min {hpa.longest_scale_down_window_s:g} $engine.idleSeconds" in chart
    assert chart.count(f"{{type: Pods, value: {hpa.pods_per_period}, periodSeconds: {hpa.period_s:g}}}") == 2
    profile = autoscaler(ENGINE_DRAIN_SECONDS, pools_in_order=False)
    assert profile.scale_down_unneeded == f"{ASSUMED.cluster_autoscaler.scale_down_unneeded_s / 60:g}m"
    assert profile.scale_down_delay_after_add == f"{ASSUMED.cluster_autoscaler.scale_down_delay_after_add_s / 60:g}m"
    assert ENGINE_DRAIN_SECONDS == ASSUMED.queue.termination_grace_s == 600


def test_spot_nodes_cost_their_share_and_are_lost_now_and_then() -> None:
    pools = {"t4": DEV.cluster.gpu_pools["t4"].model_copy(update={"priority": "regular"})}
    regular = DEV.model_copy(update={"cluster": DEV.cluster.model_copy(update={"gpu_pools": pools})})
    model = model_of(DEV.name, DEV.models, None)
    spot, full = scenario(DEV, model, ASSUMED), scenario(regular, model, ASSUMED)
    assert spot.usd_per_node_hour == pytest.approx(full.usd_per_node_hour * ASSUMED.price.spot_share)
    assert spot.evictions_per_node_hour > full.evictions_per_node_hour == 0


def test_speed_follows_from_memory_bandwidth_and_weights() -> None:
    llama = model_of(DEV.name, DEV.models, "llama3.1-8b")
    # 30 % of 320 GB/s over 4.6 GiB of weights; published figures for a T4 are 18 to 21.
    assert tokens_per_second(llama, "T4", ASSUMED) == pytest.approx(0.3 * 320 / (4.6 * 1.073741824))
    assert tokens_per_second(llama, "A100", ASSUMED) > 5 * tokens_per_second(llama, "T4", ASSUMED)


def test_as_many_conversations_run_at_once_as_fit_beside_the_weights() -> None:
    # 14.56 GiB x 0.9 - 5.2 weights - 1 runtime = 6.9 GiB for conversations of 16384 x 56 KiB = 0.875 GiB.
    assert scenario(DEV, model_of(DEV.name, DEV.models, "qwen2-5-7b"), ASSUMED).concurrency == 7
    assert scenario(DEV, model_of(DEV.name, DEV.models, "gpt-oss"), ASSUMED).concurrency == 1


def test_what_cannot_be_simulated_is_said() -> None:
    with pytest.raises(ScenarioError, match="serves no model nobody; it serves phi"):
        model_of(DEV.name, DEV.models, "nobody")
    with pytest.raises(ScenarioError, match="serves no model; list one"):
        model_of(DEV.name, (), None)
    odd = {"t4": DEV.cluster.gpu_pools["t4"].model_copy(update={"vm_size": "Standard_ND96isr_H200_v5"})}
    settings = DEV.model_copy(update={"cluster": DEV.cluster.model_copy(update={"gpu_pools": odd})})
    with pytest.raises(ScenarioError, match=r"--set price.usd_per_hour.Standard_ND96isr_H200_v5=USD"):
        scenario(settings, model_of(settings.name, settings.models, None), ASSUMED)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_bring_the_requests_asked_for(pattern: str) -> None:
    requests = generate(pattern, 4000, 7, ASSUMED.traffic, seed=5)
    assert len(requests) == pytest.approx(4000, rel=0.06)
    assert requests == sorted(requests, key=lambda request: request.arrival_s)
    assert all(0 <= request.arrival_s < WEEK_S for request in requests)
    assert requests == generate(pattern, 4000, 7, ASSUMED.traffic, seed=5)
    assert requests != generate(pattern, 4000, 7, ASSUMED.traffic, seed=6)


def test_an_office_works_on_weekdays() -> None:
    requests = generate("office-hours", 4000, 7, ASSUMED.traffic, seed=5)
    at_work = [r for r in requests if r.arrival_s < 5 * DAY_S and 8 <= r.arrival_s % DAY_S / HOUR_S < 18]
    assert len(at_work) > 0.9 * len(requests)


def test_no_demand_is_no_request() -> None:
    assert generate("steady", 0, 7, ASSUMED.traffic, seed=1) == []


def trace(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "trace.csv"
    path.write_text(content)
    return path


def test_a_trace_is_read_in_order_and_missing_tokens_are_drawn(tmp_path: Path) -> None:
    path = trace(tmp_path, "arrival,prompt_tokens,answer_tokens\n90.5,10,20\n30,,\n")
    first, second = read_trace(path, ASSUMED.traffic, seed=0)
    assert second == Request(90.5, 10, 20)
    assert first.arrival_s == 30
    assert first.prompt_tokens > 0 < first.answer_tokens


def test_times_of_a_trace_count_from_the_monday_before(tmp_path: Path) -> None:
    # 2026-11-18 is a Wednesday.
    path = trace(tmp_path, "arrival\n2026-11-18T09:30:00\n2026-11-24T00:00:01+01:00\n")
    arrivals = [request.arrival_s for request in read_trace(path, ASSUMED.traffic, seed=0)]
    assert arrivals == [2 * DAY_S + 9.5 * HOUR_S, WEEK_S + DAY_S + 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("time\n1\n", "has no column `arrival`"),
        ("arrival\n", "holds no request"),
        ("arrival\n1\nsoon\n", "line 3: "),
        ("arrival\n-1\n", "line 2: a negative number"),
        ("arrival\nnan\n", "line 2: nan is no moment"),
        ("arrival,prompt_tokens\n1,-5\n", "line 2: a negative number"),
        ("arrival,prompt_tokens\n1,many\n", "line 2: "),
        ("arrival\n1\n1763500000000\n", "more than a year"),
    ],
)
def test_a_trace_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(TraceError, match=re.escape(message)):
        read_trace(trace(tmp_path, content), ASSUMED.traffic, seed=0)


@given(st.text(max_size=200))
def test_no_text_makes_a_trace_end_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    path = tmp_path_factory.mktemp("trace") / "trace.csv"
    path.write_text("arrival,prompt_tokens,answer_tokens\n" + content, encoding="utf-8")
    with suppress(TraceError):
        assert read_trace(path, ASSUMED.traffic, seed=0)


def test_the_command_prints_figures_for_programs(tmp_path: Path) -> None:
    path = trace(tmp_path, "arrival,prompt_tokens,answer_tokens\n3600,100,100\n")
    result = run("scaling", "dev", "--trace", str(path), "--json", "--set", "start.node_ready_spread=0")
    data = json.loads(result.stdout)
    assert [case["policy"] for case in data["cases"]] == ["always-on", "scheduled", "scale-to-zero"]
    assert [case["cold_starts"] for case in data["cases"]] == [0, 1, 1]
    assert data["assumptions"]["start.node_ready_spread"] == 0
    assert data["model"] == "qwen2-5-7b"


def test_the_command_draws_what_it_compares(tmp_path: Path) -> None:
    words = ["--requests", "50", "--days", "1", "--policy", "scale-to-zero", "--idle-minutes", "20,60"]
    assert run("scaling", "dev", *words, "--plot", str(tmp_path / "plots")).exit_code == 0
    drawn = {path.name: path.read_text() for path in (tmp_path / "plots").iterdir()}
    assert drawn.keys() == {"week.svg", "waits.svg", "trade-off.svg"}
    texts = [element.text for element in ElementTree.fromstring(drawn["trade-off.svg"]).iter() if element.text]
    assert {"20 min", "60 min"} <= set(texts)


@pytest.mark.parametrize(
    "words",
    [
        ("--policy", "sometimes"),
        ("--idle-minutes", "5,x"),
        ("--max-replicas", "0"),
        ("--pattern", "weekends"),
        ("--model", "nobody"),
        ("--set", "keda.polling=1"),
        ("--trace", "/does/not/exist"),
    ],
)
def test_a_wrong_word_is_one_clear_sentence(words: tuple[str, str]) -> None:
    error = run("scaling", "dev", *words).exception
    assert isinstance(error, OperatorError)
    assert error.code is ExitCode.USAGE
    assert words[1].split(",")[-1].split("=")[0] in error.message


@pytest.mark.slow
def test_plots_come_out_the_same_twice_and_name_every_policy() -> None:
    from scripts.lab.simulation import plots  # as below: matplotlib takes half a second of whoever collects this

    requests = generate("bursty", 300, 2, ASSUMED.traffic, seed=1)
    cases = compare(
        requests, DEV, model_of(DEV.name, DEV.models, None), ASSUMED, policies=list(Policy), until_s=2 * DAY_S
    )
    draws: list[Callable[[], str]] = [
        lambda: plots.week(requests, cases),
        lambda: plots.waits(cases),
        lambda: plots.trade_off(cases),
    ]
    for draw in draws:
        picture = draw()
        assert picture == draw()
        words = " ".join(element.text or "" for element in ElementTree.fromstring(picture).iter())
        assert [policy for policy in Policy if policy.value not in words] == []


def test_plots_are_readable_on_a_dark_page() -> None:
    from scripts.lab.simulation import plots

    cases = compare([], DEV, model_of(DEV.name, DEV.models, None), ASSUMED, policies=[Policy.SCALE_TO_ZERO])
    background = next(ElementTree.fromstring(plots.waits(cases)).iter("{http://www.w3.org/2000/svg}path"))
    assert background.attrib["style"] == "fill: #ffffff"


def test_without_the_development_packages_a_plot_is_refused_with_the_command_that_helps(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["matplotlib"] = None
from scripts.cli.app import main
sys.argv = ["llmctl", "simulate", "scaling", "dev", "--requests", "1", "--days", "0.01", *sys.argv[1:]]
main()
"""
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).returncode == 0
    refused = subprocess.run([*command, "--plot", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == ExitCode.NOT_READY
    assert "llmctl setup --dev" in refused.stderr


def test_nobody_asking_is_drawn_as_well() -> None:
    from scripts.lab.simulation import plots

    cases = compare([], DEV, model_of(DEV.name, DEV.models, None), ASSUMED, policies=[Policy.SCALE_TO_ZERO])
    assert cases[0].outcome.gpu_hours == 0
    for picture in (plots.week([], cases), plots.waits(cases), plots.trade_off(cases)):
        ElementTree.fromstring(picture)


@pytest.mark.slow
def test_figures_and_plots_of_the_documentation_are_what_the_command_writes() -> None:
    from scripts.lab.simulation import chapter_files

    answered = chapter.studies()
    document = (ROOT / "docs" / "explanation" / "scaling.md").read_text("utf-8")
    again = "run `llmctl simulate docs --write` and read what the text says about the figures"
    assert chapter.text(answered) in document, again
    assert report.assumptions_markdown(ORIGINS) in document, again
    for name, picture in chapter_files.images(answered).items():
        assert (ROOT / "docs" / "images" / name).read_text("utf-8") == picture, again
        assert f"../images/{name}" in document
