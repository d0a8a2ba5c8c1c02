"""Opik's page and backend, as a forwarded port answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.cli.fake_tools import Tools
from tests.support.web_servers import Reply, serving

HEALTHY = [
    {"name": "mysql", "healthy": True, "critical": True, "type": "READY"},
    {"name": "clickhouse", "healthy": True, "critical": True, "type": "READY"},
    {"name": "extra", "healthy": False, "critical": False, "type": "READY"},
]


@contextmanager
def frontend(
    tools: Tools, *, version: str = "2.1.23", stores: object = HEALTHY, status: int = 200, kept: str = "unlimited"
) -> Iterator[None]:
    def answer(_host: str, path: str) -> Reply:
        if path == "/api/health-check?name=all&type=ready":
            return status, {"Content-Type": "application/json"}, json.dumps(stores).encode()
        if path == "/api/is-alive/ver":
            return 200, {"Content-Type": "application/json"}, json.dumps({"version": version}).encode()
        if path.startswith("/api/v1/private/retention/rules"):
            rules = [] if kept == "unlimited" else [{"id": "w", "retention": kept, "level": "workspace"}]
            return 200, {"Content-Type": "application/json"}, json.dumps({"content": rules}).encode()
        return 200, {"Content-Type": "text/html"}, b"<html></html>"

    with serving(answer) as port:
        tools.write("forward-port", str(port))
        yield
