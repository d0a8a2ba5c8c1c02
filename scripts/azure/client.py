"""Asks Azure through the pipeline of Microsoft's own library: login, retries, Retry-After, pages.

Each question is sent once for everybody who asks it. Why there is no package per service:
docs/explanation/decisions/0050-azure-is-asked-by-one-client.md.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    RetryPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from pydantic import TypeAdapter, ValidationError

from .errors import NoLoginError, UnavailableError
from .login import Login
from .operations import Operation
from .refusals import refusal
from .shape import Shape

RESOURCE_MANAGER = "https://management.azure.com"
GRAPH = "https://graph.microsoft.com/v1.0"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
LONGEST_WAIT_S = 20.0
"""Longest wait that a server may ask for; where it asks for more, there is no answer."""
_MOST_PAGES = 100

Shaped = TypeVar("Shaped")
Item = TypeVar("Item")


class _Page(Shape, Generic[Item]):
    value: list[Item] = []
    next_link: str | None = None


class _Patience(RetryPolicy[Any, Any]):
    """Tries again as Azure asks, but not where it asks for longer than anybody waits."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        if (self.get_retry_after(response) or 0) > LONGEST_WAIT_S:
            return False
        return bool(super().is_retry(settings, response))


class _Transport(RequestsTransport):  # type: ignore[misc]  # the library gives it by a function
    def __init__(self, wait: Callable[[float], None], **options: Any) -> None:
        super().__init__(**options)
        self._wait = wait

    def sleep(self, duration: float) -> None:
        self._wait(duration)


class Azure:
    """One of Azure's APIs, asked with one login. Safe to use from threads."""

    def __init__(
        self,
        login: Login,
        subscription: str,
        *,
        url: str = RESOURCE_MANAGER,
        scope: str = f"{RESOURCE_MANAGER}/.default",
        wait: Callable[[float], None] = time.sleep,
        read_timeout_s: float = 30,
    ) -> None:
        """Ask at `url`; `wait` passes the time between two tries."""
        self.login = login
        self.scope = scope
        self.subscription = subscription
        self._url = url
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            url,
            policies=[
                UserAgentPolicy("llmctl"),
                _Patience(retry_total=3, retry_backoff_factor=0.8, retry_backoff_max=8),
                BearerTokenCredentialPolicy(login, scope),
            ],
            transport=_Transport(wait, connection_timeout=10, read_timeout=read_timeout_s),
        )
        self._lock = threading.Lock()
        self._answers: dict[str, Future[bytes]] = {}

    def ask(self, operation: Operation, shape: type[Shaped], *, content: Any = None, **places: str) -> Shaped:
        """Return the answer. Raises AnswerError: NoLoginError, DeniedError, MissingError or UnavailableError."""
        return _shaped(self._once(self._request(operation, content, places)), shape)

    def ask_all(self, operation: Operation, item: type[Item], **places: str) -> list[Item]:
        """Return the items of all pages. Raises AnswerError."""
        request, found = self._request(operation, None, places), []
        for _ in range(_MOST_PAGES):
            page = _shaped(self._once(request), _Page[item])  # type: ignore[valid-type]
            found += page.value
            if not page.next_link:
                return found
            if urlsplit(page.next_link).netloc != urlsplit(self._url).netloc:
                raise UnavailableError("Azure's list goes on at another host, which gets no login")
            request = HttpRequest("GET", page.next_link)
        raise UnavailableError(f"Azure's list has more than {_MOST_PAGES} pages")

    def _request(self, operation: Operation, content: Any, places: dict[str, str]) -> HttpRequest:
        filled = {"subscription": self.subscription, **places}
        path = operation.path.format(**{name: quote(value) for name, value in filled.items()})
        parameters = {"api-version": operation.version} if operation.version else {}
        if operation.filter:
            parameters["$filter"] = operation.filter.format(**filled)
        return HttpRequest(operation.method, f"{self._url}{path}", params=parameters, json=content)

    def _once(self, request: HttpRequest) -> bytes:
        key = f"{request.method} {request.url} {request.content!r}"
        with self._lock:
            known = self._answers.get(key)
            if known is None:
                mine = self._answers[key] = Future()
        if known is None:
            try:
                mine.set_result(self._send(request))
            except BaseException as error:
                mine.set_exception(error)
                raise
            return mine.result()
        return known.result()

    def _send(self, request: HttpRequest) -> bytes:
        try:
            answer = self._client.send_request(request, enforce_https=self._url.startswith("https:"))
            body = bytes(answer.content)
        except NoLoginError:
            raise
        except AzureError as error:
            raise UnavailableError(f"Azure gave no answer: {_first_line(error)}") from None
        if answer.status_code == HTTPStatus.OK:
            return body
        raise refusal(answer.status_code, body, answer.headers.get("Retry-After", ""))


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]


def _shaped(body: bytes, shape: type[Shaped]) -> Shaped:
    try:
        return TypeAdapter(shape).validate_json(body)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "it is no JSON"
        raise UnavailableError(f"Azure's answer is of another shape ({where})") from None
