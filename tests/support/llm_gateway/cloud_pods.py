"""nginx on the way to models outside the network, and the services there: Azure OpenAI, another one, and Entra."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qs

from stacks.platform.components.cloud_models import address, release
from stacks.settings import Settings
from tests.support.kubernetes import rendered
from tests.support.programs.processes import Program
from tests.support.serving.proxy_pods import nginx
from tests.support.stacks.components import images_of
from tests.support.web_servers import QuietHandler, served

AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""Where the image has those of the internet."""


@dataclass
class Sent:
    """One request that left the network."""

    host: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Outside:
    """Everything outside: what it was asked, and how it answers."""

    sent: list[Sent] = field(default_factory=list)
    words: list[str] = field(default_factory=lambda: ["From", "outside", "."])
    status: int = 200
    token_seconds: int = 86400
    tokens: int = 0

    def answered(self) -> list[Sent]:
        """Return the requests to models."""
        return [one for one in self.sent if one.host != release.AUTHORITY]


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    outside: Outside

    def do_POST(self) -> None:
        text = self.body().decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = headers["host"]
        if host == release.AUTHORITY:
            form = {name: values[0] for name, values in parse_qs(text).items()}
            self.outside.sent.append(Sent(host, self.path, headers, form))
            self.outside.tokens += 1
            self.answer_json(
                200,
                {
                    "token_type": "Bearer",
                    "expires_in": self.outside.token_seconds,
                    "access_token": f"token-{self.outside.tokens}",
                },
            )
            return
        body = json.loads(text)
        self.outside.sent.append(Sent(host, self.path, headers, body))
        if self.outside.status != 200:
            self.answer_json(self.outside.status, {"error": {"message": "not now", "code": "busy"}})
        elif body.get("stream"):
            self._stream(body)
        else:
            message = {"role": "assistant", "content": " ".join(self.outside.words)}
            self.answer_json(
                200, _shape(body) | {"object": "chat.completion", "choices": [_choice(message=message)], "usage": USAGE}
            )

    def _stream(self, body: Any) -> None:
        chunk = _shape(body) | {"object": "chat.completion.chunk"}
        parts = [
            chunk | {"choices": [_choice(delta={"content": f"{word} "}, reason=None)]} for word in self.outside.words
        ]
        parts += [chunk | {"choices": [_choice(delta={})]}, chunk | {"choices": [], "usage": USAGE}]
        lines = [f"data: {json.dumps(part)}\n\n" for part in parts]
        self.answer(200, "".join([*lines, "data: [DONE]\n\n"]).encode(), {"Content-Type": "text/event-stream"})


USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}


def _shape(body: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-outside", "created": 1, "model": str(body.get("model") or "gpt-4.1-2025-04-14")}


def _choice(*, reason: str | None = "stop", **content: Any) -> dict[str, Any]:
    return {"index": 0, "finish_reason": reason, **content}


@contextmanager
def outside(ip: str, tls: SSLContext) -> Iterator[Outside]:
    """Serve all hosts outside at one address, by HTTPS."""
    found = Outside()
    with served(type("Handler", (_Handler,), {"outside": found}), ip, release.HTTPS, tls=tls):
        yield found


def cloud_egress(settings: Settings, folder: Path, ip: str, *, tenant_id: str, authorities: Path) -> Program:
    """Return the way out at `ip`; only addresses, folders and authorities differ from what is deployed."""
    values = release.cloud_egress(settings.cloud_models, images_of(settings), tenant_id=tenant_id)
    found = rendered.render(address.SERVICE, address.SERVICE, address.NAMESPACE, folder, values)
    place = folder / address.SERVICE
    place.mkdir()
    (config,) = (item for item in found.objects if item["kind"] == "ConfigMap")
    text = str(config["data"]["nginx.conf"]).replace(f"listen {address.PORT};", f"listen {ip}:{address.PORT};")
    text = text.replace("/tmp/", f"{place}/").replace(AUTHORITIES, str(authorities))
    text = text.replace("/dev/stdout", f"{place}/access.log").replace("/dev/stderr", f"{place}/error.log")
    return nginx(address.SERVICE, place, text, ip, address.PORT)
