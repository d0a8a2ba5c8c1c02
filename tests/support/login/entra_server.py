"""An Entra on this machine, as far as a login goes: keys, tokens signed with them, and the exchange of a code."""

import base64
import hashlib
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.web_servers import QuietHandler, served


@dataclass
class Entra:
    """Issues tokens as `issuer`, at its own address."""

    issuer: str
    key: Path
    url: str = ""
    member_of: list[str] = field(default_factory=list)
    """Groups of whoever logs in."""
    exchanges: list[dict[str, str]] = field(default_factory=list)
    """Every form that was posted to exchange a code."""
    asked: dict[str, str] = field(default_factory=dict)
    """Query of the last page that a browser was sent to."""

    def token(self, audience: str, *, key: Path | None = None, **claims: Any) -> str:
        """Return a signed token, valid for an hour unless `claims` say otherwise."""
        now = int(time.time())
        body = {"iss": self.issuer, "aud": audience, "sub": "someone", "iat": now, "exp": now + 3600, **claims}
        signed = f"{_encoded({'alg': 'RS256', 'kid': 'one', 'typ': 'JWT'})}.{_encoded(body)}"
        command = ["openssl", "dgst", "-sha256", "-sign", str(key or self.key)]
        signature = subprocess.run(command, input=signed.encode(), capture_output=True, check=True).stdout
        return f"{signed}.{_base64(signature)}"

    def sent_to(self, location: str) -> str:
        """Note the page that a browser is sent to; return the state to come back with."""
        assert location.startswith(f"{self.url}/authorize?"), location
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return self.asked["state"]

    def addresses(self) -> dict[str, str]:
        """Return keys of oauth2-proxy's provider that lead here, though the issuer is elsewhere."""
        return {"loginURL": f"{self.url}/authorize", "redeemURL": f"{self.url}/token"}

    def without_discovery(self) -> dict[str, Any]:
        """Return keys of its OpenID configuration that do."""
        return {"skipDiscovery": True, "jwksURL": f"{self.url}/keys"}

    def keys(self) -> dict[str, Any]:
        """Return the public half of the key that tokens are signed with."""
        command = ["openssl", "rsa", "-in", str(self.key), "-modulus", "-noout"]
        modulus = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip().partition("=")[2]
        return {"keys": [{"kty": "RSA", "kid": "one", "use": "sig", "n": _base64(bytes.fromhex(modulus)), "e": "AQAB"}]}

    def exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer whoever renews a session, or brings a code and the proof that the login began with it."""
        self.exchanges.append(form)
        claims: dict[str, Any] = {"email": "someone@example.com", "groups": self.member_of}
        if form["grant_type"] == "authorization_code":
            proof = s256(form["code_verifier"])
            if proof != self.asked["code_challenge"] or "client_secret" in form:
                return 400, {"error": "invalid_grant"}
            claims |= {name: self.asked[name] for name in ("nonce",) if name in self.asked}
        identity = self.token(form["client_id"], **claims)
        tokens = {"access_token": "opaque", "id_token": identity, "refresh_token": "renew"}
        return 200, {**tokens, "token_type": "Bearer", "expires_in": 3600}


@contextmanager
def running_entra(folder: Path, issuer: str) -> Iterator[Entra]:
    """Serve an Entra on a free port."""
    entra = Entra(issuer, new_key(folder / "entra.pem"))

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.answer_json(200, entra.keys())

        def do_POST(self) -> None:
            form = parse_qs(self.body().decode())
            self.answer_json(*entra.exchange({name: values[0] for name, values in form.items()}))

    with served(Handler) as address:
        entra.url = f"http://{address}"
        yield entra


def new_key(path: Path) -> Path:
    """Make an RSA key; return its file."""
    subprocess.run(["openssl", "genrsa", "-out", str(path), "2048"], check=True, capture_output=True)
    return path


def s256(verifier: str) -> str:
    """Return the challenge to a verifier (RFC 7636)."""
    return _base64(hashlib.sha256(verifier.encode()).digest())


def _encoded(content: dict[str, Any]) -> str:
    return _base64(json.dumps(content).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
