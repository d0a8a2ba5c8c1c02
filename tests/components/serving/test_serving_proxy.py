"""The front before the engines, run by a real nginx against an interceptor of this test's own."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import ClassVar

import pytest
from ruamel.yaml import YAML

from stacks.platform.common import timeouts
from stacks.platform.common.catalogue import own_chart
from stacks.platform.components.serving import routes as serving_routes
from stacks.platform.components.serving import scaling
from stacks.platform.components.serving.engines import engines
from stacks.settings import Settings, load_settings
from stacks.settings.models import Engine
from tests.support.patience import PATIENCE_S
from tests.support.stacks.components import with_images
from tests.support.web_servers import QuietHandler, port_of, served

HELM, NGINX = shutil.which("helm"), shutil.which("nginx")
pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(HELM is None, reason="helm is not on PATH"),
    pytest.mark.skipif(NGINX is None, reason="nginx is not on PATH"),
]
WAITING = 2
HELD = 18
"""Six models share the Ollama: each answers one request, and lets two wait."""


@dataclass
class Interceptor:
    """Stands where KEDA's interceptor stands: notes what arrives, and holds what it is asked to hold."""

    seen: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200
    release: threading.Event = field(default_factory=threading.Event)
    holding: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    port: int = 0


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    interceptor: ClassVar[Interceptor]

    def do_POST(self) -> None:
        self.body()
        self.interceptor.seen.append((str(self.headers["Host"]), self.path))
        if self.path.endswith("?held"):
            self.interceptor.holding.release()
            self.interceptor.release.wait(PATIENCE_S)
        if "?stream" in self.path:
            self._stream(dies=self.path.endswith("?stream-dies"))
            return
        self.answer(self.interceptor.status, b"ok")

    do_GET = do_POST

    def _stream(self, *, dies: bool) -> None:
        """Send eight tokens within two seconds, or one and then nothing, without an end."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(8):
            self.wfile.write(b"5\r\ntoken\r\n")
            self.wfile.flush()
            if self.interceptor.release.wait(60 if dies else 0.25):
                self.close_connection = True
                return
        self.wfile.write(b"0\r\n\r\n")


@pytest.fixture
def interceptor() -> Iterator[Interceptor]:
    _Handler.interceptor = Interceptor()
    with served(_Handler) as address:
        _Handler.interceptor.port = port_of(address)
        yield _Handler.interceptor
        _Handler.interceptor.release.set()


def _rendered(settings: Settings, folder: Path) -> str:
    wired = folder / "wired.json"
    wired.write_text(json.dumps(scaling.serving_proxy(*with_images(settings))))
    command = [str(HELM), "template", "serving-front", str(own_chart("serving-front")), "--values", str(wired)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    objects = YAML(typ="safe").load_all(text)
    return next(str(item["data"]["nginx.conf"]) for item in objects if item and item["kind"] == "ConfigMap")


@pytest.fixture
def front(interceptor: Interceptor, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """Return the port of a front of `dev` that lets `WAITING` requests wait for each engine.

    A parameter is how many seconds of silence it bears, instead of the half hour of the table.
    """
    settings = load_settings("dev")
    serving = settings.serving.model_copy(update={"waiting_requests": WAITING})
    settings = settings.model_copy(update={"serving": serving})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = _rendered(settings, tmp_path)
    # What only a cluster has: its DNS, its addresses, its standard error.
    for engine in scaling.serving_proxy(*with_images(settings))["engines"].values():
        text = text.replace(engine["upstream"], f"127.0.0.1:{interceptor.port}")
    text = text.replace("kube-dns.kube-system.svc.cluster.local", "127.0.0.1").replace("listen 8080", f"listen {port}")
    text = text.replace("/tmp/", f"{tmp_path}/").replace("/dev/stdout", f"{tmp_path}/access.log")
    text = text.replace("/dev/stderr", f"{tmp_path}/error.log")
    if silence := getattr(request, "param", 0):
        waits = f"proxy_read_timeout {timeouts.serving_proxy(settings.serving).silence_seconds}s;"
        assert text.count(waits) == 1
        text = text.replace(
            f"proxy_read_timeout {timeouts.serving_proxy(settings.serving).silence_seconds}s;",
            f"proxy_read_timeout {silence}s;",
        )
    config = tmp_path / "nginx.conf"
    config.write_text(text)
    process = subprocess.Popen(
        [str(NGINX), "-p", str(tmp_path), "-c", str(config), "-e", f"{tmp_path}/start.log", "-g", "daemon off;"]
    )
    try:
        _until_open(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _until_open(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError("nginx does not listen")


def _ask(port: int, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body="{}" if method == "POST" else None)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def test_looking_around_reaches_no_engine_and_names_every_model(front: int, interceptor: Interceptor) -> None:
    settings = load_settings("dev")
    for engine in engines(settings.models, settings.cluster):
        status, _, body = _ask(front, f"/{engine.name}/v1/models")
        assert status == 200
        names = {model["id"] for model in json.loads(body)["data"]}
        assert names == {model.id if engine.engine == "ollama" else model.name for model in engine.models}
    status, _, body = _ask(front, "/ollama-t4/api/tags")
    assert {model["name"] for model in json.loads(body)["models"]} == {
        model.id for model in settings.models if model.engine == "ollama"
    }
    for path in ("/ollama-t4/", "/ollama-t4/api/version", "/ollama-t4/api/ps", "/vllm-qwen2-5-7b/health", "/healthz"):
        assert _ask(front, path)[0] == 200, path
    assert interceptor.seen == []


def test_request_reaches_its_engine_by_host_and_without_the_prefix(front: int, interceptor: Interceptor) -> None:
    assert _ask(front, "/ollama-t4/api/chat", "POST")[0] == 200
    assert _ask(front, "/vllm-qwen2-5-7b/v1/chat/completions?a=b", "POST")[0] == 200
    assert interceptor.seen == [
        ("ollama-t4.serving", "/api/chat"),
        ("vllm-qwen2-5-7b.serving", "/v1/chat/completions?a=b"),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/ollama-t4/api/pull",
        "/ollama-t4/api/delete",
        "/ollama-t4/api/blobs/sha256:0",
        "/ollama-t4/api/signout",
        "/ollama-t4//api/%70ull",
        "/ollama-t4/v1/../api/pull",
        "/vllm-qwen2-5-7b/metrics",
        "/vllm-qwen2-5-7b/v1/load_lora_adapter",
        "/vllm-qwen2-5-7b/v1/unload_lora_adapter",
        "/vllm-qwen2-5-7b/v1/%2e%2e/collective_rpc",
        "/vllm-qwen2-5-7b/reset_mm_cache",
        "/vllm-qwen2-5-7b/update_weights",
        "/vllm-qwen2-5-7b/openapi.json",
    ],
)
def test_what_changes_models_or_tells_of_them_is_refused(path: str, front: int, interceptor: Interceptor) -> None:
    assert _ask(front, path, "POST")[0] == 403
    assert interceptor.seen == []


ENGINE_OF = {"ollama": "ollama-t4", "vllm": "vllm-qwen2-5-7b"}
STATUS_OF = {"engine": 200, "proxy": 200, "nobody": 403}
ROUTES = [
    line.split("\t")
    for line in (Path(serving_routes.__file__).with_name("routes.tsv")).read_text("utf-8").splitlines()
    if not line.startswith("#")
]
"""Engine, method, path, who answers: both engines' own tables."""


