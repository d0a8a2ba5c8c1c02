"""The pinned Ollama with its runner, behind the serving proxy and the gateway, with the variables of its pod."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.models import commands as models
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pod_program import START, ByCommand
from scripts.core.errors import OperatorError
from stacks.platform.common import timeouts
from stacks.platform.components.chat.names import GATEWAY_KEY
from stacks.platform.components.llm_gateway import address, secrets
from stacks.platform.components.serving import ollama as values
from stacks.platform.components.serving.engines import OLLAMA_PORT, PROXY, PROXY_PORT, SERVING, ollama_engines
from tests.live.programs.stage import GATEWAY_URL, Stage
from tests.support.cli.fake_tools import CONTEXT, install
from tests.support.cli.terminals import Nobody
from tests.support.llm_gateway.pods import ask
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import wait_for
from tests.support.serving import ollama_pod
from tests.support.serving.model_server import NO_TOOLS, WITHOUT_TOOLS
from tests.support.serving.ollama_pod import OllamaPod, running_ollama

pytestmark = [
    pytest.mark.live,
    pytest.mark.usefixtures("ollama"),
    pytest.mark.skipif(not ollama_pod.INSTALLED, reason="Ollama is not installed (scripts/lab/install-live ollama)"),
]
SENTENCE = " It works as it was deployed ."
CHAT = "/v1/chat/completions"
ENGINE = "ollama-t4"
POD = f"{ENGINE}-5d9c7f6b8-x2x4z"
ENGINE_URL = f"http://{PROXY}.{SERVING}.svc.cluster.local:{PROXY_PORT}/{ENGINE}"
DIRECTLY = f"http://127.0.0.1:{OLLAMA_PORT}"
ENDLESS = "mistral:7b"
"""One of dev's models, which goes on for ever here."""
VECTORS = "all-minilm:22m"
"""A model that makes vectors, as `chat.embeddings` may name one; dev has none."""


@pytest.fixture(scope="module")
def ollama(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OllamaPod]:
    """Run the Ollama of dev where its interceptor would find it, with a tiny model of each name that dev lists."""
    (engine,) = ollama_engines(stage.settings.models, stage.settings.cluster)
    with running_ollama(stage.settings, engine, tmp_path_factory.mktemp("ollama")) as pod:
        for model in engine.models:
            template = ollama_pod.WITHOUT_TOOLS if model.id in WITHOUT_TOOLS else ollama_pod.WITH_TOOLS
            pod.create(model.id, ollama_pod.ENDLESS if model.id == ENDLESS else template)
        pod.create(VECTORS, "", embeds=True)
        stage.engines.passed_on[engine.host] = ("127.0.0.1", OLLAMA_PORT)
        try:
            yield pod
        finally:
            stage.engines.passed_on.clear()


