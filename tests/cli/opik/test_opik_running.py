"""`llmctl opik` looks at Opik's parts, stops and starts them in order, and opens clients without showing a login."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.opik import commands as opik
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from scripts.opik.parts import CLIENTS, PARTS
from stacks.settings import load_settings
from tests.support.cli.fake_tools import CONTEXT, Tools, install
from tests.support.cli.terminals import Nobody

BEFORE = "platform/replicas-before"


def workload(kind: str, name: str, *, replicas: int = 1, before: int | None = None) -> dict[str, Any]:
    notes = {} if before is None else {"annotations": {BEFORE: str(before)}}
    return {
        "kind": kind.capitalize() if kind != "statefulset" else "StatefulSet",
        "metadata": {"name": name, "generation": 1, **notes},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}},
        "status": {"observedGeneration": 1, "readyReplicas": replicas, "updatedReplicas": replicas},
    }


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    tools = install(tmp_path / "tools", monkeypatch)
    there = [part.workload.split("/") for part in PARTS if not part.optional]
    tools.items("deployments,statefulsets", *(workload(kind, name) for kind, name in there))
    for kind in ("deployment", "statefulset"):
        tools.write(f"get-{kind}.json", workload(kind, "any"))
    tools.items("pods")
    return tools


def run(*words: str, terminal: Terminal | None = None) -> Result:
    command_tools = CommandTools(kubectl_of=lambda _environment: Kubectl(CONTEXT), terminal=terminal or Nobody())
    return CliRunner().invoke(opik.app, words, obj=command_tools)


def changed(tools: Tools, verb: str) -> list[str]:
    return [call[4] for call in tools.calls if call[3:4] == [verb]]


def test_status_names_every_part_and_why_a_pod_does_not_run(tools: Tools) -> None:
    waiting = {"ready": False, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    pod = {
        "metadata": {"name": "any-1", "labels": {"app": "any"}},
        "spec": {"nodeName": "node-1"},
        "status": {"containerStatuses": [waiting]},
    }
    tools.items("pods", pod)
    said = run("status", "dev").output
    assert "clickhouse      1 of 1 ready" in said
    assert "any-1 on node-1: CrashLoopBackOff, 4 restarts" in said
    assert "guardrails" not in said
    parts = json.loads(run("status", "dev", "--json").output)
    assert [part["part"] for part in parts][:3] == ["zookeeper", "clickhouse", "mysql"]


def test_what_was_stopped_says_how_it_starts(tools: Tools) -> None:
    tools.write("get-statefulset.json", workload("statefulset", "any", replicas=0, before=1))
    assert "mysql           0 of 0 ready, stopped: llmctl opik start" in run("status", "dev").output


def test_what_answers_people_stops_first_and_stores_last(tools: Tools) -> None:
    assert run("stop", "dev").exit_code == 0
    assert changed(tools, "patch") == [
        "deployment/oauth2-proxy",
        "deployment/opik-frontend",
        "deployment/opik-backend",
        "deployment/opik-minio",
        "statefulset/opik-redis-master",
        "statefulset/opik-mysql",
        "statefulset/chi-opik-clickhouse-cluster-0-0",
        "statefulset/opik-zookeeper",
    ]


def test_stores_start_first_each_ready_before_the_next(tools: Tools) -> None:
    for kind in ("deployment", "statefulset"):
        tools.write(f"get-{kind}.json", workload(kind, "any", replicas=0, before=3))
    assert run("start", "dev").exit_code == 0
    order = [call[3:5] if call[3] == "patch" else call[3:6] for call in tools.calls if call[3] in ("patch", "rollout")]
    assert order[:4] == [
        ["patch", "statefulset/opik-zookeeper"],
        ["rollout", "status", "statefulset/opik-zookeeper"],
        ["patch", "statefulset/chi-opik-clickhouse-cluster-0-0"],
        ["rollout", "status", "statefulset/chi-opik-clickhouse-cluster-0-0"],
    ]
    assert order[-1] == ["rollout", "status", "deployment/oauth2-proxy"]


def test_start_leaves_alone_what_was_not_stopped(tools: Tools) -> None:
    said = run("start", "dev", "--part", "mysql").output
    assert said == "mysql: was not stopped\n"
    assert changed(tools, "patch") == []


def test_restart_without_a_name_leaves_the_stores_alone(tools: Tools) -> None:
    assert run("restart", "dev").exit_code == 0
    restarted = [call[5] for call in tools.calls if call[3:5] == ["rollout", "restart"]]
    assert restarted == ["deployment/opik-backend", "deployment/opik-frontend", "deployment/oauth2-proxy"]
    run("restart", "dev", "--part", "redis")
    assert ["rollout", "restart", "statefulset/opik-redis-master"] in [call[3:6] for call in tools.calls]


def test_logs_are_of_the_container_that_does_the_work(tools: Tools) -> None:
    tools.write("logs-statefulset-chi-opik-clickhouse-cluster-0-0", "")
    assert run("logs", "dev", "--part", "clickhouse", "-n", "5").exit_code != ExitCode.USAGE
    (call,) = (call for call in tools.calls if call[3] == "logs")
    assert call[-2:] == ["-c", "clickhouse"]
    assert "--tail=5" in call


@pytest.mark.parametrize("command", CLIENTS)
def test_a_client_takes_its_login_from_the_pod_and_needs_a_terminal(command: str, tools: Tools) -> None:
    refused = run(command, "dev").exception
    assert isinstance(refused, OperatorError)
    assert refused.code == ExitCode.REFUSED
    assert tools.calls == []
    _, line = CLIENTS[command]
    assert "password=" not in line.lower()
    assert "-p" not in line.split()


def test_an_environment_without_opik_says_so() -> None:
    off = load_settings("dev").model_copy(
        update={"opik": load_settings("dev").opik.model_copy(update={"enabled": False})}
    )
    tools = CommandTools(load=lambda _name: off, terminal=Nobody())
    refused = CliRunner().invoke(opik.app, ["status", "dev"], obj=tools).exception
    assert isinstance(refused, OperatorError)
    assert refused.message == "dev has no Opik"
