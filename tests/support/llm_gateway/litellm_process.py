"""LiteLLM itself with the configuration of an environment, before engines and an Opik that a test plays."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stacks.platform.common.catalogue import HELM
from stacks.platform.components.llm_gateway import release
from stacks.platform.components.serving.engines import PROXY, PROXY_PORT, SERVING
from stacks.settings import Settings
from tests.support.llm_gateway.pods import sending_soon
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import litellm_python
from tests.support.web_servers import QuietHandler, port_of, served

MASTER_KEY = "sk-" + "a" * 48
LITELLM = str(litellm_python().with_name("litellm"))
"""The program of the pinned version, in an environment of its own that `scripts/lab/install-live litellm` makes."""


@dataclass
class Call:
    """One request that arrived at an engine or at Opik."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Upstream:
    """Answers every completion with `text`, everything else with `otherwise`, and notes what was asked."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    status: int = 200
    text: str = "It works."
    otherwise: int = 204
    held: threading.Event = field(default_factory=threading.Event)
    """Answers are given once it is set."""
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def reply(self, call: Call) -> tuple[int, str, bytes]:
        """Return status, kind and content of an answer, as an engine or Opik gives it."""
        if not call.path.endswith("/chat/completions"):
            return self.otherwise, "application/json", b""
        if self.status != 200:
            return self.status, "application/json", json.dumps({"error": {"message": self.text}}).encode()
        shape = {"id": f"call-{len(self.calls)}", "created": 1, "model": call.body["model"]}
        usage = {"prompt_tokens": 12, "completion_tokens": 8, "total_tokens": 20}
        if call.body.get("stream"):
            parts: list[dict[str, Any]] = [
                {"choices": [{"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}]}
                for word in self.text.split()
            ]
            parts.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            parts.append({"choices": [], "usage": usage})
            chunks = [{**shape, "object": "chat.completion.chunk", **part} for part in parts]
            lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
            return 200, "text/event-stream", "".join([*lines, "data: [DONE]\n\n"]).encode()
        message = {"role": "assistant", "content": self.text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return 200, "application/json", json.dumps(
            {**shape, "object": "chat.completion", "choices": [choice], "usage": usage}
        ).encode()  # fmt: skip


@contextmanager
def upstream() -> Iterator[Upstream]:
    """Serve on a free port of this machine."""
    state = Upstream()
    state.held.set()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            self._answer(json.loads(self.body() or b"null"))

        def do_GET(self) -> None:
            self._answer(None)

        def _answer(self, body: Any) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, self.path, headers, body)
            state.held.wait()
            status, kind, content = state.reply(call)
            with state.arrived:
                state.calls.append(call)
                state.arrived.notify_all()
            self.answer(status, content, {"Content-Type": kind})

    with served(Handler) as address:
        state.port = port_of(address)
        yield state


@dataclass
class Gateway:
    """A running LiteLLM."""

    port: int
    metrics_port: int
    log: Path
    process: "subprocess.Popen[bytes]"

    def ask(
        self, path: str, body: Any = None, *, key: str | None = MASTER_KEY, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and content of its answer."""
        return _ask(self.port, path, body, {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})})

    def chat(self, model: str, **more: Any) -> tuple[int, dict[str, str], Any]:
        """Ask a model; return status, headers and the answer."""
        headers = more.pop("headers", None)
        prompt = more.pop("prompt", "Does it work?")
        body = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
        status, answered, content = self.ask("/v1/chat/completions", body, headers=headers)
        return status, answered, content.decode() if more.get("stream") else json.loads(content)

    def metrics(self) -> str:
        """Return its metrics, as Prometheus reads them."""
        return _ask(self.metrics_port, "/metrics", None, {})[2].decode()


@contextmanager
def gateway(
    settings: Settings, folder: Path, engines: Upstream, opik: Upstream, *, soon: bool = True
) -> Iterator[Gateway]:
    """Run LiteLLM with the environment's configuration, files and variables; Redis is down, a database left out.

    Traces are sent at once, without `soon` every five seconds as where it is deployed.
    """
    config = release.config(settings)
    text = json.dumps(config).replace(f"{PROXY}.{SERVING}.svc.cluster.local:{PROXY_PORT}", f"127.0.0.1:{engines.port}")
    config = json.loads(text)
    # Nobody answers there: limits are then counted by each pod alone, and calls go on.
    config["general_settings"]["coordination_redis"] |= {"host": "127.0.0.1", "port": _free_port()}
    (folder / "config.yaml").write_text(json.dumps(config), "utf-8")
    for program in (HELM / "litellm").glob("*.py"):
        shutil.copy(program, folder)
    if soon:
        (folder / "tracing.py").write_text(sending_soon((HELM / "litellm" / "tracing.py").read_text("utf-8")), "utf-8")
    (folder / "metrics").mkdir(exist_ok=True)
    port, metrics_port = _free_port(), _free_port()
    variables = {
        "PATH": f"{Path(str(LITELLM)).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "VLLM_API_KEY": "key-of-vllm",
        "REDIS_PASSWORD": "password",
        "OPIK_URL_OVERRIDE": f"http://127.0.0.1:{opik.port}/api",
        "OPIK_PROJECT_NAME": settings.name,
        "TRACE_CHATS": str(settings.gateway.trace_chats).lower(),
        "TRACE_PROMPTS": str(settings.gateway.trace_prompts).lower(),
        "CHAT_KEYS": "chat-key",
        "OPIK_TRACK_DISABLE": "false",
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "TRACES_FOLDER": str(folder / "traces"),
        "TRACES_LIMIT_MIB": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
        "LITELLM_LOCAL_POLICY_TEMPLATES": "true",
        "LITELLM_LOCAL_BLOG_POSTS": "True",
        "LITELLM_LOCAL_AUTOROUTER_PRESETS": "True",
        "LITELLM_MODE": "PRODUCTION",
    }
    python = str(Path(str(LITELLM)).parent / "python")
    command = [
        python, str(folder / "start.py"), f"--config={folder / 'config.yaml'}", f"--port={port}", "--host=127.0.0.1",
        "--num_workers=1", "--keepalive_timeout=75",
    ]  # fmt: skip
    beside = [
        python, "-m", "litellm.proxy.prometheus_metrics_server", "--host=127.0.0.1", f"--port={metrics_port}",
        f"--multiproc_dir={folder / 'metrics'}",
    ]  # fmt: skip
    log = folder / "litellm.log"
    with log.open("a") as file:
        started = [
            subprocess.Popen(line, env=variables, stdout=file, stderr=subprocess.STDOUT, cwd=folder)
            for line in (command, beside)
        ]
    try:
        found = Gateway(port, metrics_port, log, started[0])
        _wait_until_ready(found, started[0])
        yield found
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(PATIENCE_S)


def _wait_until_ready(found: Gateway, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if found.ask("/health/readiness", key=None)[0] == 200 and found.metrics():
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"LiteLLM does not start:\n{found.log.read_text()[-4000:]}")


def _ask(port: int, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
