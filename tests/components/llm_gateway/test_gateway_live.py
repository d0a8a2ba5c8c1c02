"""LiteLLM of the pinned version takes the configuration that the platform writes, and does what is promised of it.

Runs where `scripts/lab/install-live litellm` was.
"""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.common.catalogue import HELM, images
from stacks.platform.components.llm_gateway import release
from stacks.settings import Settings, load_settings
from tests.support.llm_gateway.litellm_process import LITELLM, Gateway, Upstream, gateway, upstream
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import wait_for

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Path(LITELLM).exists(), reason="LiteLLM is not installed (scripts/lab/install-live)"),
]
TRACES, SPANS = "/api/v1/private/traces/batch", "/api/v1/private/spans/batch"
OLLAMA, VLLM = "llama3.1-8b", "qwen2-5-7b"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings("dev")


@pytest.fixture(scope="module")
def running(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, Upstream, Upstream]]:
    folder = tmp_path_factory.mktemp("litellm")
    with upstream() as engines, upstream() as opik, gateway(settings, folder, engines, opik) as started:
        yield started, engines, opik


@pytest.fixture(scope="module")
def running_otherwise(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, Upstream, Upstream]]:
    """Run another one, with both settings of traces the other way round: chats with their texts, programs without."""
    otherwise = settings.gateway.model_copy(update={"trace_chats": True, "trace_prompts": False})
    changed, folder = settings.model_copy(update={"gateway": otherwise}), tmp_path_factory.mktemp("otherwise")
    with upstream() as engines, upstream() as opik, gateway(changed, folder, engines, opik) as started:
        yield started, engines, opik


@pytest.fixture
def parts(running: tuple[Gateway, Upstream, Upstream]) -> tuple[Gateway, Upstream, Upstream]:
    return _as_new(running)


@pytest.fixture
def parts_otherwise(running_otherwise: tuple[Gateway, Upstream, Upstream]) -> tuple[Gateway, Upstream, Upstream]:
    return _as_new(running_otherwise)


def _as_new(running: tuple[Gateway, Upstream, Upstream]) -> tuple[Gateway, Upstream, Upstream]:
    _, engines, opik = running
    engines.calls.clear()
    opik.calls.clear()
    engines.status, engines.text, opik.otherwise = 200, "It works.", 204
    return running


def _items(opik: Upstream, path: str) -> list[dict[str, Any]]:
    """Return the traces or spans that have arrived; a call brings many."""
    return [item for call in list(opik.calls) if call.path == path for item in call.body[path.split("/")[-2]]]


def _sent(opik: Upstream, path: str, prompt: str, count: int = 1) -> list[dict[str, Any]]:
    """Return the traces or spans of a prompt that arrived, once there are `count`."""

    def items() -> list[dict[str, Any]]:
        return [item for item in _items(opik, path) if prompt in json.dumps(item["input"])]

    with opik.arrived:
        assert opik.arrived.wait_for(lambda: len(items()) >= count, PATIENCE_S)
    return items()


def test_program_is_the_pinned_version() -> None:
    """Asked of its package, since `litellm --version` takes as long as a start."""
    asks = "from importlib.metadata import version; print(version('litellm'))"
    command = [str(Path(LITELLM).with_name("python")), "-c", asks]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert images()["litellm/proxy"].tag == f"v{said.strip()}"


def test_callbacks_are_known_and_loaded(parts: tuple[Gateway, Upstream, Upstream]) -> None:
    found = json.loads(parts[0].ask("/health/readiness/details")[2])
    assert {"PrometheusLogger", "PlatformTracing"} <= set(found["success_callbacks"])


def test_looking_around_calls_no_engine(parts: tuple[Gateway, Upstream, Upstream], settings: Settings) -> None:
    running, engines, _ = parts
    listed = json.loads(running.ask("/v1/models")[2])["data"]
    assert [model["id"] for model in listed] == [model.name for model in settings.models]
    paths = ("/model/info", "/v1/model/info", "/model_group/info", f"/v1/models/{OLLAMA}")
    assert {running.ask(path)[0] for path in paths} == {200}
    assert {running.ask(path, key=None)[0] for path in ("/health/readiness", "/health/liveliness")} == {200}
    assert running.metrics()
    assert engines.calls == []


