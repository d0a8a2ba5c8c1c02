"""Somebody at a browser without a screen: logs in as pages do, keeps cookies, and asks the chat's own interface."""

import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx


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
