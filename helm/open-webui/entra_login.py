"""Lets Open WebUI log people in with Entra without a client secret.

Open WebUI can only present a secret or nothing to the token endpoint. This process runs beside it, is reachable from
within the pod alone, and serves Entra's OpenID configuration with its own token endpoint in it. A token request that
arrives there goes on to Entra with the pod's service account token as proof of identity (RFC 7523), which Entra trusts
by a federated credential: https://learn.microsoft.com/entra/workload-id/workload-identity-federation. Everything else,
also the check of signatures, stays between Open WebUI, the browser and Entra.

Environment: `ENTRA_AUTHORITY` such as https://login.microsoftonline.com/<tenant>, `TOKEN_FILE`, `PORT`.
"""

import http.server
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CONFIGURATION = "/.well-known/openid-configuration"
TOKEN = "/token"  # noqa: S105 (a path)
HEALTH = "/healthz"
TIMEOUT_S = 20
LARGEST_REQUEST = 65_536


def answer(request: urllib.request.Request | str) -> tuple[int, bytes]:
    """Return status and body of Entra's answer, whatever it is; 502 when there is none."""
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 (Entra's address)
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        print(f"entra_login: {error}", file=sys.stderr, flush=True)
        return 502, b'{"error": "temporarily_unavailable", "error_description": "Entra did not answer"}'


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers Open WebUI's two questions."""

    authority = ""
    token_file = Path()

    def do_GET(self) -> None:
        """Hand on Entra's configuration with the token endpoint replaced."""
        if self.path == HEALTH:
            return self._reply(200 if self.token_file.is_file() else 503, b"{}")
        if self.path != CONFIGURATION:
            return self._reply(404, b"{}")
        status, body = answer(f"{self.authority}/v2.0{CONFIGURATION}")
        if status == 200:
            host, port = self.server.server_address[:2]
            body = json.dumps(json.loads(body) | {"token_endpoint": f"http://{host}:{port}{TOKEN}"}).encode()
        return self._reply(status, body)

    def do_POST(self) -> None:
        """Hand on a token request with the proof of identity added."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != TOKEN or not 0 < length <= LARGEST_REQUEST:
            return self._reply(400, b'{"error": "invalid_request"}')
        fields = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
        fields.pop("client_secret", None)
        # Kubernetes renews the file before the token in it ends.
        fields |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.token_file.read_text().strip()}
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(f"{self.authority}/oauth2/v2.0/token", data=body)  # noqa: S310
        return self._reply(*answer(request))

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about requests: their bodies are credentials, and every login makes some."""


def main() -> None:
    """Serve until the pod ends."""
    Handler.authority = os.environ["ENTRA_AUTHORITY"].rstrip("/")
    Handler.token_file = Path(os.environ["TOKEN_FILE"])
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
