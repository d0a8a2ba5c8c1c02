"""`llmctl health` goes through the whole path once, and says which part is wrong."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.health import commands as health
from scripts.cli.health import path as health_path
from scripts.cli.health import rehearsed as health_rehearsed
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from scripts.deployment.login_consent import LoginConsent
from stacks.settings import load_settings
from tests.support.cli.fake_tools import CONTEXT, Tools, install
from tests.support.web_servers import Reply, serving

MODELS = [model.name for model in load_settings("dev").models]


class Platform:
    """What chat, gateway and Opik answer."""

    def __init__(self) -> None:
        self.offered = list(MODELS)
        self.traces: bytes | None = None
        """None: Opik has every question that was asked."""
        self.asked: list[str] = []
        self.replies: dict[str, Reply] = {}
        self.tools: Tools | None = None

    def answer(self, _host: str, path: str) -> Reply:
        self.asked.append(path)
        if path in self.replies:
            return self.replies[path]
        if path == "/v1/models":
            return 200, {}, json.dumps({"data": [{"id": name} for name in self.offered]}).encode()
        if path.startswith("/api/v1/private/traces"):
            assert self.tools is not None
            calls = json.dumps(self.tools.calls).encode()
            return 200, {}, calls if self.traces is None else self.traces
        return 200, {}, b"{}"


@pytest.fixture
def platform(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    tools = install(tmp_path / "tools", monkeypatch)
    chat = {"metadata": {"name": "open-webui"}, "spec": {"replicas": 1}, "status": {"readyReplicas": 1}}
    tools.items("deployments", chat)
    tools.items("hpa")
    tools.items("pods")
    tools.write("get-secret.json", {"data": {"LITELLM_MASTER_KEY": base64.b64encode(b"master").decode()}})
    found = Platform()
    found.tools = tools
    say(tools, 200, {"choices": [{"message": {"content": "Yes."}}]})
    with serving(found.answer) as port:
        tools.write("forward-port", str(port))
        yield found


def say(tools: Tools, status: int, content: Any) -> None:
    """Let the chat's pod print what it got for an answer."""
    folder = tools.folder / "exec-deployment"
    folder.mkdir(exist_ok=True)
    (folder / "open-webui").write_text(json.dumps({"status": status, "said": json.dumps(content)}))


TOOLS = CommandTools(
    kubectl_of=lambda _environment: Kubectl(CONTEXT),
    outputs_of=lambda *_names: {"identity": {"client_id": "client"}},
    consent_of=lambda _client: LoginConsent("https://link"),
)


def run(*words: str, tools: CommandTools = TOOLS) -> Result:
    return CliRunner().invoke(health.app, ["dev", *words], obj=tools)


def steps(result: Result) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in json.loads(result.stdout)["steps"]}


def test_a_platform_that_answers_is_gone_through_from_login_to_trace(platform: Platform) -> None:
    result = run("--json")
    assert result.exit_code == ExitCode.OK, result.output
    found = steps(result)
    assert list(found) == ["login", "chat", "gateway", "engine", "trace", "opik", "monitoring"]
    assert not [name for name, step in found.items() if step["problem"] or step["fake"]]
    assert json.loads(result.stdout)["ok"] is True
    assert f"{MODELS[0]} answered" in found["engine"]["detail"]
    assert any("project_name=dev" in path for path in platform.asked)


def test_a_store_of_opik_and_a_dashboard_that_are_down_are_named(platform: Platform) -> None:
    entries = [{"name": "clickhouse", "healthy": False, "critical": True}, {"name": "mysql", "healthy": True}]
    platform.replies["/api/health-check?name=all&type=ready"] = 503, {}, json.dumps(entries).encode()
    platform.replies["/api/health"] = 503, {}, b""
    result = run("--json")
    assert result.exit_code == ExitCode.FAILED
    assert steps(result)["opik"]["problem"] == "answers 503, not healthy: clickhouse"
    assert steps(result)["monitoring"]["problem"] == "Grafana answers 503"


def test_a_sick_store_is_named_though_opik_answers_that_it_is_ready(platform: Platform) -> None:
    entries = [
        {"name": "mysql", "healthy": True},
        {"name": "clickhouse", "critical": True, "healthy": False},
        {"name": "search", "critical": False, "healthy": False},
    ]
    platform.replies["/api/health-check?name=all&type=ready"] = 200, {}, json.dumps(entries).encode()
    assert steps(run("--json"))["opik"]["problem"] == "answers 200, not healthy: clickhouse"


def test_the_question_goes_out_from_the_chats_own_pod_with_the_key_that_is_there(platform: Platform) -> None:
    run("--model", MODELS[1])
    assert platform.tools is not None
    (call,) = (call for call in platform.tools.calls if "exec" in call)
    assert call[3:9] == ["exec", "-n", "chat", "deployment/open-webui", "-c", "open-webui"]
    assert MODELS[1] in call
    assert not any("master" in word for word in call)
    # Traces of the chat hold no texts: what this one is found by is its tag.
    assert (call[-4], call[-1][:14]) == ("Say yes.", "llmctl-health-")


