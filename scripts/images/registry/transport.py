"""HTTP to one host: connections kept open per thread, proxies, retries of what may be repeated."""

import http.client
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from scripts.images.errors import UnreachableError

TIMEOUT_S = 60
ATTEMPTS = 4
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_TRANSIENT = frozenset({429, 500, 502, 503, 504})
_BLOCK = 1 << 20


class Readable(Protocol):
    """What an upload reads from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `stream` is set when the body was asked for as a stream, else `body` holds it."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes = b""
    stream: http.client.HTTPResponse | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme and host of a server."""

    scheme: str
    host: str

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Return the origin of a URL."""
        parts = urlsplit(url)
        return cls(parts.scheme, parts.netloc)


class Transport:
    """Sends requests; one open connection for each thread and server."""

    def __init__(self, pause: Callable[[float], object] = time.sleep) -> None:
        self._pause = pause
        self._local = threading.local()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        body: bytes | Readable | None = None,
        stream: bool = False,
    ) -> Answer:
        """Send one request; answers of every status are returned.

        Repeats it after a broken connection or a transient status unless its body is a stream.
        Raises UnreachableError.
        """
        attempts = ATTEMPTS if body is None or isinstance(body, bytes) else 1
        for attempt in range(1, attempts + 1):
            wait_s = min(_FIRST_PAUSE_S * 2 ** (attempt - 1), _LONGEST_PAUSE_S)
            try:
                answer = self._once(method, url, headers, body, stream)
            except (OSError, http.client.HTTPException) as error:
                self._forget(Origin.of(url))
                if attempt == attempts or isinstance(error, ConnectionRefusedError | ssl.SSLError | socket.gaierror):
                    raise UnreachableError(Origin.of(url).host, _reason(error)) from None
            else:
                if answer.status not in _TRANSIENT or attempt == attempts:
                    return answer
                asked = answer.headers.get("Retry-After", "")
                wait_s = min(float(asked), _LONGEST_PAUSE_S) if asked.isdigit() else wait_s
            self._pause(wait_s)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | Readable | None, stream: bool
    ) -> Answer:
        origin, parts = Origin.of(url), urlsplit(url)
        connection = self._connection(origin)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        if stream and response.status == http.HTTPStatus.OK:
            # Its body is read by the caller; the next request of this thread gets a connection of its own.
            self._connections().pop(origin, None)
            return Answer(response.status, response.headers, stream=response)
        answer = Answer(response.status, response.headers, response.read())
        if response.will_close:
            self._forget(origin)
        return answer

    def _connections(self) -> dict[Origin, http.client.HTTPConnection]:
        found: dict[Origin, http.client.HTTPConnection] | None = getattr(self._local, "connections", None)
        if found is None:
            found = self._local.connections = {}
        return found

    def _connection(self, origin: Origin) -> http.client.HTTPConnection:
        connections = self._connections()
        if origin not in connections:
            connections[origin] = _connect(origin)
        return connections[origin]

    def _forget(self, origin: Origin) -> None:
        connection = self._connections().pop(origin, None)
        if connection:
            connection.close()


def _connect(origin: Origin) -> http.client.HTTPConnection:
    if origin.scheme == "http":
        return http.client.HTTPConnection(origin.host, timeout=TIMEOUT_S, blocksize=_BLOCK)
    context = ssl.create_default_context()
    proxy = urllib.request.getproxies().get("https")
    if not proxy or urllib.request.proxy_bypass(origin.host.partition(":")[0]):
        return http.client.HTTPSConnection(origin.host, timeout=TIMEOUT_S, context=context, blocksize=_BLOCK)
    host = urlsplit(proxy if "//" in proxy else f"//{proxy}").netloc.rpartition("@")[2]
    connection = http.client.HTTPSConnection(host, timeout=TIMEOUT_S, context=context, blocksize=_BLOCK)
    connection.set_tunnel(origin.host)
    return connection


def _reason(error: Exception) -> str:
    """Return the kind of failure in words; texts of exceptions may quote URLs with signatures, so they stay out."""
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_S} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the connection was broken off"
