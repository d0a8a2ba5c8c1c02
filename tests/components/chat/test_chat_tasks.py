"""Tasks of answers that ended with their pod are cleared by the first new pod, and those of living pods never."""

import runpy
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "helm" / "open-webui" / "migrate.py"


class Redis:
    """As much of Redis as the script asks for."""

    def __init__(self, keys: set[str], listeners: int) -> None:
        self.keys, self.listeners = keys, listeners

    def __enter__(self) -> "Redis":
        return self

    def __exit__(self, *_: object) -> None: ...

    def pubsub_numsub(self, channel: str) -> list[tuple[str, int]]:
        return [(channel, self.listeners if channel == "open-webui:tasks:commands" else 0)]

    def scan_iter(self, pattern: str, count: int) -> Iterator[str]:
        assert count > 0
        return iter([key for key in self.keys if fnmatchcase(key, pattern)])

    def delete(self, *keys: str) -> int:
        self.keys -= set(keys)
        return len(keys)


LEFT = {"open-webui:tasks", "open-webui:tasks:item:chat-1", "open-webui:session_pool", "other:tasks"}
"""Open WebUI's own keys (open_webui/tasks.py of 0.12.4), its sessions, and a key of somebody else."""


def _cleared(server: Redis, monkeypatch: pytest.MonkeyPatch) -> int:
    module: Any = ModuleType("redis")
    module.RedisError = type("RedisError", (Exception,), {})
    module.Redis = type("Client", (), {"from_url": staticmethod(lambda _url, **_: server)})
    monkeypatch.setitem(sys.modules, "redis", module)
    monkeypatch.setitem(sys.modules, "psycopg", ModuleType("psycopg"))
    return int(runpy.run_path(str(SCRIPT))["clear_tasks"]("redis://chat-redis", "open-webui"))


def test_tasks_are_cleared_where_no_pod_listens_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Redis(set(LEFT), listeners=0)
    assert _cleared(server, monkeypatch) == 2
    assert server.keys == {"open-webui:session_pool", "other:tasks"}


def test_tasks_of_pods_that_live_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Redis(set(LEFT), listeners=1)
    assert _cleared(server, monkeypatch) == 0
    assert server.keys == LEFT