def test_a_model_that_the_gateway_does_not_offer_is_named(platform: Platform) -> None:
    platform.offered.remove(MODELS[2])
    result = run("--json")
    assert result.exit_code == ExitCode.FAILED
    assert steps(result)["gateway"]["problem"] == f"does not offer {MODELS[2]}"
    assert not steps(result)["engine"]["problem"], "what comes after is still looked at"


@pytest.mark.parametrize(
    ("status", "said", "problem"),
    [
        (503, {"error": {"message": "no engine"}}, "answers 503"),
        (0, "timed out", "gives no answer"),
        (200, {"choices": []}, "answers 200"),
    ],
)
def test_an_engine_that_does_not_answer_is_told_with_what_it_said(
    platform: Platform, status: int, said: Any, problem: str
) -> None:
    assert platform.tools is not None
    say(platform.tools, status, said)
    result = run("--json")
    assert result.exit_code == ExitCode.FAILED
    assert problem in steps(result)["engine"]["problem"]


def test_a_question_whose_trace_is_missing_is_reported(platform: Platform) -> None:
    platform.traces = b'{"content": []}'
    path = health_path.Path(load_settings("dev"), Kubectl(CONTEXT), MODELS[0], trace_s=0.0, poll_s=0.01)
    assert "not in Opik's project dev after 0 s (HTTP 200)" in path.trace().problem


def test_a_missing_consent_is_the_first_thing_that_is_wrong(platform: Platform) -> None:
    missing = LoginConsent("https://login.microsoftonline.com/t/adminconsent?client_id=c", ("openid",))
    result = run("--json", tools=replace(TOOLS, consent_of=lambda _client: missing))
    assert result.exit_code == ExitCode.FAILED
    assert "Need admin approval" in steps(result)["login"]["problem"]
    assert "adminconsent?client_id=c" in steps(result)["login"]["fix"]
    assert platform.asked


def test_people_read_marks_problems_and_a_verdict(platform: Platform) -> None:
    platform.offered.clear()
    said = run().output
    assert "✗ gateway: does not offer" in said
    assert "✓ chat" in said
    assert "dev: something is wrong with gateway" in said


def test_an_unknown_model_is_a_wrong_command_line() -> None:
    refused = run("--model", "gpt-5")
    assert isinstance(refused.exception, OperatorError)
    assert refused.exception.code == ExitCode.USAGE


def test_what_the_environment_lacks_is_left_out(platform: Platform) -> None:
    settings = load_settings("dev")
    without = settings.model_copy(update={"opik": settings.opik.model_copy(update={"enabled": False}), "models": ()})
    assert list(steps(run("--json", tools=replace(TOOLS, load=lambda _name: without)))) == [
        "login",
        "chat",
        "gateway",
        "monitoring",
    ]
    assert platform.asked


def test_a_rehearsal_says_of_each_part_that_it_is_fake(monkeypatch: pytest.MonkeyPatch) -> None:
    class Rehearsed:
        def __init__(self, *_arguments: Any, **_options: Any) -> None: ...

        def instances(self, stack: str) -> dict[str, dict[str, Any]]:
            names = ("open-webui", "litellm", "ollama-t4", "vllm", "opik")
            grant: dict[str, dict[str, Any]] = {
                "azuread_service_principal_delegated_permission_grant.login_consent": {}
            }
            return {f"helm_release.{name}": {"name": name} for name in names} if stack == "platform" else grant

    monkeypatch.setattr(health_rehearsed, "Rehearsal", Rehearsed)
    result = run("--rehearsed", "--json")
    assert result.exit_code == ExitCode.OK, result.output
    found = steps(result)
    assert list(found) == ["login", "chat", "gateway", "engine", "trace"]
    assert all(step["fake"] and "fake" in step["detail"] for step in found.values())
    assert "Nothing marked ~ is real" in run("--rehearsed").output


def test_a_rehearsal_that_was_never_made_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def __init__(self, *_arguments: Any, **_options: Any) -> None: ...

        def instances(self, _stack: str) -> dict[str, dict[str, Any]]:
            return {}

    monkeypatch.setattr(health_rehearsed, "Rehearsal", Nothing)
    refused = run("--rehearsed")
    assert isinstance(refused.exception, OperatorError)
    assert refused.exception.fix == "llmctl rehearse dev"


def test_a_rehearsal_with_real_providers_is_looked_at_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        def instances(self, stack: str) -> dict[str, dict[str, Any]]:
            return {"helm_release.opik": {"name": "opik"}} if stack == "platform" else {}

    def unexpected(*_arguments: Any, **_options: Any) -> Any:
        raise AssertionError("the rehearsal on fake providers was looked for")

    monkeypatch.setattr(health_rehearsed, "Rehearsal", unexpected)
    found: Any = Elsewhere()
    looked = dict(health_rehearsed.parts(load_settings("dev"), found))
    assert looked["trace"]().problem == ""
    assert looked["gateway"]().problem == "does not stand in the rehearsal"
