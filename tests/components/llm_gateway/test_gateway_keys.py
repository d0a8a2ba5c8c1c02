"""The Job that registers the platform's own keys: safe to repeat, and a rotated key takes the old one's place."""

import io
import json
import urllib.error
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.common.catalogue import HELM


class Proxy:
    """LiteLLM's key interface, as far as the Job uses it."""

    def __init__(self, **known: str) -> None:
        self.known = known
        self.calls: list[str] = []
        self.models: list[str] = []

    def open(self, request: Any, timeout: float) -> io.BytesIO:
        del timeout
        path, _, query = request.full_url.removeprefix("http://litellm:4000").partition("?")
        self.calls.append(path)
        assert request.headers["Authorization"] == "Bearer sk-master"
        body = json.loads(request.data) if request.data else {}
        if path == "/key/info":
            key = query.removeprefix("key=")
            alias = next((alias for alias, value in self.known.items() if value == key), None)
            if alias is None:
                raise urllib.error.HTTPError(request.full_url, 404, "", Message(), io.BytesIO(b"Key not found"))
            return _json({"info": {"key_alias": alias, "models": self.models}})
        if path == "/key/list":
            alias = query.split("&")[0].removeprefix("key_alias=")
            return _json({"keys": [{"key_alias": alias}] if alias in self.known else []})
        if path == "/key/delete":
            for alias in body["key_aliases"]:
                del self.known[alias]
        if path == "/key/generate":
            assert body["key_alias"] not in self.known
            assert body["key_type"] == "llm_api"
            self.known[body["key_alias"]] = body["key"]
            self.models = body["models"]
        if path == "/key/update":
            self.models = body["models"]
        return _json({})


def _json(content: Any) -> io.BytesIO:
    return io.BytesIO(json.dumps(content).encode())


@pytest.fixture
def registering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    source = (HELM / "litellm" / "register.py").read_text()
    (tmp_path / "chat-key").write_text("sk-new")
    monkeypatch.setenv("GATEWAY", "http://litellm:4000")
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-master")
    monkeypatch.setenv("KEYS", str(tmp_path))

    def run(proxy: Proxy, models: tuple[str, ...] = ()) -> str:
        module: dict[str, Any] = {"__name__": "register"}
        exec(compile(source, "register.py", "exec"), module)
        monkeypatch.setattr(module["urllib"].request, "urlopen", proxy.open)
        return str(module["register"]("chat-key", "sk-new", list(models)))

    return run


def test_unknown_key_is_registered_for_models_alone(registering: Callable[[Proxy], str]) -> None:
    proxy = Proxy()
    assert registering(proxy) == "is registered now"
    assert proxy.known == {"chat-key": "sk-new"}


def test_registered_key_is_left_alone(registering: Callable[[Proxy], str]) -> None:
    proxy = Proxy(**{"chat-key": "sk-new"})
    assert registering(proxy) == "is registered"
    assert proxy.calls == ["/key/info"]


def test_rotated_key_takes_the_place_of_the_old_one(registering: Callable[[Proxy], str]) -> None:
    proxy = Proxy(**{"chat-key": "sk-old", "other": "sk-kept"})
    assert registering(proxy) == "is registered anew"
    assert proxy.known == {"other": "sk-kept", "chat-key": "sk-new"}


def test_registered_key_gets_the_models_of_now_and_all_of_them_again(registering: Callable[..., str]) -> None:
    proxy = Proxy(**{"chat-key": "sk-new"})
    assert registering(proxy, ("phi3.5", "gpt-4.1")) == "is registered for other models"
    assert proxy.models == ["phi3.5", "gpt-4.1"]
    assert registering(proxy, ("gpt-4.1", "phi3.5")) == "is registered"
    assert registering(proxy) == "is registered for other models"
    assert proxy.models == []