def test_every_call_of_the_engines_tables_reaches_its_engine_and_nothing_else_does(
    front: int, interceptor: Interceptor
) -> None:
    answered = {}
    for engine, method, path, who in ROUTES:
        interceptor.seen.clear()
        status = _ask(front, f"/{ENGINE_OF[engine]}{path}", method)[0]
        answered[engine, method, path] = (status, len(interceptor.seen)) == (STATUS_OF[who], who == "engine")
    assert [route for route, right in answered.items() if not right] == []
    assert len(answered) == len(ROUTES) > 80


@pytest.mark.parametrize("engine", ENGINE_OF)
def test_every_allowed_call_is_one_of_its_engine(engine: str) -> None:
    known = {
        path.removeprefix("/")
        for name, method, path, who in ROUTES
        if (name, method, who) == (engine, "POST", "engine")
    }
    assert known == set(serving_routes.CALLS[Engine(engine)])


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/api/chat", "GET", 405),
        ("/api/chat", "DELETE", 405),
        ("/api/chat/", "POST", 403),
        ("/api/chat/more", "POST", 403),
        ("/API/chat", "POST", 403),
        ("/api/chat;x", "POST", 403),
        ("/v1/chat/completions%00", "POST", 400),
        ("/api/pull/../pull", "POST", 403),
        ("/api/chat/../pull", "POST", 403),
        ("/api/a-route-of-tomorrow", "POST", 403),
    ],
)
def test_only_the_path_itself_by_post_calls_a_model(
    path: str, method: str, status: int, front: int, interceptor: Interceptor
) -> None:
    assert _ask(front, f"/ollama-t4{path}", method)[0] == status
    assert interceptor.seen == []


@pytest.mark.parametrize("status", [502, 504])
def test_wait_that_was_too_long_is_told_as_503_with_when_to_come_back(
    status: int, front: int, interceptor: Interceptor
) -> None:
    interceptor.status = status
    answer, headers, body = _ask(front, "/ollama-t4/api/chat", "POST")
    assert (answer, headers["Retry-After"]) == (503, "30")
    assert json.loads(body)["error"]["code"] == "model_starting"
    assert headers["Content-Type"].startswith("application/json")


def test_errors_of_the_engine_itself_are_handed_on(front: int, interceptor: Interceptor) -> None:
    interceptor.status = 404
    assert _ask(front, "/ollama-t4/api/chat", "POST")[::2] == (404, "ok")


def test_request_beyond_those_that_may_wait_is_refused_and_other_engines_are_not(
    front: int, interceptor: Interceptor
) -> None:
    held = [threading.Thread(target=_ask, args=(front, "/ollama-t4/api/generate?held", "POST")) for _ in range(HELD)]
    for thread in held:
        thread.start()
    for _ in held:
        assert interceptor.holding.acquire(timeout=PATIENCE_S)
    status, headers, body = _ask(front, "/ollama-t4/api/chat", "POST")
    assert (status, json.loads(body)["error"]["code"]) == (503, "model_overloaded")
    assert "Retry-After" in headers
    assert _ask(front, "/vllm-qwen2-5-7b/v1/completions", "POST")[0] == 200
    interceptor.release.set()
    for thread in held:
        thread.join()
    assert _ask(front, "/ollama-t4/api/chat", "POST")[0] == 200


@pytest.mark.parametrize("front", [1], indirect=True)
def test_stream_may_last_longer_than_the_silence_that_is_borne(front: int) -> None:
    assert _ask(front, "/ollama-t4/api/generate?stream", "POST")[::2] == (200, "token" * 8)


@pytest.mark.parametrize("front", [1], indirect=True)
def test_stream_that_falls_silent_is_ended_after_it(front: int) -> None:
    """Between two tokens as before the first one: an engine that hangs in the middle is held no longer."""
    started = time.monotonic()
    with pytest.raises(IncompleteRead) as broken:
        _ask(front, "/ollama-t4/api/generate?stream-dies", "POST")
    assert 0.9 < time.monotonic() - started < PATIENCE_S
    assert broken.value.partial == b"token"
