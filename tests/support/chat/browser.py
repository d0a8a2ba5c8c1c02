"""Somebody at a browser without a screen: logs in as pages do, keeps cookies, and asks the chat's own interface."""

import json
import ssl
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from stacks.platform.common.ingress_annotations import STICKY_COOKIE
from tests.support.programs import processes as programs

from . import web_socket


@dataclass
class Browser:
    """One person's session with the chat."""

    host: str
    trusted: Path
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        tls = ssl.create_default_context(cafile=str(self.trusted))
        self.client = httpx.Client(base_url=f"https://{self.host}", verify=tls, timeout=120, follow_redirects=True)

    def log_in(self) -> httpx.Response:
        """Follow the login to its end; return the last page."""
        return self.client.get("/oauth/oidc/login")

    @property
    def token(self) -> str | None:
        """What the page keeps of the login."""
        return self.client.cookies.get("token", domain=self.host)

    def goes_to(self, pod: str) -> None:
        """Stay from now on with a pod, an address with a port."""
        self.client.cookies.delete(STICKY_COOKIE)
        self.client.cookies.set(STICKY_COOKIE, pod, domain=self.host)

    @contextmanager
    def socket(self, pod: str) -> Iterator["Socket"]:
        """Open a web socket at a pod, through the ingress."""
        command = [str(programs.open_webui_python()), web_socket.__file__, f"https://{self.host}"]
        process = subprocess.Popen(
            [*command, f"{STICKY_COOKIE}={pod}"],
            env={"SSL_CERT_FILE": str(self.trusted), "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{self.token}\n")
            process.stdin.flush()
            yield Socket(json.loads(process.stdout.readline()), process)
        finally:
            process.kill()
            process.communicate()

    def ask_by_socket(self, model: str, prompt: str, *, asked: str, told: str) -> tuple[str, str]:
        """Ask one pod in a new chat while a web socket is open at another; return the chat's number and what that told.

        Ends with the answer, or when the socket closes.
        """
        message: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "parentId": None,
            "childrenIds": [],
            "role": "user",
            "content": prompt,
        }
        with self.socket(told) as socket:
            body = {
                "model": model,
                "messages": [{"role": "user", "content": prompt}],
                "stream": True,
                "session_id": socket.number,
                "parent_id": None,
                "id": str(uuid.uuid4()),
                "user_message": {**message, "models": [model], "timestamp": 1},
            }
            self.goes_to(asked)
            answer = self.api("POST", "/api/chat/completions", json=body)
            assert answer.status_code == 200, answer.text
            said = ""
            for event in socket.events():
                said += json.dumps(event["data"])
                if event["data"].get("type") == "chat:active" and event["data"]["data"]["active"] is False:
                    break
        return str(answer.json()["chat_id"]), said

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the interface as the page does."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.request(method, path, headers=headers, **more)

    def chat(self, model: str, prompt: str, **more: Any) -> tuple[int, list[str]]:
        """Ask a model by a stream; return the status and the parts of the answer, or the refusal."""
        body = {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": True, **more}
        headers = {"Authorization": f"Bearer {self.token}"}
        parts: list[str] = []
        with self.client.stream("POST", "/api/chat/completions", json=body, headers=headers) as answer:
            if answer.status_code != 200:
                return answer.status_code, [answer.read().decode()]
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    for choice in json.loads(line[6:]).get("choices", []):
                        parts.append(choice.get("delta", {}).get("content") or "")
        return 200, [part for part in parts if part]


@dataclass
class Socket:
    """A web socket that is open."""

    number: str
    process: "subprocess.Popen[str]"

    def events(self) -> Iterator[dict[str, Any]]:
        """Return what it receives, as it comes."""
        assert self.process.stdout
        for line in self.process.stdout:
            yield json.loads(line)
