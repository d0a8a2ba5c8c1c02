"""Questions to web servers, asked the way a browser or an SDK would, without following redirects."""

import json
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_S = 15.0
_MOST_BYTES = 1_000_000

Resolver = Callable[[str], set[str]]
"""Gives the IPv4 addresses of a host name, none where there is no such name."""


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    location: str
    """Where a redirect points, empty without one."""
    body: bytes
    headers: Mapping[str, str]
    """By name in lower case."""


class NoAnswerError(Exception):
    """The server could not be asked; the text says why, in a few words."""


def get(
    url: str,
    *,
    context: ssl.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> Answer:
    """Return the answer to a GET. Raises NoAnswerError when there is none, an untrusted certificate included."""
    return _ask("GET", url, None, headers or {}, context=context, timeout_s=timeout_s)


def send_json(
    url: str,
    content: Any,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> Answer:
    """Return the answer to `content`, sent as JSON. Raises NoAnswerError when there is none."""
    given = {"Content-Type": "application/json", **(headers or {})}
    return _ask(method, url, json.dumps(content).encode(), given, context=None, timeout_s=timeout_s)


def _ask(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    context: ssl.SSLContext | None,
    timeout_s: float,
) -> Answer:
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: HTTPConnection
    if parts.scheme == "https":
        connection = HTTPSConnection(host, parts.port, timeout=timeout_s, context=context)
    else:
        connection = HTTPConnection(host, parts.port, timeout=timeout_s)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body=body, headers={"User-Agent": "llmctl", **headers})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found.get("location", ""), answer.read(_MOST_BYTES), found)
    except ssl.SSLCertVerificationError as error:
        raise NoAnswerError(f"certificate: {error.verify_message}") from None
    except (OSError, HTTPException) as error:
        raise NoAnswerError(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()


def resolve(host: str) -> set[str]:
    """Return the IPv4 addresses that this machine's resolver gives for `host`."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, 443, socket.AF_INET, socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()


def served_certificate(host: str, port: int = 443, timeout_s: float = _TIMEOUT_S) -> bytes:
    """Return the certificate (DER) that is served for `host`, trusted or not. Raises NoAnswerError."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as tls,
        ):
            found = tls.getpeercert(binary_form=True)
    except OSError as error:
        raise NoAnswerError(f"{type(error).__name__}: {error}") from None
    if not found:
        raise NoAnswerError("no certificate is served")
    return found


def trusting(certificate: bytes) -> ssl.SSLContext:
    """Return a context that accepts this one certificate, for its own names and while it is valid.

    For certificates of Let's Encrypt's staging authority, which nothing trusts.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    return context


def issuer_of(host: str, port: int, context: ssl.SSLContext, timeout_s: float = _TIMEOUT_S) -> str:
    """Return the common name of who issued the certificate that `context` accepts for `host`. Raises NoAnswerError."""
    try:
        with (
            socket.create_connection((host, port), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as tls,
        ):
            found = tls.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        raise NoAnswerError(f"certificate: {error.verify_message}") from None
    except OSError as error:
        raise NoAnswerError(f"{type(error).__name__}: {error}") from None
    parts: Any = found.get("issuer", ())
    return next((str(value) for part in parts for name, value in part if name == "commonName"), "")