def test_each_model_goes_to_its_engine_by_the_name_that_the_engine_knows(
    parts: tuple[Gateway, Upstream, Upstream], settings: Settings
) -> None:
    running, engines, _ = parts
    for model in settings.models:
        assert running.chat(model.name)[0] == 200
        call = engines.calls[-1]
        vllm = model.engine == "vllm"
        engine = f"vllm-{model.name}" if vllm else f"ollama-{model.first_pool}"
        assert call.path == f"/{engine}/v1/chat/completions"
        assert call.body["model"] == (model.name if vllm else model.id)
        assert call.headers["authorization"] == ("Bearer key-of-vllm" if vllm else "Bearer none")
    assert len(engines.calls) == len(settings.models)


@pytest.mark.parametrize("model", [OLLAMA, VLLM])
def test_answers_are_streamed(parts: tuple[Gateway, Upstream, Upstream], model: str) -> None:
    status, headers, text = parts[0].chat(model, stream=True)
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/event-stream")
    assert text.count("data: ") > 2
    assert text.rstrip().endswith("data: [DONE]")


def test_tokens_are_charged_at_the_model_s_price(parts: tuple[Gateway, Upstream, Upstream], settings: Settings) -> None:
    _, headers, _ = parts[0].chat(VLLM)
    (price,) = (model.usd_per_million_tokens for model in settings.models if model.name == VLLM)
    assert float(headers["x-litellm-response-cost"]) == pytest.approx(20 * price / 1_000_000)


def test_engine_that_refuses_is_asked_once_and_stays_in_use(parts: tuple[Gateway, Upstream, Upstream]) -> None:
    running, engines, _ = parts
    engines.status, engines.text = 503, "the model is still starting"
    for _ in range(5):
        status, _, body = running.chat(OLLAMA)
        assert status == 503
        assert "the model is still starting" in body["error"]["message"]
    assert len(engines.calls) == 5
    engines.status = 200
    assert running.chat(OLLAMA)[0] == 200


def test_gateway_waits_longer_than_everything_behind_it(
    parts: tuple[Gateway, Upstream, Upstream], settings: Settings
) -> None:
    running, engines, _ = parts
    engines.status = 503
    _, headers, _ = running.chat(OLLAMA)
    assert float(headers["x-litellm-timeout"]) == release.timeout_seconds(settings.serving)


def test_every_answer_becomes_a_trace_in_the_environment_s_project(
    parts: tuple[Gateway, Upstream, Upstream], settings: Settings
) -> None:
    running, _, opik = parts
    running.chat(OLLAMA, prompt="Traced?", metadata={"opik": {"thread_id": "thread-1", "report": "weekly"}})
    running.chat(VLLM, prompt="Traced?", stream=True)
    traces = _sent(opik, TRACES, "Traced?", 2)
    assert {trace["project_name"] for trace in traces} == {settings.name}
    by_model = {trace["metadata"]["model_group"]: trace for trace in traces}
    assert set(by_model) == {OLLAMA, VLLM}
    assert by_model[OLLAMA]["thread_id"] == "thread-1"
    assert by_model[OLLAMA]["metadata"]["report"] == "weekly"
    assert by_model[OLLAMA]["input"] == [{"role": "user", "content": "Traced?"}]
    assert by_model[OLLAMA]["output"]["choices"][0]["message"]["content"] == "It works."
    spans = _sent(opik, SPANS, "Traced?", 2)
    assert {span["usage"]["total_tokens"] for span in spans} == {20}
    assert {span["trace_id"] for span in spans} == {trace["id"] for trace in traces}


def test_failed_call_becomes_a_trace_with_its_error(parts: tuple[Gateway, Upstream, Upstream]) -> None:
    running, engines, opik = parts
    engines.status, engines.text = 500, "out of memory"
    running.chat(VLLM, prompt="Will it fail?", metadata={"opik": {"thread_id": "thread-2"}})
    (trace,) = _sent(opik, TRACES, "Will it fail?")
    assert "out of memory" in trace["error_info"]["message"]
    # The shape of an answered call's, so that both are found by the same filter.
    assert trace["input"] == [{"role": "user", "content": "Will it fail?"}]
    assert (trace["thread_id"], trace["tags"]) == ("thread-2", ["failed"])
    (span,) = _sent(opik, SPANS, "Will it fail?")
    assert (span["trace_id"], span["model"]) == (trace["id"], VLLM)


