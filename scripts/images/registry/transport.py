"""httpx for registries: what it leaves to its callers, which is when to repeat a request and how to name a failure.

httpx keeps the connections, goes through proxies, follows redirects without the login of another host. Its own retries
cover connecting only; registries also break off answers and ask for patience (429, 503).
"""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from socket import gaierror

import httpx

from scripts.core.http import cause_of
from scripts.images.errors import UnreachableError

TIMEOUT_S = 60
ATTEMPTS = 4
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_TRANSIENT = frozenset({429, 500, 502, 503, 504})
_HOPELESS = (ConnectionRefusedError, ssl.SSLError, gaierror)


class Transport:
    """Sends the requests of one registry; safe for threads."""

    def __init__(self, base: str, pause: Callable[[float], object] = time.sleep) -> None:
        self._base = base
        self._pause = pause

    @cached_property
    def _client(self) -> httpx.Client:
        # This machine's own authorities, as container tools take them; none to read where there is no TLS.
        secure = self._base.startswith("https:")
        tls = ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        headers = {"User-Agent": "llmctl", "Accept-Encoding": "identity"}
        return httpx.Client(base_url=self._base, verify=tls, timeout=TIMEOUT_S, headers=headers)

    def send(
        self,
        method: str,
        url: str,
        auth: httpx.Auth,
        *,
        headers: dict[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
        stream: bool = False,
    ) -> httpx.Response:
        """Send one request; answers of every status are returned, with `stream` before their body is read.

        Repeats it after a broken connection or a transient status unless its body is a stream.
        Raises UnreachableError.
        """
        request = self._client.build_request(method, url, headers=headers, content=content)
        attempts = ATTEMPTS if content is None or isinstance(content, bytes) else 1
        for attempt in range(1, attempts + 1):
            wait_s = min(_FIRST_PAUSE_S * 2 ** (attempt - 1), _LONGEST_PAUSE_S)
            try:
                with reaching(request.url):
                    answer = self._client.send(
                        request, auth=auth, stream=stream, follow_redirects=method in {"GET", "HEAD"}
                    )
            except UnreachableError as error:
                if attempt == attempts or isinstance(error.__cause__, _HOPELESS):
                    raise
            else:
                if answer.status_code not in _TRANSIENT or attempt == attempts:
                    return answer
                answer.close()
                asked = answer.headers.get("Retry-After", "")
                wait_s = min(float(asked), _LONGEST_PAUSE_S) if asked.isdigit() else wait_s
            self._pause(wait_s)
        raise AssertionError("unreachable: the last attempt returns or raises")


@contextmanager
def reaching(url: httpx.URL) -> Iterator[None]:
    """Within, a request that gets no answer, or only half of one, raises UnreachableError, from what caused it."""
    try:
        yield
    except httpx.TransportError as error:
        cause = cause_of(error)
        # Texts of exceptions may quote URLs with signatures, so they stay out.
        raise UnreachableError(url.netloc.decode(), _reason(cause)) from cause


def _reason(cause: BaseException) -> str:
    if isinstance(cause, TimeoutError | httpx.TimeoutException):
        return f"no answer within {TIMEOUT_S} s"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return "the connection was broken off"