def request(model: str, text: str = "Does it work?", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def by_gateway(stage: Stage, model: str, **more: Any) -> tuple[int, bytes]:
    key = stage.secret(address.NAMESPACE, secrets.SECRET, GATEWAY_KEY)
    status, _, body = ask(GATEWAY_URL + CHAT, request(model, **more), key=key)
    return status, body


def loaded() -> dict[str, Any]:
    """Models in memory, as the program says."""
    return {model["name"]: model for model in json.loads(ask(f"{DIRECTLY}/api/ps")[2])["models"]}


def streaming(model: str) -> tuple[HTTPConnection, Any]:
    """Begin an answer by the proxy; return its connection once the first token is there."""
    connection = HTTPConnection(f"{PROXY}.{SERVING}.svc.cluster.local", PROXY_PORT, timeout=PATIENCE_S)
    body = json.dumps(request(model, stream=True, max_tokens=100_000))
    connection.request("POST", f"/{ENGINE}{CHAT}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.readline().startswith(b"data: ")
    return connection, answer


def test_every_model_of_dev_answers_by_the_gateway(stage: Stage, ollama: OllamaPod) -> None:
    names = [model.name for model in ollama.engine.models if model.id != ENDLESS]
    assert names == ["phi3.5", "llama3.1-8b", "gemma2-2b", "gpt-oss", "deepseek-r1"]
    for name in names:
        status, body = by_gateway(stage, name)
        assert status == 200, body
        answer = json.loads(body)
        assert answer["choices"][0]["message"]["content"].strip() == SENTENCE.strip()
        assert (answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]) == ("stop", 8)


def test_answer_is_streamed_token_by_token_with_its_usage(stage: Stage) -> None:
    status, body = by_gateway(stage, "llama3.1-8b", stream=True, stream_options={"include_usage": True})
    assert status == 200, body
    lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    parts = [json.loads(line) for line in lines[:-1]]
    said = [choice["delta"].get("content") or "" for part in parts for choice in part["choices"]]
    assert "".join(said).strip() == SENTENCE.strip()
    assert len([text for text in said if text.strip()]) == 7
    assert [part["usage"]["completion_tokens"] for part in parts if part.get("usage")] == [8]


def typed(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """Type `llmctl models …` where a pod of the chat has the chat's key and address, and the engine's pod is there."""
    tools = install(tmp_path / words[0], monkeypatch)
    owner = {"kind": "ReplicaSet", "name": POD.rpartition("-")[0]}
    ready = {"containerStatuses": [{"ready": True, "restartCount": 0, "state": {}}]}
    tools.items("pods", {"metadata": {"name": POD, "ownerReferences": [owner]}, "spec": {}, "status": ready})
    key = stage.secret(address.NAMESPACE, secrets.SECRET, GATEWAY_KEY)
    variables = {**os.environ, "OPENAI_API_BASE_URLS": f"{GATEWAY_URL}/v1", "OPENAI_API_KEYS": key}

    def in_pod(*_: object) -> ByCommand:
        return ByCommand([sys.executable, "-c", START], "the chat", variables)

    given = CommandTools(
        kubectl_of=lambda _: Kubectl(CONTEXT), load=lambda _: stage.settings, in_pod=in_pod, terminal=Nobody()
    )
    return CliRunner().invoke(models.app, words, obj=given)


def test_ask_prints_the_engine_s_answer_its_tokens_and_its_price(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = typed(stage, tmp_path, monkeypatch, "ask", "llama3.1-8b", "Does it work?", "dev")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == SENTENCE.strip()
    said = " ".join(result.stderr.split())
    found = re.search(r"(\d+) tokens in, 8 out, the first after \d+\.\d s: (0\.\d{6}) USD", said)
    assert found, said
    (model,) = (model for model in stage.settings.models if model.name == "llama3.1-8b")
    assert float(found[2]) == pytest.approx((int(found[1]) + 8) * model.usd_per_million_tokens / 1e6, abs=1e-6)
    assert said.endswith(f"Answered by {POD}.")


def test_warm_loads_a_model_and_returns_once_it_has_answered(
    stage: Stage, ollama: OllamaPod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama.run("stop", "gemma2:2b")
    wait_for(lambda: "gemma2:2b" not in loaded(), PATIENCE_S, lambda: str(loaded()))
    result = typed(stage, tmp_path, monkeypatch, "warm", "gemma2-2b", "dev")
    assert result.exit_code == 0, result.output
    assert "gemma2-2b answers" in result.stderr
    assert "gemma2:2b" in loaded()


def test_bench_measures_every_question_and_counts_the_engine_s_own_tokens(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("bench", "llama3.1-8b", "dev", "--people", "1,3", "--each", "2", "--yes", "--json")
    result = typed(stage, tmp_path, monkeypatch, *words)
    assert result.exit_code == 0, result.output
    levels = json.loads(result.stdout)["levels"]
    assert [(one["people"], one["answers"], one["failed"]) for one in levels] == [(1, 2, 0), (3, 6, 0)]
    for one in levels:
        assert 0 < one["first_s"] <= one["first_p95_s"]
        assert one["tokens_per_s"] > 0


def test_a_model_that_the_engine_has_not_ends_every_command_in_its_words(
    stage: Stage, ollama: OllamaPod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama.run("rm", "phi3.5")
    try:
        for words in (
            ("ask", "phi3.5", "Hello", "dev"),
            ("warm", "phi3.5", "dev"),
            ("bench", "phi3.5", "dev", "--yes"),
        ):
            error = typed(stage, tmp_path, monkeypatch, *words).exception
            assert isinstance(error, OperatorError), words
            assert "404" in error.message
            assert "phi3.5" in error.message
    finally:
        ollama.create("phi3.5", ollama_pod.WITHOUT_TOOLS)


def test_proxy_answers_without_the_engine_what_the_engine_answers() -> None:
    """Version, and names of models: `phi3.5` of the list is `phi3.5:latest` of the engine."""
    assert json.loads(ask(f"{ENGINE_URL}/api/version")[2]) == json.loads(ask(f"{DIRECTLY}/api/version")[2])
    listed = [model["id"] for model in json.loads(ask(f"{ENGINE_URL}/v1/models")[2])["data"]]
    assert listed == [model["name"] for model in json.loads(ask(f"{ENGINE_URL}/api/tags")[2])["models"]]
    there = {model["id"] for model in json.loads(ask(f"{DIRECTLY}/v1/models")[2])["data"]}
    assert there == {VECTORS, *(name if ":" in name else f"{name}:latest" for name in listed)}
    assert ask(f"{ENGINE_URL}/")[2] == ask(f"{DIRECTLY}{ollama_pod.PROBE}")[2] == b"Ollama is running"


def test_server_reads_every_variable_as_it_is_meant(ollama: OllamaPod) -> None:
    (line,) = re.findall(r'msg="server config" env="map\[(.*)\]"', ollama.server.log)
    for text in (
        "OLLAMA_CONTEXT_LENGTH:8192",
        "OLLAMA_KEEP_ALIVE:30m0s",
        "OLLAMA_NUM_PARALLEL:1",
        "OLLAMA_MAX_QUEUE:306",
        "OLLAMA_LOAD_TIMEOUT:10m0s",
        "OLLAMA_NOPRUNE:true",
        "OLLAMA_NO_CLOUD:true",
        f"OLLAMA_HOST:http://0.0.0.0:{OLLAMA_PORT}",
        f"OLLAMA_MODELS:{ollama.folder}/models/ollama",
    ):
        assert f" {text} " in f" {line} ", text


def test_loaded_model_has_the_context_and_the_time_that_are_set(stage: Stage, ollama: OllamaPod) -> None:
    assert by_gateway(stage, "llama3.1-8b")[0] == 200
    found = loaded()["llama3.1:8b"]
    assert found["context_length"] == 8192
    hours, minutes = (int(text) for text in re.findall(r"T(\d\d):(\d\d)", found["expires_at"])[0])
    now = time.gmtime()
    left = (hours * 60 + minutes - now.tm_hour * 60 - now.tm_min) % (24 * 60)
    assert 28 <= left <= 30
    commands = re.findall(r'msg="starting llama-server" cmd="(.*?)"', ollama.server.log)
    assert commands
    assert all(" -c 8192 -np 1 " in command for command in commands if "ctx" not in command)


def test_models_stay_in_memory_beside_each_other_up_to_three(stage: Stage) -> None:
    """Ollama's own limit for each GPU; those of dev that are too large for one T4 together are fewer."""
    for name in ("phi3.5", "llama3.1-8b", "gemma2-2b", "gpt-oss"):
        assert by_gateway(stage, name)[0] == 200
    assert "gpt-oss:latest" in loaded()
    assert len(loaded()) == 3


def test_prompt_beyond_the_context_loses_half_of_it_without_a_word(stage: Stage) -> None:
    """As docs/reference/serving.md says: 8,192 tokens are there, of 20,000 the last 4,096 or so are read."""
    status, body = by_gateway(stage, "llama3.1-8b", text="a" * 20_000)
    assert status == 200, body
    assert 4000 < json.loads(body)["usage"]["prompt_tokens"] < 4200


def test_tools_are_refused_with_the_words_that_the_chat_is_tested_with() -> None:
    tools = [{"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}]
    for model in WITHOUT_TOOLS:
        status, _, body = ask(f"{ENGINE_URL}{CHAT}", request(model, tools=tools))
        name = model if ":" in model else f"{model}:latest"
        assert (status, json.loads(body)["error"]["message"]) == (400, NO_TOOLS.format(model=name))
    assert ask(f"{ENGINE_URL}{CHAT}", request("llama3.1:8b", tools=tools))[0] == 200


def test_no_prompt_leaves_for_the_maker_s_cloud(stage: Stage) -> None:
    for path in ("/api/chat", CHAT):
        status, _, body = ask(f"{ENGINE_URL}{path}", request("gpt-oss:120b-cloud"))
        assert status == 403, body
        assert b"cloud is disabled" in body
    assert not [name for name in stage.names.unknown if "ollama" in name.lower()]


def test_model_that_makes_vectors_is_reached_too() -> None:
    status, _, body = ask(f"{ENGINE_URL}/v1/embeddings", {"model": VECTORS, "input": ["one", "two"]})
    assert status == 200, body
    assert [len(item["embedding"]) for item in json.loads(body)["data"]] == [32, 32]


def test_models_cannot_be_changed_by_callers(ollama: OllamaPod) -> None:
    before = ollama.run("list").count("\n")
    for path in ("/api/pull", "/api/create", "/api/delete", "/api/copy", "/api/push"):
        assert ask(f"{ENGINE_URL}{path}", {"model": "llama3.1:8b"})[0] == 403
    assert ollama.run("list").count("\n") == before == 8


def test_hook_waits_for_the_answer_that_is_being_written() -> None:
    """And a caller that leaves ends it: with one answer at a time, the next would wait for ever."""
    hop = timeouts.ollama()
    script = values.drain_script(hop).replace(f"sleep {hop.pre_stop_seconds}; ", "", 1)
    connection, answer = streaming(ENDLESS)
    hook = subprocess.Popen(["sh", "-c", script])
    try:
        for _ in range(200):
            assert answer.readline()
        assert hook.poll() is None
        connection.close()
        assert hook.wait(PATIENCE_S) == 0
    finally:
        hook.kill()
    connection, _ = streaming(ENDLESS)
    connection.close()


def test_killed_server_is_started_again_and_answers(stage: Stage, ollama: OllamaPod) -> None:
    connection, answer = streaming(ENDLESS)
    threading.Timer(0.5, ollama.server.kill).start()
    with pytest.raises(IncompleteRead) as broken:
        answer.read()
    # It must not look as if the model had come to its end.
    assert b"[DONE]" not in broken.value.partial
    connection.close()
    status, headers, body = ask(f"{ENGINE_URL}{CHAT}", request("llama3.1:8b"))
    assert (status, json.loads(body)["error"]["code"]) == (503, "model_starting")
    assert int(headers["Retry-After"]) > 0
    ollama.server.start()
    wait_for(lambda: by_gateway(stage, "llama3.1-8b")[0] == 200, PATIENCE_S, lambda: ollama.server.log[-3000:])
