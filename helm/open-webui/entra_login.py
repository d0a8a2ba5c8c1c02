"""Lets Open WebUI log people in with Entra without a client secret, and decides who is a user or an administrator.

Open WebUI can only present a secret or nothing to the token endpoint. This process runs beside it, is reachable from
within the pod alone, and serves Entra's OpenID configuration with two endpoints of its own in it:

- token: the request goes on to Entra with the pod's service account token as proof of identity (RFC 7523), which Entra
  trusts by a federated credential: https://learn.microsoft.com/entra/workload-id/workload-identity-federation. Tokens
  that come back are handed on to members alone; everybody else gets `access_denied`.
- userinfo: the role that was decided for a token. Open WebUI's own rule would keep the role of whoever comes without a
  claim, also of a former administrator (`get_user_role` in open_webui/utils/oauth.py, 0.12).

Whoever belongs to more groups than a token has room for comes without the claim of groups; Microsoft Graph is asked
then, for which the delegated permission User.Read suffices (https://learn.microsoft.com/graph/api/user-checkmembergroups).
Without its answer nobody enters. Where the chat's groups follow Entra's (`SYNC_GROUPS`), the userinfo endpoint tells
them: those of the token, or all of the account by Graph, which takes the same permission; a missing claim would
otherwise take whoever is in many groups out of every one of the chat's. Signatures are checked by Open WebUI; here
tokens come from Entra itself, by HTTPS.

Environment: `ENTRA_AUTHORITY` such as https://login.microsoftonline.com/<tenant>, `GRAPH_URL`, `TOKEN_FILE`, `PORT`;
`ACCESS_GROUP`, the group whose members are users (empty: the application roles in the token decide), and
`ADMINISTRATORS`, comma-separated object ids of people or groups; `SYNC_GROUPS`, `true` or empty.
"""

import base64
import hashlib
import http.server
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CONFIGURATION = "/.well-known/openid-configuration"
TOKEN = "/token"  # noqa: S105 (a path)
USERINFO = "/userinfo"
HEALTH = "/healthz"
TIMEOUT_S = 20
LARGEST_REQUEST = 65_536
MOST_IDS = 20
"""That Graph takes in one request."""
USER, ADMIN = "user", "admin"
ROLES_CLAIM, NAME_CLAIM, GROUPS_CLAIM = "platform_roles", "platform_name", "platform_groups"
"""Claims of the userinfo endpoint. Entra has none of them: Open WebUI asks there for what the token lacks."""
REMEMBERED_S = 300
"""How long a decision waits for Open WebUI to ask for it, which it does at once."""


class RefusedError(Exception):
    """No login, with an error of OAuth 2 (RFC 6749, 5.2) and a description that names nobody."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


def answer(request: urllib.request.Request | str) -> tuple[int, bytes]:
    """Return status and body of the answer, whatever it is; 502 when there is none."""
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 (Entra's or Graph's address)
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        _tell(str(error))
        return 502, b'{"error": "temporarily_unavailable", "error_description": "Entra did not answer"}'


@dataclass(frozen=True)
class Members:
    """Who may use the chat."""

    access_group: str
    """Empty where the application's roles decide, since Entra gives tokens to nobody without one."""
    administrators: frozenset[str]
    graph: str
    sync_groups: bool = False

    def role(self, tokens: dict[str, Any], claims: dict[str, Any]) -> str:
        """Return the role of whoever the tokens were given to. Raises RefusedError."""
        found = self._by_group(tokens, claims) if self.access_group else _by_role(claims)
        if found is None:
            what = "in the access group" if self.access_group else "assigned to a role of the application"
            raise RefusedError("access_denied", f"this account is not {what}")
        return found

    def _by_group(self, tokens: dict[str, Any], claims: dict[str, Any]) -> str | None:
        named = {str(claims.get("oid")).lower(), *(str(group).lower() for group in claims.get("groups") or ())}
        if not named & {self.access_group, *self.administrators}:
            # Too many groups for a token, or none that a token names.
            named |= self._asked(tokens, (self.access_group,))
            named |= self._asked(tokens, sorted(self.administrators))
        if named & self.administrators:
            return ADMIN
        return USER if self.access_group in named else None

    def groups(self, tokens: dict[str, Any], claims: dict[str, Any]) -> list[str]:
        """Return the groups that the chat's follow. Raises RefusedError where nobody can tell them all."""
        named = claims.get("groups")
        if isinstance(named, list):
            return [str(group).lower() for group in named]
        if "groups" not in (claims.get("_claim_names") or {}) and not claims.get("hasgroups"):
            return []
        if not self.access_group:
            # The token would name groups that are assigned to the application; Graph would tell all of the account.
            raise RefusedError("access_denied", "this account is in more groups of the application than a token names")
        status, body = answer(self._graph("getMemberGroups", {"securityEnabledOnly": True}, tokens))
        if status != 200:
            raise RefusedError("temporarily_unavailable", f"groups are unknown: Microsoft Graph answered {status}")
        return sorted(str(group).lower() for group in json.loads(body)["value"])

    def _graph(self, call: str, content: dict[str, Any], tokens: dict[str, Any]) -> urllib.request.Request:
        return urllib.request.Request(  # noqa: S310 (Graph's address)
            f"{self.graph}/me/{call}",
            data=json.dumps(content).encode(),
            headers={"Authorization": f"Bearer {tokens.get('access_token')}", "Content-Type": "application/json"},
        )

    def _asked(self, tokens: dict[str, Any], ids: Iterable[str]) -> set[str]:
        """Return those of the groups that the account of the tokens belongs to, also through other groups."""
        every = list(ids)
        parts = [every[start : start + MOST_IDS] for start in range(0, len(every), MOST_IDS)]
        return {group for part in parts for group in self._asked_once(tokens, part)}

    def _asked_once(self, tokens: dict[str, Any], ids: list[str]) -> set[str]:
        status, body = answer(self._graph("checkMemberGroups", {"groupIds": ids}, tokens))
        if status in {400, 404}:
            # Graph refuses a request as a whole, also for one id in it that is no group's.
            return {found for one in ids for found in self._asked_once(tokens, [one])} if len(ids) > 1 else set()
        if status != 200:
            hint = "; has the application the consent to User.Read?" if status in {401, 403} else ""
            raise RefusedError(
                "temporarily_unavailable", f"membership is unknown: Microsoft Graph answered {status}{hint}"
            )
        return {str(group).lower() for group in json.loads(body)["value"]} & set(ids)