@pytest.mark.parametrize("status", [200, 500])
def test_call_of_an_application_is_a_span_of_its_own_trace(
    parts: tuple[Gateway, Upstream, Upstream], status: int
) -> None:
    running, engines, opik = parts
    engines.status = status
    caller = {"trace_id": "01a1fee4-1662-7f38-990a-a95cbdfd5e5e", "id": "01a1fee4-1663-7814-985f-fd3d7c1ac157"}
    metadata = {"opik": {"project_name": "reports", "current_span_data": caller}}
    prompt = f"A part, answered {status}."
    running.chat(VLLM, prompt=prompt, metadata=metadata)
    (span,) = _sent(opik, SPANS, prompt)
    assert (span["trace_id"], span["parent_span_id"]) == (caller["trace_id"], caller["id"])
    assert span["project_name"] == "reports"
    assert not any(prompt in json.dumps(call.body) for call in opik.calls if call.path == TRACES)
    assert "metadata" not in engines.calls[-1].body


def test_whoever_has_no_key_gets_nothing_and_fills_no_traces(parts: tuple[Gateway, Upstream, Upstream]) -> None:
    running, engines, opik = parts
    body = {"model": OLLAMA, "messages": [{"role": "user", "content": "Let me in."}]}
    for key in (None, "sk-wrong"):
        assert running.ask("/v1/chat/completions", body, key=key)[0] >= 400
    assert engines.calls == []
    running.chat(VLLM, prompt="Afterwards.")
    assert _sent(opik, TRACES, "Afterwards.")
    assert not any(sign in json.dumps(call.body) for call in opik.calls for sign in ("Let me in.", '"name": "/v1'))


def test_answer_that_is_being_made_outlives_an_update(tmp_path: Path, settings: Settings) -> None:
    with upstream() as engines, upstream() as opik, gateway(settings, tmp_path, engines, opik, soon=False) as running:
        engines.held.clear()
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(running.chat, VLLM)
            wait_for(lambda: in_flight(running), PATIENCE_S, lambda: "the call never arrives")
            running.process.terminate()
            wait_for(lambda: "Shutting down" in running.log.read_text(), PATIENCE_S, running.log.read_text)
            engines.held.set()
            assert waiting.result(PATIENCE_S)[0] == 200
        assert running.process.wait(PATIENCE_S) == 0
        # Its trace is sent before the process ends.
        assert len(_sent(opik, SPANS, "Does it work?")) == 1


def in_flight(running: Gateway) -> bool:
    return bool(json.loads(running.ask("/health/backlog")[2])["in_flight_requests"] > 1)


def test_prompts_stay_out_of_traces_when_the_settings_say_so(
    parts_otherwise: tuple[Gateway, Upstream, Upstream],
) -> None:
    running, engines, opik = parts_otherwise
    engines.text = "a secret answer"
    assert "a secret answer" in str(running.chat(VLLM, prompt="a secret question")[2])
    engines.status, engines.text = 500, "broken"
    running.chat(OLLAMA, prompt="a secret question")
    with opik.arrived:
        assert opik.arrived.wait_for(lambda: min(len(_items(opik, path)) for path in (TRACES, SPANS)) >= 2, PATIENCE_S)
    sent = json.dumps([call.body for call in opik.calls])
    assert '"message": "status 500"' in sent
    assert "a secret" not in sent
    # Engines repeat prompts in their errors.
    assert "broken" not in sent


WRITER = {
    "X-OpenWebUI-User-Name": "Mia%20Private",
    "X-OpenWebUI-User-Id": "11111111-0000-4000-8000-00000000000a",
    "X-OpenWebUI-User-Email": "mia.private@example.com",
    "X-OpenWebUI-User-Role": "user",
    "X-OpenWebUI-User-Jwt": "eyJ.private.jwt",
    "X-OpenWebUI-Chat-Id": "chat-1",
    "User-Agent": "Mia-Private-Browser",
    "X-Forwarded-For": "203.0.113.77",
}
PLANTED = "My salary is 4711 talers and my password is hunter2"
PERSONAL = ("Mia", "mia.private", "00000000000a", "eyJ.private", "203.0.113.77")


def _chats(running: Gateway, engines: Upstream, opik: Upstream, *, model: str = VLLM) -> str:
    """Chat as somebody in Open WebUI, answered, streamed and refused; return all that reached Opik, and the log."""
    engines.text = f"I repeat: {PLANTED}"
    body = {"user": "mia.private@example.com", "metadata": {"user_email": "mia.private@example.com"}}
    tools = [{"type": "function", "function": {"name": "note", "description": PLANTED, "parameters": {}}}]
    running.chat(model, prompt=PLANTED, headers=WRITER, tools=tools, **body)
    running.chat(model, prompt=PLANTED, headers=WRITER, stream=True, **body)
    engines.status = 500
    running.chat(model, prompt=PLANTED, headers=WRITER, **body)

    with opik.arrived:
        assert opik.arrived.wait_for(lambda: min(len(_items(opik, path)) for path in (TRACES, SPANS)) >= 3, PATIENCE_S)
    assert {trace["thread_id"] for trace in _items(opik, TRACES)} == {"chat-1"}
    assert {trace["metadata"]["model_group"] for trace in _items(opik, TRACES)} == {model}
    assert 20 in [span.get("usage", {}).get("total_tokens") for span in _items(opik, SPANS)]
    return json.dumps([[call.path, call.headers, call.body] for call in opik.calls])


