"""Questions to public web servers, through this machine's proxy where it has one."""

import httpx

from scripts.core.http import cause_of

from ..findings import NotCheckedError

_TIMEOUT_S = 15.0


class Web:
    """Asks; tests hand over a client that leads to their own server."""

    def __init__(self, client: httpx.Client | None = None) -> None:
        self._client = client or httpx.Client(timeout=_TIMEOUT_S, headers={"User-Agent": "llmctl"})

    def ask(self, url: str, *, method: str = "GET", token: str = "", accept: str = "*/*") -> httpx.Response:
        """Return the answer, whatever its status. Raises NotCheckedError, with the host, without one."""
        headers = {"Accept": accept, **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            return self._client.request(method, url, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            cause = cause_of(error)
            raise NotCheckedError(f"{httpx.URL(url).host} gives no answer ({type(cause).__name__}: {cause})") from None
