"""Commands that every component has: words are checked first, parts go in their order, what is destructive asks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli import app as cli
from scripts.cli.opik import commands as opik
from scripts.cli.tools import Tools
from scripts.cluster.api import ClusterApi
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.parts import words
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from scripts.opik.clients import CLIENTS
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings
from tests.support.cli.terminals import Nobody, answering
from tests.support.cluster.fake_api import FakeCluster, fake_api, scaler, workload

DEV = load_settings("dev")
PLURALS = {"deployment": "deployments", "statefulset": "statefulsets", "daemonset": "daemonsets"}
KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}


@dataclass
class Stage:
    """The commands, before a cluster that has every part of dev."""

    cluster: FakeCluster
    api: ClusterApi

    def run(self, *words: str, terminal: Terminal | None = None) -> Result:
        tools = Tools(
            kubectl_of=lambda _name: Kubectl("fake"),
            cluster_of=lambda _kubectl: self.api,
            terminal=terminal or Nobody(),
        )
        return CliRunner().invoke(cli.app, words, obj=tools)

    def changed(self) -> list[str]:
        return [path.partition("/namespaces/")[2] for method, path, _ in self.cluster.calls if method == "PATCH"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    cluster = FakeCluster({plural: [] for plural in [*PLURALS.values(), "poddisruptionbudgets", "events"]})
    for component in enabled_components(DEV):
        for part in component.parts(DEV):
            cluster.add(PLURALS[part.kind], workload(KINDS[part.kind], part.namespace, part.workload_name))
    for name, space in (("ollama-t4", "serving"), ("keda-add-ons-http-interceptor", "scaling")):
        plural, item = scaler("scaledobjects", space, name, name, minReplicaCount=0, maxReplicaCount=1)
        cluster.add(plural, item)
    plural, item = scaler("horizontalpodautoscalers", "chat", "open-webui", "open-webui", minReplicas=2, maxReplicas=3)
    cluster.add(plural, item)
    with fake_api(cluster, tmp_path) as api:
        yield Stage(cluster, api)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["logs", "kitchen", "dev"], "dev runs no component 'kitchen' with pods"),
        (["logs", "image_policy", "dev"], "dev runs no component 'image_policy' with pods"),
        (["logs", "chat", "dev", "--since", "soon"], "--since: 'soon' is no time such as 10m"),
        (["logs", "chat", "dev", "--grep", "("], "--grep: '(' is no regular expression"),
        (["events", "chat", "dev", "--since", "0m"], "--since: '0m' is no time such as 10m"),
        (["restart", "opik", "dev", "--part", "nosuch"], "opik has no part nosuch"),
        (["scale", "gateway", "2", "dev", "--part", "x"], "gateway has no part x"),
        (["opik", "start", "dev", "--part", "open-webui"], "opik has no part open-webui"),
    ],
)
def test_a_wrong_word_is_answered_before_the_cluster_is_asked(command: list[str], said: str) -> None:
    def never(_name: str) -> Kubectl:
        raise AssertionError("the cluster was asked")

    refused = CliRunner().invoke(cli.app, command, obj=Tools(kubectl_of=never, terminal=Nobody())).exception
    assert isinstance(refused, OperatorError)
    assert refused.message.startswith(said)
    assert refused.code == ExitCode.USAGE


def test_every_component_is_named_by_one_word() -> None:
    assert words() == [
        "platform",
        "ollama",
        "vllm",
        "egress",
        "certificates",
        "trust",
        "secrets",
        "ingress",
        "private-dns",
        "tailscale",
        "gpu",
        "serving",
        "spill_over",
        "databases",
        "chat",
        "gateway",
        "cloud-models",
        "opik",
        "start",
        "monitoring",
        "image_policy",
    ]


def test_what_answers_people_stops_first_and_stores_last(stage: Stage) -> None:
    assert stage.run("stop", "opik", "dev", "--yes").exit_code == 0
    assert stage.changed() == [
        "opik/deployments/altinity-clickhouse-operator",
        "opik/deployments/oauth2-proxy",
        "opik/deployments/login-sessions",
        "opik/deployments/opik-frontend",
        "opik/deployments/opik-backend",
        "opik/deployments/opik-minio",
        "opik/statefulsets/opik-redis-master",
        "opik/statefulsets/opik-mysql",
        "opik/statefulsets/chi-opik-clickhouse-cluster-0-0",
        "opik/statefulsets/opik-zookeeper",
    ]


def test_stores_start_first(stage: Stage) -> None:
    stage.run("stop", "opik", "dev", "--yes")
    stopped = stage.changed()
    said = stage.run("opik", "start", "dev").output
    assert stage.changed()[len(stopped) :] == stopped[::-1]
    assert said.splitlines()[0] == "zookeeper: runs"


def test_the_platform_stops_in_the_order_of_needs_and_leaves_what_others_need(stage: Stage) -> None:
    assert stage.run("stop", "platform", "dev", "--yes").exit_code == 0
    spaces = list(dict.fromkeys(path.partition("/")[0] for path in stage.changed()))
    assert set(spaces) == {"opik", "monitoring", "chat", "gateway", "serving", "scaling", "ingress"}
    callers_first = [space for space in spaces if space in {"opik", "gateway", "serving"}]
    assert callers_first == ["opik", "gateway", "serving"]
    assert spaces.index("chat") < spaces.index("gateway")
    back = stage.run("start", "platform", "dev")
    assert back.exit_code == 0
    assert "was not stopped" not in back.output.replace("node-exporter: was not stopped", "")


@pytest.mark.parametrize("answer", ["", "n", "no", "dev"])
def test_a_stop_that_nobody_agrees_to_changes_nothing(answer: str, stage: Stage) -> None:
    refused = stage.run("stop", "chat", "dev", terminal=answering(answer)).exception
    assert isinstance(refused, OperatorError)
    assert refused.code == ExitCode.REFUSED
    assert stage.changed() == []


def test_a_stop_with_nobody_to_ask_changes_nothing(stage: Stage) -> None:
    refused = stage.run("stop", "platform", "dev").exception
    assert isinstance(refused, OperatorError)
    assert refused.code == ExitCode.REFUSED
    zero = stage.run("scale", "ingress", "0", "dev").exception
    assert isinstance(zero, OperatorError)
    assert stage.changed() == []


def test_a_question_names_what_would_stop(stage: Stage) -> None:
    terminal = answering("y")
    assert stage.run("stop", "chat", "dev", terminal=terminal).exit_code == 0
    assert terminal.asked == ["Stop redis, open-webui of dev? [y/N]"]


def test_start_leaves_alone_what_was_not_stopped(stage: Stage) -> None:
    assert stage.run("start", "opik", "dev", "--part", "mysql").output == "mysql: was not stopped\n"
    assert stage.changed() == []


def test_restart_without_a_name_leaves_the_stores_alone(stage: Stage) -> None:
    assert stage.run("restart", "opik", "dev").exit_code == 0
    assert [path for path in stage.changed() if "statefulsets" in path or "minio" in path] == []
    assert stage.run("restart", "opik", "dev", "--part", "redis").exit_code == 0
    assert stage.changed()[-1] == "opik/statefulsets/opik-redis-master"


def test_scale_goes_to_the_main_part_and_says_what_undoes_it(stage: Stage) -> None:
    done = stage.run("scale", "ingress", "3", "dev")
    assert done.stdout == "nginx: 3 instead of 1\n"
    assert "ingress.nginx_replicas" in done.stderr
    refused = stage.run("scale", "chat", "3", "dev").exception
    assert isinstance(refused, OperatorError)
    assert "chat.replicas, chat.max_replicas" in refused.fix
    several = stage.run("scale", "secrets", "2", "dev").exception
    assert isinstance(several, OperatorError)
    assert several.code == ExitCode.USAGE


def test_status_names_every_part_and_who_scales_it(stage: Stage) -> None:
    said = stage.run("opik", "status", "dev").output
    assert "clickhouse         1 of 1 ready\n" in said
    assert "guardrails" not in said
    stage.run("stop", "opik", "dev", "--yes", "--part", "mysql")
    assert "mysql              0 of 0 ready, stopped: llmctl start" in stage.run("opik", "status", "dev").output
    parts: list[dict[str, Any]] = json.loads(stage.run("monitoring", "status", "dev", "--json").output)
    assert [part["part"] for part in parts] == [
        "node-exporter",
        "kube-state-metrics",
        "prometheus",
        "alertmanager",
        "grafana",
        "operator",
    ]


def test_logs_are_of_the_parts_that_are_meant(stage: Stage) -> None:
    for name in ("ollama-t4-0", "serving-front-0"):
        stage.cluster.logs[name, "c"] = f"2026-11-30T12:00:00Z said by {name}\n".encode()
    assert stage.run("logs", "ollama", "dev").output == "ollama-t4-0/c | said by ollama-t4-0\n"
    one = stage.run("logs", "serving", "dev", "--part", "proxy", "--json").output
    assert json.loads(one)["line"] == "said by serving-front-0"


def test_a_log_that_cannot_be_read_ends_with_one(stage: Stage) -> None:
    failed = stage.run("logs", "ingress", "dev")
    assert failed.exit_code == ExitCode.FAILED
    assert "is waiting to start" in failed.stderr


@pytest.mark.parametrize("command", [*CLIENTS, "shell"])
def test_a_shell_needs_a_terminal_and_no_login_is_in_an_argument(command: str) -> None:
    def never(_name: str) -> Kubectl:
        raise AssertionError("the cluster was asked")

    refused = CliRunner().invoke(opik.app, [command, "dev"], obj=Tools(kubectl_of=never, terminal=Nobody())).exception
    assert isinstance(refused, OperatorError)
    assert refused.code == ExitCode.REFUSED
    _, line = CLIENTS.get(command, ("", ""))
    assert "password=" not in line.lower()
    assert "-p" not in line.split()


def test_the_console_of_minio_says_where_the_login_is_and_shows_none() -> None:
    said = CliRunner().invoke(opik.app, ["minio-console"]).output
    assert "llmctl opik minio-shell" in said
    assert "MINIO_ROOT_PASSWORD" in said
