"""The figures of the dashboard: who waits, what each model does, which metrics are asked for."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from ruamel.yaml import YAML

from scripts.core.errors import OperatorError
from scripts.core.workspace import ROOT
from scripts.dashboard.board import Board, Engine, GpuRow, gpu_rows, model_rows
from scripts.dashboard.prometheus import Prometheus
from scripts.dashboard.rates import QUERIES, Rates, rates
from tests.support.web_servers import Reply, serving

T4 = Engine("ollama-t4", 0, 1, suspended=False, models=("phi3.5", "gemma2-2b"))
VLLM = Engine("vllm-qwen", 2, 2, suspended=False, models=("qwen",))
OFF = Engine("vllm-off", 0, 0, suspended=True, models=("off",))


def test_requests_at_an_engine_that_is_not_there_wait_and_so_does_the_queue_of_one_that_is() -> None:
    open_ = {"ollama-t4": 3, "vllm-qwen": 9}
    counted = Rates(open=open_, queued={"qwen": 4}, requests={"qwen": 0.5}, tokens={"qwen": 70})
    found = {row.name: row for row in model_rows([T4, VLLM, OFF], counted)}
    assert [(row.state, row.open, row.waiting) for row in found.values()] == [
        ("starting", 3, 3),
        ("starting", 3, 3),
        ("loaded", 9, 4),
        ("suspended", 0, 0),
    ]
    assert (found["qwen"].requests_per_minute, found["qwen"].tokens_per_second) == (30, 70)
    board = Board("dev", datetime.now(UTC), (), 0, tuple(found.values()), (), (), 0, usd_is_whole=True)
    assert board.people_waiting == 7, "people at one engine are counted once, not once a model"
    assert board.tokens_per_second == 70


@pytest.mark.parametrize(("ready", "replicas", "state"), [(1, 3, "1 of 3 loaded"), (0, 0, "at zero"), (3, 3, "loaded")])
def test_state_of_an_engine(ready: int, replicas: int, state: str) -> None:
    (row,) = model_rows([Engine("e", ready, replicas, suspended=False, models=("m",))], Rates())
    assert row.state == state


def test_gpu_that_reports_no_memory_shows_none() -> None:
    found = gpu_rows(Rates(gpu_percent={"n1": 50, "": 1}, gpu_memory={"n1": float("nan"), "n2": 0.5}))
    assert found == [GpuRow("n1", 50, 0), GpuRow("n2", 0, 0.5)]


def test_metrics_that_are_asked_for_are_kept() -> None:
    text = json.dumps(YAML(typ="safe").load((ROOT / "helm" / "monitors" / "metrics.yaml").read_text("utf-8")))
    asked = {
        name for _, expression in QUERIES.values() for name in re.findall(r"[A-Za-z_:]*_[A-Za-z_:]{6,}", expression)
    }
    metrics = {name for name in asked if not name.startswith(("requested_", "route_", "model_"))}
    assert len(metrics) == 7
    assert [name for name in sorted(metrics) if f'"{name}"' not in text] == []


class Server:
    """Answers as Prometheus does."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status, self.body = 200, json.dumps({"status": "success", "data": {"result": []}}).encode()

    def answer(self, _host: str, path: str) -> Reply:
        self.asked.append(parse_qs(urlsplit(path).query)["query"][0])
        return self.status, {}, self.body


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def prometheus(server: Server) -> Iterator[Prometheus]:
    with serving(server.answer) as port:
        yield Prometheus(f"http://127.0.0.1:{port}")


def test_values_come_by_their_label(server: Server, prometheus: Prometheus) -> None:
    series = [{"metric": {"node": "n1"}, "value": [1, "42.5"]}, {"metric": {}, "value": [1, "1"]}]
    server.body = json.dumps({"status": "success", "data": {"result": series}}).encode()
    assert prometheus.by("node", "avg by (node) (x)") == {"n1": 42.5, "": 1}
    assert server.asked == ["avg by (node) (x)"]
    assert rates(prometheus).tokens == {"": 1}
    assert len(server.asked) == 1 + len(QUERIES)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, b'{"status":"error","error":"parse error"}', "Prometheus answers 400: parse error"),
        (503, b"upstream down", "answers 503 with something else than values"),
        (200, b'{"status":"success","data":{}}', "answers 200 with something else than values"),
        (200, b"[]", "answers 200 with something else than values"),
    ],
)
def test_answer_without_values_is_said(
    server: Server, prometheus: Prometheus, status: int, body: bytes, said: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(OperatorError, match=said):
        prometheus.by("node", "x")
