"""`llmctl ollama` and `llmctl vllm` look at engines without starting them, and say what they find."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.engines import ollama, vllm
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.fake_tools import CONTEXT, Tools, install, workload
from tests.support.cli.terminals import Nobody
from tests.support.web_servers import Reply, serving

OLLAMA, VLLM = "ollama-t4", "vllm-qwen2-5-7b"
DEPLOYMENT = "vllm-qwen2-5-7b"
TAGS = ["phi3.5:latest", "llama3.1:8b", "mistral:7b", "gemma2:2b", "gpt-oss:latest", "deepseek-r1:latest"]


@pytest.fixture
def tools(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Tools:
    tools = install(tmp_path / "tools", monkeypatch)
    scalers = [
        {"metadata": {"name": name}, "spec": {"scaleTargetRef": {"name": target}, "minReplicaCount": 0}}
        for name, target in ((OLLAMA, OLLAMA), (VLLM, DEPLOYMENT))
    ]
    tools.items("scaledobjects.keda.sh", *scalers)
    tools.items("deployments", workload(OLLAMA, ready=1), workload(DEPLOYMENT, ready=0, wanted=0))
    tools.items("pods")
    tools.items("events")
    tools.write("get-secret.json", {"data": {"VLLM_API_KEY": "a2V5"}})
    return tools


class Engines:
    """What front and engines answer; every path that was asked is noted."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tags = list(TAGS)

    def answer(self, _host: str, path: str) -> Reply:
        self.asked.append(path)
        if path == "/api/tags":
            return 200, {}, json.dumps({"models": [{"name": name} for name in self.tags]}).encode()
        names = ["qwen2-5-7b"] if "vllm" in path else [tag.removesuffix(":latest") for tag in TAGS]
        return 200, {}, json.dumps({"data": [{"id": name} for name in names]}).encode()


@pytest.fixture
def served(tools: Tools) -> Iterator[Engines]:
    engines = Engines()
    with serving(engines.answer) as port:
        tools.write("forward-port", str(port))
        yield engines


def run(app: Any, *words: str) -> Result:
    tools = CommandTools(kubectl_of=lambda _environment: Kubectl(CONTEXT), terminal=Nobody())
    return CliRunner().invoke(app, words, obj=tools)


def pod(name: str, owner: str, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "ownerReferences": [{"kind": "ReplicaSet", "name": f"{owner}-5d9c7"}]},
        "spec": {"nodeName": "aks-t4-0"} if "containerStatuses" in status else {},
        "status": status,
    }


def test_status_says_why_a_pod_does_not_run(tools: Tools) -> None:
    pulling = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    tools.items(
        "pods",
        pod("a", OLLAMA, containerStatuses=[{"ready": False, "restartCount": 2, "state": pulling}]),
        pod(
            "b",
            OLLAMA,
            conditions=[{"type": "PodScheduled", "status": "False", "message": "Insufficient nvidia.com/gpu"}],
        ),
        pod("c", f"{OLLAMA}-other"),
    )
    found = json.loads(run(ollama.app, "status", "dev", "--json").stdout)
    assert [state["name"] for state in found["engines"]] == [OLLAMA]
    assert {state["name"]: state["trouble"] for state in found["pods"]} == {
        "a": "ImagePullBackOff: no such image",
        "b": "Insufficient nvidia.com/gpu",
    }


def test_status_says_why_an_engine_at_zero_never_ran(tools: Tools) -> None:
    about = {"kind": "Pod", "name": f"{DEPLOYMENT}-5d9c7f6b8-x2x4z"}
    tools.items(
        "events",
        {
            "metadata": {"namespace": "serving"},
            "involvedObject": about,
            "type": "Warning",
            "reason": "FailedScheduling",
            "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
            "lastTimestamp": "2026-12-01T10:00:00Z",
        },
    )
    why = "2026-12-01T10:00:00Z FailedScheduling: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    assert f"  did not start: {why}" in run(vllm.app, "status", "dev").output.splitlines()
    assert json.loads(run(vllm.app, "status", "dev", "--json").stdout)["last_starts"] == {VLLM: why}


def test_health_asks_a_running_engine_for_its_models(tools: Tools, served: Engines) -> None:
    del tools
    assert run(ollama.app, "health", "dev").exit_code == ExitCode.OK
    assert served.asked == [f"/{OLLAMA}/v1/models", "/api/tags"]


def test_ready_engine_without_a_model_is_not_healthy(tools: Tools, served: Engines) -> None:
    del tools
    served.tags.remove("llama3.1:8b")
    result = run(ollama.app, "health", "dev", "--json")
    assert result.exit_code == ExitCode.FAILED
    problems = {check["problem"] for check in json.loads(result.stdout)} - {""}
    assert problems == {"does not list llama3.1:8b"}


def test_engine_scaled_to_zero_is_healthy_and_stays_there(tools: Tools, served: Engines) -> None:
    del tools
    result = run(vllm.app, "health", "dev")
    assert result.exit_code == ExitCode.OK
    assert "scaled to zero" in result.output
    # The front answers it; neither the engine nor its interceptor was asked.
    assert served.asked == [f"/{VLLM}/v1/models"]


def test_restart_leaves_an_engine_at_zero_alone(tools: Tools) -> None:
    assert "nothing to restart" in run(vllm.app, "restart", "dev").output
    assert not [call for call in tools.calls if "rollout" in call]
    assert "restarted" in run(ollama.app, "restart", "dev").output
    assert [call[3:6] for call in tools.calls if "rollout" in call] == [
        ["rollout", "restart", f"deployment/{OLLAMA}"],
        ["rollout", "status", f"deployment/{OLLAMA}"],
    ]


def test_restart_that_does_not_become_ready_is_an_error(tools: Tools) -> None:
    tools.write("refuse-rollout", "timed out waiting for the condition")
    result = run(ollama.app, "restart", "dev")
    assert isinstance(result.exception, OperatorError)
    assert "timed out" in result.exception.message


def test_log_is_that_of_the_engine_s_deployment(tools: Tools, capfd: pytest.CaptureFixture[str]) -> None:
    tools.write(f"logs-deployment-{DEPLOYMENT}", "started\n")
    assert run(vllm.app, "logs", "dev", "--model", "qwen2-5-7b", "-n", "7").exit_code == 0
    assert capfd.readouterr().out == "started\n"
    assert "--tail=7" in tools.calls[-1]


def test_unknown_model_tells_the_known_ones(tools: Tools) -> None:
    del tools
    result = run(vllm.app, "logs", "dev", "--model", "gpt")
    assert isinstance(result.exception, OperatorError)
    assert result.exception.fix == "name one of: qwen2-5-7b"


def test_shell_needs_a_terminal(tools: Tools) -> None:
    result = run(ollama.app, "shell", "dev")
    assert isinstance(result.exception, OperatorError)
    assert tools.calls == []
