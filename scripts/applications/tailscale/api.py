"""Split DNS of a tailnet by Tailscale's API: https://tailscale.com/api#tag/dns."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from scripts.core.errors import ExitCode, OperatorError

ADDRESS = "https://api.tailscale.com"
TOKEN = "TAILSCALE_API_TOKEN"  # noqa: S105 (a variable's name)
CLIENT_ID, CLIENT_SECRET = "TAILSCALE_OAUTH_CLIENT_ID", "TAILSCALE_OAUTH_CLIENT_SECRET"
_TIMEOUT_S = 30.0
_LOGIN = f"set {TOKEN}, or {CLIENT_ID} and {CLIENT_SECRET} of an OAuth client with the scope dns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tailnet:
    """A tailnet as one login sees it; the token is never shown."""

    name: str
    """Its name or id, `-` for the one that the login belongs to."""
    client: httpx.Client

    def split_dns(self) -> dict[str, list[str]]:
        """Return the nameservers of every domain that has its own. Raises OperatorError."""
        return _domains(_answer(self.client, "GET", self._path()))

    def set_nameservers(self, domain: str, addresses: list[str]) -> None:
        """Have the tailnet ask these nameservers for `domain`; none takes the domain away. Others stay as they are.

        Raises OperatorError.
        """
        _answer(self.client, "PATCH", self._path(), content={domain: addresses or None})

    def _path(self) -> str:
        return f"/api/v2/tailnet/{quote(self.name, safe='')}/dns/split-dns"


def connected(name: str, environment: Mapping[str, str], *, address: str = ADDRESS) -> Tailnet:
    """Return the tailnet `name`, with the login that the environment's variables give.

    Raises OperatorError where there is none, or Tailscale refuses it.
    """
    client = httpx.Client(base_url=address, timeout=_TIMEOUT_S, headers={"User-Agent": "llmctl"})
    client.headers["Authorization"] = f"Bearer {_token(client, environment)}"
    return Tailnet(name=name, client=client)


def _token(client: httpx.Client, environment: Mapping[str, str]) -> str:
    if token := environment.get(TOKEN):
        return token
    id_, secret = environment.get(CLIENT_ID), environment.get(CLIENT_SECRET)
    if not (id_ and secret):
        raise OperatorError("no login for Tailscale's API", _LOGIN, ExitCode.NOT_READY)
    answer = _answer(client, "POST", "/api/v2/oauth/token", form={"client_id": id_, "client_secret": secret})
    return str(answer["access_token"])


def _answer(
    client: httpx.Client, method: str, path: str, *, content: Any = None, form: Mapping[str, str] | None = None
) -> dict[str, Any]:
    body = urlencode(form) if form is not None else json.dumps(content) if content is not None else None
    kind = "application/x-www-form-urlencoded" if form is not None else "application/json"
    try:
        response = client.request(method, path, content=body, headers={"Content-Type": kind} if body else None)
    except httpx.HTTPError as error:
        raise OperatorError(
            f"Tailscale's API does not answer: {error}", "check the network and run this again", ExitCode.NOT_READY
        ) from None
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise OperatorError(f"Tailscale refuses the login: {_said(response)}", _LOGIN, ExitCode.NOT_READY)
    if response.is_error:
        raise OperatorError(
            f"Tailscale's API answers {response.status_code}: {_said(response)}",
            "check private_access.tailscale.tailnet; what is done stays done, run this again",
        )
    found: dict[str, Any] = response.json() if response.content else {}
    return found


def _said(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase or "no reason given"


def _domains(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    return {domain: list(addresses or []) for domain, addresses in answer.items()}
