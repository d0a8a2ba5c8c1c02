"""`llmctl health` and `llmctl ollama health` ask the real chat, LLM gateway and Ollama, and say what is wrong there.

Kubernetes is not here: forwarded ports lead to the programs' own, and what is run in the chat's pod runs with its
variables. Opik's answers are made of the traces that the gateway has sent.
"""

import base64
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from scripts.applications.engines import Engines
from scripts.cli.health.path import Path as QuestionPath
from scripts.cli.health.steps import Step, go
from scripts.cluster.kubectl import Kubectl
from scripts.opik.cluster import NAMESPACE as OPIK
from stacks.platform.components.chat.names import NAMESPACE as CHAT
from stacks.platform.components.chat.names import RELEASE
from stacks.platform.components.llm_gateway import address, secrets
from stacks.platform.components.serving.engines import OLLAMA_PORT, PROXY, PROXY_PORT, SERVING, ollama_engines
from tests.live.programs.chat_stage import ChatStage
from tests.live.programs.stage import GATEWAY_URL
from tests.support.serving import ollama_pod
from tests.support.serving.ollama_pod import OllamaPod, running_ollama
from tests.support.web_servers import QuietHandler, served

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not ollama_pod.INSTALLED, reason="Ollama is not installed (scripts/lab/install-live ollama)"),
]
MODEL = "gemma2-2b"


@dataclass(frozen=True)
class StageKubectl(Kubectl):
    """kubectl whose pods are the processes of the stage."""

    chat: ChatStage
    opik: str

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        if arguments[0] == "deployments" and CHAT in arguments:
            ready = sum(pod.process is not None and pod.process.poll() is None for pod in self.chat.pods)
            spec = {"replicas": len(self.chat.pods)}
            return [{"metadata": {"name": RELEASE}, "spec": spec, "status": {"readyReplicas": ready}}]
        if SERVING not in arguments:
            return []
        (engine,) = ollama_engines(self.chat.stage.settings.models, self.chat.stage.settings.cluster)
        if arguments[0] == "deployments":
            return [{"metadata": {"name": engine.deployment}, "spec": {"replicas": 1}, "status": {"readyReplicas": 1}}]
        scaler = {"scaleTargetRef": {"name": engine.deployment}, "minReplicaCount": 0, "maxReplicaCount": 1}
        scaler |= {"replicas": {"min": 0, "max": 1}}
        return [{"metadata": {"name": engine.name}, "spec": scaler}]

    def json(self, *arguments: str) -> dict[str, Any]:
        assert arguments[:3] == ("get", "secret", secrets.SECRET)
        key = self.chat.stage.secret(address.NAMESPACE, secrets.SECRET, "LITELLM_MASTER_KEY")
        return {"data": {"LITELLM_MASTER_KEY": base64.b64encode(key.encode()).decode()}}

    def run(self, *arguments: str, timeout_s: float = 120, given: str | None = None) -> str:
        inside = arguments[arguments.index("--") + 1 :]
        assert inside[:2] == ("python3", "-c")
        pod = self.chat.pods[0]
        done = subprocess.run(
            [pod.command[0], *inside[1:]],
            env={**os.environ, **pod.environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=True,
        )
        return done.stdout

    @contextmanager
    def forwarded(self, namespace: str, service: str, port: int) -> Iterator[str]:
        assert port
        yield {
            (CHAT, RELEASE): f"http://{self.chat.address(0)}",
            (address.NAMESPACE, address.SERVICE): GATEWAY_URL,
            (SERVING, PROXY): f"http://{PROXY}.{SERVING}.svc.cluster.local:{PROXY_PORT}",
            (SERVING, "ollama-t4"): f"http://127.0.0.1:{OLLAMA_PORT}",
            (OPIK, "opik-frontend"): self.opik,
        }[namespace, service]


@pytest.fixture(scope="module")
def ollama(chat: ChatStage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OllamaPod]:
    """Run the Ollama of dev with a tiny model of each name that dev lists."""
    (engine,) = ollama_engines(chat.stage.settings.models, chat.stage.settings.cluster)
    with running_ollama(chat.stage.settings, engine, tmp_path_factory.mktemp("ollama")) as pod:
        for model in engine.models:
            pod.create(model.id, ollama_pod.WITHOUT_TOOLS)
        chat.stage.engines.passed_on[engine.host] = ("127.0.0.1", OLLAMA_PORT)
        try:
            yield pod
        finally:
            chat.stage.engines.passed_on.clear()


@pytest.fixture
def kubectl(chat: ChatStage) -> Iterator[StageKubectl]:
    traces = chat.stage.opik.items

    class Opik(QuietHandler):
        def do_GET(self) -> None:
            if urlsplit(self.path).path == "/api/v1/private/traces":
                self.answer_json(200, {"content": traces.get("traces", [])})
            else:
                self.answer_json(200, [{"name": "mysql", "healthy": True}])

    with served(Opik) as opik:
        yield StageKubectl("stage", chat, f"http://{opik}")


def steps(path: QuestionPath, *names: str) -> dict[str, Step]:
    return {step.name: step for step in go([(name, getattr(path, name)) for name in names])}


def problems(found: Sequence[Step]) -> list[str]:
    return [f"{step.name}: {step.problem}" for step in found if step.problem]


@pytest.mark.usefixtures("ollama")
def test_a_question_goes_from_the_chat_through_gateway_and_ollama_to_its_trace(
    chat: ChatStage, kubectl: StageKubectl
) -> None:
    path = QuestionPath(chat.stage.settings, kubectl, MODEL, poll_s=0.2)
    found = steps(path, "chat", "gateway", "engine", "trace", "opik")
    assert problems(list(found.values())) == []
    assert found["engine"].detail.startswith(f"{MODEL} answered: ")
    # The trace of a chat holds no text, so that it is found by its tag.
    (trace,) = (each for each in chat.stage.opik.items["traces"] if path.mark in json.dumps(each))
    assert path.mark in trace["tags"]
    assert (trace.get("input"), trace.get("output")) == (None, None)


@pytest.mark.usefixtures("ollama")
def test_a_model_that_the_gateway_does_not_know_is_named(chat: ChatStage, kubectl: StageKubectl) -> None:
    found = steps(QuestionPath(chat.stage.settings, kubectl, "nosuch"), "engine")
    assert found["engine"].problem.startswith("nosuch answers 4")


def test_ollama_is_asked_for_its_models_and_an_answer_and_what_it_lacks_is_named(
    chat: ChatStage, kubectl: StageKubectl, ollama: OllamaPod
) -> None:
    (engine,) = ollama_engines(chat.stage.settings.models, chat.stage.settings.cluster)

    def found(*, answer: bool = False) -> list[str]:
        checks = Engines(kubectl).checks(chat.stage.settings.serving, engine, answer=answer)
        assert len(checks) == 3 + answer
        return [f"{check.name}: {check.problem}" for check in checks if check.problem]

    assert found(answer=True) == []
    gone = engine.models[-1].id
    ollama.run("rm", gone)
    try:
        assert f"ollama-t4: models: does not list {gone}" in found()
    finally:
        ollama.create(gone, ollama_pod.WITHOUT_TOOLS)
