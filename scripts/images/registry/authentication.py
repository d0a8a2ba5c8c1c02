"""Answers a registry's challenge: basic login, or a token from the service it names."""

import json
import re
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

from scripts.images.errors import UnauthorizedError

from .credentials import Login

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Authentication:
    """Authorizations for one registry, kept per repository; safe for threads."""

    registry: str
    host: str
    """Where the registry answers; its authorizations are for that host alone."""
    login: Login | None
    _known: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def known(self, scope: str) -> str | None:
        """Return the authorization that requests in `scope` were granted before."""
        with self._lock:
            return self._known.get(scope) or self._known.get("")

    def learn(self, scope: str, authorization: str) -> None:
        """Keep an authorization for `scope`, or for all with an empty one."""
        with self._lock:
            self._known[scope] = authorization

    def refusal(self) -> UnauthorizedError:
        """Return the error for a login that is refused or missing."""
        return UnauthorizedError(self.registry, "the login" if self.login else "to answer without a login")


class ScopedAuth(httpx.Auth):
    """Authorizes requests in one scope, `repository:<name>:<actions>`.

    Tokens: https://distribution.github.io/distribution/spec/auth/token/. Raises UnauthorizedError while the request is
    sent, when there is no login or it was refused.
    """

    def __init__(self, authentication: Authentication, scope: str) -> None:
        self._authentication = authentication
        self._scope = scope

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send `request` with what is known, and once more with what its challenge asks for."""
        at_home = request.url.netloc.decode() == self._authentication.host
        known = self._authentication.known(self._scope)
        if known and at_home:
            request.headers["Authorization"] = known
        answer = yield request
        if answer.status_code != HTTPStatus.UNAUTHORIZED or not isinstance(request.stream, httpx.ByteStream):
            return
        scheme, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
        login = self._authentication.login
        if scheme.lower() == "bearer":
            service = yield self._token_request(dict(_PARAMETER.findall(rest)))
            if service.status_code != HTTPStatus.OK:
                raise self._authentication.refusal()
            content = json.loads(service.read())
            granted, scope = f"Bearer {content.get('token') or content.get('access_token') or ''}", self._scope
        elif login and known != login.basic():
            # Another thread may have learned more meanwhile: what counts is what this request carried.
            granted, scope = login.basic(), ""
        else:
            raise self._authentication.refusal()
        self._authentication.learn(scope, granted)
        request.headers["Authorization"] = granted
        yield request

    def _token_request(self, challenge: dict[str, str]) -> httpx.Request:
        login = self._authentication.login
        query = {
            "service": challenge.get("service", self._authentication.registry),
            "scope": challenge.get("scope") or self._scope,
        }
        headers = {"Authorization": login.basic()} if login else {}
        return httpx.Request("GET", challenge.get("realm", ""), params=query, headers=headers)
