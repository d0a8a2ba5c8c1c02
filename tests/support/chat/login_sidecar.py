"""The chat's sidecar as a process of its own, before an Entra and a Graph that a test plays."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stacks.platform.common.catalogue import HELM
from tests.support.patience import PATIENCE_S

SCRIPT = HELM / "open-webui" / "entra_login.py"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GROUP, OPERATORS, OTHER = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abc")
PERSON, CHIEF = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "de")
"""Somebody, and an operator who is named alone."""


@dataclass
class Entra:
    """A fake Entra, and Graph, that remembers what it is asked."""

    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    claims: dict[str, Any] = field(default_factory=lambda: {"oid": PERSON, "groups": [GROUP]})
    """In the token of identity."""
    identity: str | None = None
    """Sent in the place of a token with those claims."""
    member_of: set[str] = field(default_factory=set)
    """Groups that Graph knows of."""
    graph_status: int = 200
    no_groups: set[str] = field(default_factory=lambda: {CHIEF})
    """Ids for which Graph refuses a request."""
    graph_asked: list[list[str]] = field(default_factory=list)

    def tokens(self) -> dict[str, Any]:
        """Return what the token endpoint answers."""
        claims = {"sub": "pairwise", "name": "Mia", "preferred_username": "mia@example.com", **self.claims}
        token = f"{_part({'alg': 'RS256'})}.{_part(claims)}.signature"
        return {"access_token": "t", "id_token": token if self.identity is None else self.identity}

    def check_member_groups(self, authorization: str | None, ids: list[str]) -> tuple[int, dict[str, Any]]:
        """Answer as Graph does (https://learn.microsoft.com/graph/api/user-checkmembergroups)."""
        self.graph_asked.append(ids)
        if authorization != "Bearer t":
            return 401, {}
        if not 1 <= len(ids) <= 20 or self.no_groups & set(ids):
            return 400, {"error": {"code": "Request_BadRequest"}}
        return self.graph_status, {"value": [one for one in ids if one in self.member_of]}

    def get_member_groups(self, authorization: str | None, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer as Graph does (https://learn.microsoft.com/graph/api/directoryobject-getmembergroups)."""
        if authorization != "Bearer t" or asked != {"securityEnabledOnly": True}:
            return 401, {}
        return self.graph_status, {"value": sorted(self.member_of)}

    def configuration(self) -> dict[str, Any]:
        """Return what its discovery document says."""
        return {
            "issuer": f"{self.url}/v2.0",
            "token_endpoint": f"{self.url}/oauth2/v2.0/token",
            "authorization_endpoint": f"{self.url}/oauth2/v2.0/authorize",
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        }


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@dataclass
class Sidecar:
    """The running script."""

    url: str
    token: Path
    process: "subprocess.Popen[str]"

    def ask(self, path: str, fields: dict[str, str] | None = None, *, token: str = "") -> tuple[int, dict[str, Any]]:
        """Return status and content of an answer."""
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def running(entra: Entra, folder: Path, **variables: str) -> Iterator[Sidecar]:
    """Run the script before `entra`."""
    token = folder / "token"
    token.write_text("projected-token\n")
    port = _free_port()
    given = {"ENTRA_AUTHORITY": entra.url, "GRAPH_URL": f"{entra.url}/graph", "TOKEN_FILE": str(token)}
    process = subprocess.Popen(
        [sys.executable, "-IS", str(SCRIPT)],
        env=os.environ | given | {"PORT": str(port), **variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    found = Sidecar(url=f"http://127.0.0.1:{port}", token=token, process=process)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.01)
    try:
        yield found
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