def _by_role(claims: dict[str, Any]) -> str | None:
    roles = claims.get("roles") or ()
    return next((role for role in (ADMIN, USER) if role in roles), None)


@dataclass
class Decisions:
    """What the userinfo endpoint answers for the tokens of the last minutes."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    known: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)

    def keep(self, token: str, claims: dict[str, Any]) -> None:
        """Remember claims, and forget those whose time is over."""
        now = time.monotonic()
        with self.lock:
            self.known = {key: entry for key, entry in self.known.items() if entry[0] > now}
            self.known[_digest(token)] = (now + REMEMBERED_S, claims)

    def of(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that came through here."""
        with self.lock:
            end, claims = self.known.get(_digest(token), (0.0, {}))
        return claims if end > time.monotonic() else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def payload(token: str) -> dict[str, Any]:
    """Return the claims of a JSON web token. Raises ValueError for any other text."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(found, dict):
        raise ValueError("no claims")
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers Open WebUI's three questions."""

    authority = ""
    token_file = Path()
    members = Members("", frozenset(), "")
    decisions = Decisions()

    def do_GET(self) -> None:
        """Hand on Entra's configuration with the endpoints replaced, or tell what was decided for a token."""
        if self.path == HEALTH:
            return self._reply(200 if self.token_file.is_file() else 503, b"{}")
        if self.path == USERINFO:
            kind, _, token = self.headers.get("Authorization", "").partition(" ")
            claims = self.decisions.of(token) if kind.lower() == "bearer" else None
            return self._reply(401 if claims is None else 200, json.dumps(claims or {}).encode())
        if self.path != CONFIGURATION:
            return self._reply(404, b"{}")
        status, body = answer(f"{self.authority}/v2.0{CONFIGURATION}")
        if status == 200:
            host, port = self.server.server_address[:2]
            own = {"token_endpoint": TOKEN, "userinfo_endpoint": USERINFO}
            replaced = {name: f"http://{host!s}:{port}{path}" for name, path in own.items()}
            body = json.dumps(json.loads(body) | replaced).encode()
        return self._reply(status, body)

    def do_POST(self) -> None:
        """Hand on a token request with the proof of identity added, and its answer to members."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != TOKEN or not 0 < length <= LARGEST_REQUEST:
            return self._reply(400, b'{"error": "invalid_request"}')
        fields = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
        fields.pop("client_secret", None)
        # Kubernetes renews the file before the token in it ends.
        fields |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.token_file.read_text().strip()}
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(f"{self.authority}/oauth2/v2.0/token", data=body)  # noqa: S310
        status, body = answer(request)
        if status == 200:
            try:
                self._decide(body)
            except RefusedError as refusal:
                _tell(str(refusal))
                told = {"error": refusal.error, "error_description": str(refusal)}
                return self._reply(400, json.dumps(told).encode())
        return self._reply(status, body)

    def _decide(self, body: bytes) -> None:
        try:
            tokens = json.loads(body)
            claims = payload(tokens["id_token"])
        except (ValueError, KeyError, TypeError):
            raise RefusedError("server_error", "Entra answered without a readable token of identity") from None
        role = self.members.role(tokens, claims)
        name = claims.get("name") or claims.get("preferred_username")
        told: dict[str, Any] = {"sub": claims.get("sub"), NAME_CLAIM: name, ROLES_CLAIM: [role]}
        if self.members.sync_groups:
            told[GROUPS_CLAIM] = self.members.groups(tokens, claims)
        self.decisions.keep(str(tokens.get("access_token")), told)

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about requests: their bodies are credentials, and every login makes some."""


def _tell(text: str) -> None:
    print(f"entra_login: {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Serve until the pod ends."""
    administrators = os.environ["ADMINISTRATORS"].lower().split(",")
    Handler.authority = os.environ["ENTRA_AUTHORITY"].rstrip("/")
    Handler.token_file = Path(os.environ["TOKEN_FILE"])
    Handler.members = Members(
        os.environ["ACCESS_GROUP"].lower(),
        frozenset(filter(None, administrators)),
        os.environ["GRAPH_URL"].rstrip("/"),
        sync_groups=os.environ.get("SYNC_GROUPS") == "true",
    )
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
