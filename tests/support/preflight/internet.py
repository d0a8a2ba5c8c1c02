"""Public web servers on this machine: requests keep their host names and arrive here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from scripts.preflight.internet.web import Web
from tests.support.web_servers import QuietHandler, Reply, served

Answering = Callable[[str, str, dict[str, str]], Reply]
"""From host, path and headers to the reply."""


class _ToHere(httpx.BaseTransport):
    def __init__(self, address: str) -> None:
        self._host, _, port = address.partition(":")
        self._port = int(port)
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request here instead, under its own host name."""
        url = request.url.copy_with(scheme="http", host=self._host, port=self._port)
        here = httpx.Request(request.method, url, headers=request.headers, content=request.read())
        return self._inner.handle_request(here)


@contextmanager
def internet(answer: Answering) -> Iterator[Web]:
    """Serve every public host; gives over what asks them."""

    class Handler(QuietHandler):
        def _serve(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, body = answer(headers.get("host", ""), self.path, headers)
            self.answer(status, body, more)

        do_GET = do_HEAD = _serve

    with served(Handler) as address, httpx.Client(transport=_ToHere(address)) as client:
        yield Web(client)
