"""Answers a registry's challenge: basic login, or a token from the service it names."""

import json
import re
import threading
from http import HTTPStatus
from urllib.parse import urlencode

from scripts.images.errors import UnauthorizedError

from .credentials import Login
from .transport import Transport

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class Authentication:
    """Authorizations for one registry, kept per repository; safe for threads."""

    def __init__(self, registry: str, login: Login | None, transport: Transport) -> None:
        self._registry = registry
        self._login = login
        self._transport = transport
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    def header(self, scope: str) -> dict[str, str]:
        """Return the headers that are known to authorize requests in `scope`."""
        with self._lock:
            value = self._known.get(scope) or self._known.get("")
        return {"Authorization": value} if value else {}

    def answer(self, challenge: str, scope: str, sent: str | None) -> dict[str, str]:
        """Return headers that satisfy `challenge`, the `WWW-Authenticate` of a 401 for a request in `scope`.

        `sent` is the authorization that the refused request carried: another thread may have learned more meanwhile.
        Raises UnauthorizedError when there is no login or it was refused.
        """
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "bearer":
            value, key = f"Bearer {self._token(dict(_PARAMETER.findall(rest)), scope)}", scope
        elif self._login and sent != self._login.basic():
            value, key = self._login.basic(), ""
        else:
            raise UnauthorizedError(self._registry, "the login" if self._login else "to answer without a login")
        with self._lock:
            self._known[key] = value
        return {"Authorization": value}

    def _token(self, challenge: dict[str, str], scope: str) -> str:
        """Fetch a token (https://distribution.github.io/distribution/spec/auth/token/)."""
        query = {"service": challenge.get("service", self._registry), "scope": challenge.get("scope") or scope}
        headers = {"Authorization": self._login.basic()} if self._login else {}
        answer = self._transport.send("GET", f"{challenge.get('realm', '')}?{urlencode(query)}", headers)
        if answer.status != HTTPStatus.OK:
            raise UnauthorizedError(self._registry, "the login" if self._login else "to answer without a login")
        content = json.loads(answer.body)
        return str(content.get("token") or content.get("access_token") or "")
