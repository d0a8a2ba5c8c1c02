"""Entra's token endpoint and a Key Vault by HTTPS, for an identity that is known by its federated credential alone."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.web_servers import QuietHandler, authority, certificate_for, port_of, served

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "77777777-8888-4999-aaaa-bbbbbbbbbbbb"
ASSERTION = ".".join(("header", "claims_of-the-account", "signature-_"))
"""A token of the service account: of the letters that a JSON web token has."""
FORM = {
    "grant_type": "client_credentials",
    "client_id": CLIENT,
    "scope": "https://vault.azure.net/.default",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": ASSERTION,
}
"""What Entra wants of a managed identity that a service account's token stands for."""


@dataclass
class KeyVault:
    """A vault whose identity has a role on some of its secrets."""

    url: str
    trusted: Path
    """Certificate of the authority of both."""
    token_file: Path
    readable: Mapping[str, str]
    """Secrets that the identity may read, with their values."""
    refusals: int = 0
    """How often the vault still refuses: a new role takes minutes to reach it."""
    tokens: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Return what differs from a Job's variables: addresses of this machine, and no pauses."""
        return {
            "AUTHORITY": f"{self.url}/{TENANT}",
            "CLIENT_ID": CLIENT,
            "VAULT": f"{self.url}/",
            "TOKEN_FILE": str(self.token_file),
            "PAUSE": "0",
            "CURL_CA_BUNDLE": str(self.trusted),
        }

    def exchange(self, path: str, body: str) -> tuple[int, dict[str, object]]:
        """Answer at Entra's token endpoint."""
        form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
        if path != f"/{TENANT}/oauth2/v2.0/token" or form != FORM:
            return 401, {"error": "invalid_client", "error_description": "AADSTS700213: no matching credential"}
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        return 200, {"token_type": "Bearer", "expires_in": 86399, "ext_expires_in": 86399, "access_token": token}

    def read(self, target: str, authorization: str) -> tuple[int, dict[str, object]]:
        """Answer as the vault does."""
        address = urlsplit(target)
        name = address.path.removeprefix("/secrets/")
        if authorization.removeprefix("Bearer ") not in self.tokens or address.query != "api-version=7.4":
            return 401, {"error": {"code": "Unauthorized", "message": "AKV10000"}}
        if self.refusals or name not in self.readable:
            self.refusals = max(0, self.refusals - 1)
            return 403, {"error": {"code": "Forbidden", "message": "Caller is not authorized to perform action"}}
        return 200, {
            "value": self.readable[name],
            "contentType": "text/plain",
            "id": f"{self.url}/secrets/{name}/0123456789abcdef0123456789abcdef",
            "attributes": {"enabled": True, "created": 1, "updated": 1, "recoveryLevel": "Recoverable"},
            "tags": {"environment": "dev"},
        }


@contextmanager
def running_vault(folder: Path, readable: Mapping[str, str], *, encrypted: bool = True) -> Iterator[KeyVault]:
    """Serve both on a free port of this machine, as `localhost`; `folder` gets the certificates and the token."""
    trust = authority(folder, "vault-authority")
    context = certificate_for(folder, trust, "localhost")
    (folder / "token").write_text(ASSERTION)
    vault = KeyVault("", trust[0], folder / "token", readable)

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            vault.asked.append(self.path)
            self.answer_json(*vault.read(self.path, self.headers.get("Authorization", "")))

        def do_POST(self) -> None:
            vault.asked.append(self.path)
            self.answer_json(*vault.exchange(self.path, self.body().decode()))

    with served(Handler, tls=context if encrypted else None) as address:
        vault.url = f"http{'s' if encrypted else ''}://localhost:{port_of(address)}"
        yield vault