def test_nothing_of_a_chat_is_in_a_trace_but_figures(parts: tuple[Gateway, Upstream, Upstream]) -> None:
    running, engines, opik = parts
    sent = _chats(running, engines, opik)
    for private in (*PERSONAL, "4711", "hunter2"):
        assert private not in sent, private
    # Nor in the log, where LiteLLM writes what an engine refuses with.
    log = running.log.read_text()
    assert "of a call without texts" in log
    for private in ("4711", "hunter2", "mia.private", "Mia Private"):
        assert private not in log, private


def test_texts_of_chats_are_traced_where_the_settings_say_so_and_persons_never(
    parts_otherwise: tuple[Gateway, Upstream, Upstream],
) -> None:
    running, engines, opik = parts_otherwise
    sent = _chats(running, engines, opik)
    engines.status = 200
    running.chat(OLLAMA, prompt="A program asks for 0815")
    with opik.arrived:
        assert opik.arrived.wait_for(lambda: OLLAMA in json.dumps(_items(opik, SPANS)), PATIENCE_S)
    assert "0815" not in json.dumps([call.body for call in opik.calls])
    assert "4711" in sent
    for private in PERSONAL:
        assert private not in sent, private


def test_a_program_s_trace_names_no_person_and_no_address(parts: tuple[Gateway, Upstream, Upstream]) -> None:
    running, _, opik = parts
    running.chat(VLLM, prompt="Whose?", user="mia.private@example.com", headers={"X-Forwarded-For": "203.0.113.77"})
    (trace,) = _sent(opik, TRACES, "Whose?")
    (span,) = _sent(opik, SPANS, "Whose?")
    for private in PERSONAL:
        assert private not in json.dumps([trace, span]), private


def test_traces_of_the_time_without_opik_arrive_once_it_is_back(parts: tuple[Gateway, Upstream, Upstream]) -> None:
    running, _, opik = parts
    opik.otherwise = 503
    running.chat(VLLM, prompt="While it is away?")
    with opik.arrived:
        assert opik.arrived.wait_for(lambda: any(call.path == TRACES for call in opik.calls), PATIENCE_S)
        opik.otherwise = 204
        opik.calls.clear()
    running.chat(VLLM, prompt="When it is back?")
    (_,) = _sent(opik, SPANS, "When it is back?")
    # What waited goes first, and goes once.
    arrived = [item for call in opik.calls if call.path == TRACES for item in call.body["traces"]]
    assert ["away" in json.dumps(item["input"]) for item in arrived] == [True, False]


def test_refused_trace_is_counted_and_hinders_no_other(parts: tuple[Gateway, Upstream, Upstream]) -> None:
    running, _, opik = parts
    opik.otherwise = 400
    running.chat(VLLM, prompt="Refused?")
    with opik.arrived:
        assert opik.arrived.wait_for(lambda: any(call.path == SPANS for call in opik.calls), PATIENCE_S)
        opik.otherwise = 204
    running.chat(VLLM, prompt="Taken?")
    assert _sent(opik, SPANS, "Taken?")
    (line,) = (
        line for line in running.metrics().splitlines() if line.startswith('platform_traces_lost_total{reason="refused')
    )
    assert float(line.split()[-1]) == 2


def test_start_does_not_compare_the_schema(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    tool = tmp_path / "prisma"
    tool.write_text(f'#!/bin/sh\necho "prisma $*" >>{asked}\n')
    tool.chmod(0o755)
    (tmp_path / "config.yaml").write_text("model_list: []")
    variables = {
        "PATH": f"{tmp_path}:{Path(str(LITELLM)).parent}:/usr/bin:/bin",
        "DATABASE_URL": "postgresql://nobody:none@127.0.0.1:1/none",
        "DISABLE_SCHEMA_UPDATE": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    command = [str(Path(str(LITELLM)).parent / "python"), str(HELM / "litellm" / "start.py")]
    options = [f"--config={tmp_path / 'config.yaml'}", "--skip_server_startup"]
    done = subprocess.run(
        [*command, *options], env=variables, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert asked.read_text().splitlines() == ["prisma "]
