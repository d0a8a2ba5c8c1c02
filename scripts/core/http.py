"""Requests to web servers that answer a person's or an SDK's question; redirects are reported, not followed.

httpx sends them. Own here are only what it has no call for: the certificate of a server that nobody trusts yet.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

_TIMEOUT_S = 15.0

Resolver = Callable[[str], set[str]]
"""Gives the IPv4 addresses of a host name, none where there is no such name."""


@dataclass(frozen=True)
class Answer:
    """A server's answer."""

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
    return _ask("GET", url, headers=headers, context=context, timeout_s=timeout_s)


def send_json(
    url: str,
    content: Any,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> Answer:
    """Return the answer to `content`, sent as JSON. Raises NoAnswerError when there is none."""
    return _ask(method, url, headers=headers, content=content, timeout_s=timeout_s)


def _ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None,
    timeout_s: float,
    content: Any = None,
    context: ssl.SSLContext | None = None,
) -> Answer:
    # The machine's own authorities, which take a twentieth of a second to read, where there is a certificate to check.
    secure = url.startswith("https:")
    tls = context or (ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    try:
        # Not through a proxy: the environment's own addresses are asked, and forwarded ports of this machine.
        with httpx.Client(verify=tls, timeout=timeout_s, trust_env=False) as client:
            answer = client.request(method, url, json=content, headers={"User-Agent": "llmctl", **(headers or {})})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _no_answer(cause_of(error)) from None
    found = dict(answer.headers)
    return Answer(answer.status_code, found.get("location", ""), answer.content, found)


def _no_answer(error: BaseException) -> NoAnswerError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return NoAnswerError(f"certificate: {error.verify_message}")
    return NoAnswerError(f"{type(error).__name__}: {error}")


def cause_of(error: BaseException) -> BaseException:
    """Return what httpx and httpcore wrapped: the operating system's or OpenSSL's own error, else `error`."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, OSError):
        inner = inner.__cause__ or inner.__context__
    return inner or error


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
        raise _no_answer(error) from None
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
    except OSError as error:
        raise _no_answer(error) from None
    parts: Any = found.get("issuer", ())
    return next((str(value) for part in parts for name, value in part if name == "commonName"), "")
