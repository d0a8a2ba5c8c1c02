"""`llmctl webui` looks at the chat past its login, and says what it finds."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.chat import commands as webui
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.fake_tools import CONTEXT, Tools, install
from tests.support.cli.terminals import Nobody
from tests.support.web_servers import Reply, serving

IMAGE = "ghcr.io/open-webui/open-webui:v0.12.4"


def _pod(name: str, *, image: str = IMAGE, ready: bool = True, waiting: str = "") -> dict[str, Any]:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    return {
        "metadata": {"name": name},
        "spec": {"nodeName": "node-1", "containers": [{"name": "open-webui", "image": image}]},
        "status": {"containerStatuses": [{"ready": ready, "restartCount": 1, "state": state}]},
    }


@pytest.fixture
def tools(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Tools:
    tools = install(tmp_path / "tools", monkeypatch)
    chat = {"metadata": {"name": "open-webui"}, "spec": {"replicas": 2}, "status": {"readyReplicas": 2}}
    tools.items("deployments", {"metadata": {"name": "chat-redis"}, "spec": {"replicas": 1}}, chat)
    tools.items("hpa", {"metadata": {"name": "open-webui"}, "spec": {"minReplicas": 2, "maxReplicas": 3}})
    tools.items("pods", _pod("open-webui-1"), _pod("open-webui-2"))
    return tools


class Chat:
    """What the chat answers."""

    def __init__(self) -> None:
        self.statuses = {"/health": 200, "/health/db": 200, "/ready": 200}

    def answer(self, _host: str, path: str) -> Reply:
        return self.statuses.get(path, 404), {}, b"{}"


@pytest.fixture
def served(tools: Tools) -> Iterator[Chat]:
    chat = Chat()
    with serving(chat.answer) as port:
        tools.write("forward-port", str(port))
        yield chat


def run(*words: str) -> Result:
    tools = CommandTools(kubectl_of=lambda _environment: Kubectl(CONTEXT), terminal=Nobody())
    return CliRunner().invoke(webui.app, words, obj=tools)


def test_status_tells_replicas_bounds_version_and_pods(tools: Tools) -> None:
    tools.items("pods", _pod("open-webui-1"), _pod("open-webui-2", ready=False, waiting="ImagePullBackOff"))
    said = run("status", "dev").output
    assert "2 of 2 ready, scales from 2 to 3" in said
    assert IMAGE in said
    assert "open-webui-2 on node-1: ImagePullBackOff, 1 restarts" in said
    assert json.loads(run("status", "dev", "--json").output)["most"] == 3


@pytest.mark.usefixtures("served")
def test_health_asks_server_database_and_redis() -> None:
    done = run("health", "dev")
    assert done.exit_code == 0
    for word in ("pods", "one version", "database", "Redis"):
        assert word in done.output


def test_health_fails_with_the_part_that_does_not_work(served: Chat) -> None:
    served.statuses["/health/db"] = 503
    done = run("health", "dev", "--json")
    assert done.exit_code == ExitCode.FAILED
    problems = {check["name"]: check["problem"] for check in json.loads(done.output) if check["problem"]}
    assert problems == {"database": "answers 503"}


@pytest.mark.usefixtures("served")
def test_health_notices_two_versions_on_one_database(tools: Tools) -> None:
    tools.items("pods", _pod("a"), _pod("b", image="ghcr.io/open-webui/open-webui:v0.13.0"))
    done = run("health", "dev")
    assert done.exit_code == ExitCode.FAILED
    assert "v0.12.4 and" in " ".join(done.output.split())


def test_chat_that_is_not_deployed_is_said_so(tools: Tools) -> None:
    tools.items("deployments")
    done = run("status", "dev")
    assert isinstance(done.exception, OperatorError)
    assert done.exception.message == "the chat is not deployed"


def test_shell_needs_a_terminal(tools: Tools) -> None:
    done = run("shell", "dev")
    assert isinstance(done.exception, OperatorError)
    assert not [call for call in tools.calls if call[3] == "exec"]


def test_administrator_is_named_and_the_password_only_pointed_at() -> None:
    done = run("admin", "dev")
    assert "administrator@chat.llm-dev.example.com" in done.output
    assert "chat-admin-password" in done.output
    assert "chat.password_login" in done.output
