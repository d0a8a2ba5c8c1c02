"""Import inside Azure: the registry fetches the image itself, nothing passes through this machine."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

from scripts.cli.errors import ExitCode, OperatorError
from scripts.images.azure_cli import ARM
from scripts.images.registry.credentials import Login
from scripts.images.registry.references import api_host
from scripts.images.registry.transport import Answer, Origin, Transport

from .base import Transfer

API_VERSION = "2023-07-01"
POLL_S = 3.0
LONGEST_S = 3600.0


@dataclass(frozen=True)
class AcrImport:
    """The registry's `importImage` operation.

    https://learn.microsoft.com/rest/api/container-registry/registries/import-image
    """

    registry_id: str
    """Resource id of the registry."""
    token: Callable[[], str]
    """Returns a token for the management API."""
    login: Callable[[str], Login | None]
    """Returns the login of a publisher's registry, which Azure needs for private ones."""
    transport: Transport
    management: str = ARM
    pause: Callable[[float], object] = time.sleep
    name: str = "acr"

    def transfer(self, transfer: Transfer) -> None:
        """Start the import and wait for its end. Raises OperatorError with Azure's own words."""
        url = f"{self.management}{self.registry_id}/importImage?api-version={API_VERSION}"
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
        body = json.dumps(self._request(transfer)).encode()
        answer = self.transport.send("POST", url, headers, body=body)
        waited = 0.0
        while answer.status == HTTPStatus.ACCEPTED:
            if waited > LONGEST_S:
                raise OperatorError(f"{transfer.name}: Azure has not imported it within {LONGEST_S / 60:.0f} minutes")
            location = answer.headers.get("Location") or answer.headers.get("Azure-AsyncOperation") or url
            seconds = answer.headers.get("Retry-After", "")
            wait_s = float(seconds) if seconds.isdigit() else POLL_S
            self.pause(wait_s)
            waited += max(wait_s, 0.1)
            transfer.step("Azure is importing it")
            url = urljoin(url, location)
            # The token is for the management API, wherever a location may point.
            known = headers if Origin.of(url) == Origin.of(self.management) else {}
            answer = self.transport.send("GET", url, known)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
            raise self._refused(transfer, answer)

    def _request(self, transfer: Transfer) -> dict[str, Any]:
        source = transfer.source
        selector = f"@{source.digest}" if source.digest else f":{source.selector}"
        described: dict[str, Any] = {
            "registryUri": api_host(source.registry),
            "sourceImage": f"{source.repository}{selector}",
        }
        if login := self.login(source.registry):
            described["credentials"] = {"username": login.user, "password": login.password}
        target = f"{transfer.target.repository}:{transfer.target.tag}"
        return {"source": described, "targetTags": [target], "mode": "Force"}

    def _refused(self, transfer: Transfer, answer: Answer) -> OperatorError:
        try:
            error = json.loads(answer.body)["error"]
            words = f"{error['code']}: {error.get('message', '')}"
        except (ValueError, KeyError, TypeError):
            words = f"status {answer.status}"
        message = f"{transfer.name}: Azure does not import {transfer.source}: {words}"
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            fix = "ask for the role Container Registry Data Importer and Data Reader on the registry"
            return OperatorError(message, fix, ExitCode.NOT_READY)
        return OperatorError(message)
