"""Azure imports an image itself: asked by digest, waited for, and its refusals told."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.mgmt.containerregistry import ContainerRegistryManagementClient

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.images.importers.acr import AcrImport
from scripts.images.importers.base import Transfer
from scripts.images.registry.credentials import Login
from scripts.images.registry.references import Reference, parse
from tests.support.web_servers import QuietHandler, served

REGISTRY_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/llmdev"
DIGEST = "sha256:" + "a" * 64


class Azure(QuietHandler):
    """The management API's importImage: accepted, still running, then `end`."""

    asked: list[tuple[str, dict[str, str], Any]]
    end: tuple[int, bytes]

    def _serve(self) -> None:
        body = self.body()
        self.asked.append((f"{self.command} {self.path}", dict(self.headers), json.loads(body) if body else None))
        status, content = self.end if len(self.asked) >= 3 else (202, b"")
        location = f"http://{self.headers['Host']}/operations/1"
        self.answer(status, content, {"Location": location, "Retry-After": "0"})

    do_GET = do_POST = _serve


@pytest.fixture
def azure() -> Iterator[tuple[type[Azure], str]]:
    handler = type("Handler", (Azure,), {"asked": [], "end": (200, b"")})
    with served(handler) as address:
        yield handler, f"http://{address}"


def transfer(source: str, tmp_path: Path) -> Transfer:
    target = Reference("llmdev.azurecr.io", "ghcr.io/org/app", "v1")
    return Transfer("charts/app", parse(source), target, tmp_path / "log", Processes())


class Token:
    """A login of Azure that needs no Azure CLI."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("token", int(time.time()) + 3600)


def azure_import(url: str, login: Login | None = None) -> AcrImport:
    client = ContainerRegistryManagementClient(
        Token(), "s", url, credential_scopes=["any"], polling_interval=0.01, retry_backoff_factor=0
    )
    return AcrImport(client, "g", "llmdev", lambda _registry: login, {"enforce_https": False})


def test_azure_imports_by_digest_and_is_waited_for(azure: tuple[type[Azure], str], tmp_path: Path) -> None:
    handler, url = azure
    azure_import(url).transfer(transfer(f"docker.io/org/app:v1@{DIGEST}", tmp_path))
    first, *polls = handler.asked
    assert first[0].startswith(f"POST {REGISTRY_ID}/importImage?api-version=")
    assert first[2] == {
        "source": {"registryUri": "docker.io", "sourceImage": f"org/app@{DIGEST}"},
        "targetTags": ["ghcr.io/org/app:v1"],
        "mode": "Force",
    }
    assert [request for request, *_ in polls] == ["GET /operations/1"] * 2
    assert all(headers["Authorization"] == "Bearer token" for _, headers, _ in handler.asked)


def test_azure_s_refusal_is_told_in_its_words_without_the_publisher_s_password(
    azure: tuple[type[Azure], str], tmp_path: Path
) -> None:
    handler, url = azure
    handler.end = (403, json.dumps({"error": {"code": "AuthorizationFailed", "message": "no right"}}).encode())
    login = Login("me", "secret-of-publisher")
    with pytest.raises(OperatorError, match=r"AuthorizationFailed: no right$") as caught:
        azure_import(url, login).transfer(transfer("ghcr.io/org/app:v1", tmp_path))
    assert handler.asked[0][2]["source"]["credentials"] == {"username": "me", "password": "secret-of-publisher"}
    assert "secret-of-publisher" not in f"{caught.value}{caught.value.fix}"
    assert caught.value.code == ExitCode.NOT_READY


def test_an_interrupted_import_is_not_waited_for(azure: tuple[type[Azure], str], tmp_path: Path) -> None:
    handler, url = azure
    handler.end = (202, b"")
    one = transfer("ghcr.io/org/app:v1", tmp_path)
    one.processes.interrupted = 1
    with pytest.raises(KeyboardInterrupt):
        azure_import(url).transfer(one)
