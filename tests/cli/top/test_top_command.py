"""`llmctl top`: its board is what the cluster lists and Prometheus counts, and it goes on without one of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.cli.tools import Tools
from scripts.cli.top import commands as top
from scripts.cluster.api import ClusterApi
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.overview import KINDS
from scripts.core.errors import ExitCode, OperatorError
from scripts.dashboard.board import Board
from stacks.platform.components.serving.engines import SERVING, engines
from stacks.settings import Settings, load_settings
from tests.support.cli.terminals import Nobody
from tests.support.cluster.fake_api import FakeCluster, fake_api, scaler, workload
from tests.support.web_servers import Reply, serving

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LABELS = {
    "kubernetes.azure.com/agentpool": "t4",
    "node.kubernetes.io/instance-type": "Standard_NC4as_T4_v3",
    "kubernetes.azure.com/scalesetpriority": "spot",
}
READY = {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"nvidia.com/gpu": "1"}}


@dataclass(frozen=True)
class Forwarding(Kubectl):
    """A kubectl whose forwarded port is that of a server of the test; without one, none is forwarded."""

    port: int = 0

    @contextmanager
    def forwarded(self, namespace: str, service: str, port: int) -> Iterator[str]:
        assert (namespace, service, port) == ("monitoring", "prometheus-prometheus", 9090)
        if not self.port:
            raise OperatorError("services is forbidden")
        yield f"http://127.0.0.1:{self.port}"


@pytest.fixture
def settings() -> Settings:
    return load_settings("dev")


@pytest.fixture
def api(settings: Settings, tmp_path: Path) -> Iterator[ClusterApi]:
    cluster = FakeCluster({plural: [] for plural in (*KINDS, "certificates", "jobs")})
    cluster.add("nodes", {"metadata": {"name": "n1", "labels": LABELS}, "status": READY})
    first = engines(settings.models, settings.cluster)[0]
    cluster.add("deployments", workload("Deployment", SERVING, first.name))
    plural, item = scaler("scaledobjects", SERVING, first.name, first.name, minReplicaCount=0, maxReplicaCount=1)
    cluster.add(plural, item)
    with fake_api(cluster, tmp_path) as found:
        yield found


def board(settings: Settings, api: ClusterApi, kubectl: Kubectl) -> Board:
    tools = Tools(cluster_of=lambda _: api, now=lambda: NOW, terminal=Nobody())
    with top.prometheus_of(tools, settings.name, settings.monitoring, kubectl) as (prometheus, note):
        return top.asking(tools, settings, kubectl, prometheus, note)()


def test_board_is_what_the_cluster_lists_and_prometheus_counts(settings: Settings, api: ClusterApi) -> None:
    first = engines(settings.models, settings.cluster)[0]

    def answer(_host: str, _path: str) -> Reply:
        metric = {"requested_model": first.models[0].name, "route_name": first.name, "node": "n1"}
        series = {"status": "success", "data": {"result": [{"metric": metric, "value": [1, "0.5"]}]}}
        return 200, {}, json.dumps(series).encode()

    with serving(answer) as port:
        found = board(settings, api, Forwarding("context", port))
    (pool,) = found.pools
    assert (pool.name, pool.size, pool.spot, pool.gpus) == ("t4", "Standard_NC4as_T4_v3", True, 1)
    assert 0 < found.usd_per_hour < 5
    row = found.models[0]
    assert (row.name, row.state, row.requests_per_minute) == (first.models[0].name, "loaded", 30)
    assert [gpu.node for gpu in found.gpu_nodes] == ["n1"]
    assert found.notes == []


def test_without_prometheus_the_cluster_is_shown_and_the_reason_said(settings: Settings, api: ClusterApi) -> None:
    found = board(settings, api, Forwarding("context"))
    assert found.notes == ["Prometheus is not reached: services is forbidden"]
    assert found.models
    off = settings.model_copy(update={"monitoring": settings.monitoring.model_copy(update={"enabled": False})})
    assert board(off, api, Forwarding("context")).notes == [top.OFF]


def test_prometheus_that_answers_an_error_is_a_note(settings: Settings, api: ClusterApi) -> None:
    with serving(lambda *_: (503, {}, b"no")) as port:
        found = board(settings, api, Forwarding("context", port))
    assert found.notes == ["Prometheus answers 503 with something else than values"]
    assert found.pools


def test_dashboard_needs_a_terminal_and_names_what_does_not() -> None:
    error = CliRunner().invoke(top.app, ["dev"], obj=Tools(terminal=Nobody())).exception
    assert isinstance(error, OperatorError)
    assert (error.code, error.fix) == (ExitCode.REFUSED, "llmctl status dev")
