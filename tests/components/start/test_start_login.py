"""The login before the start page, run: the real oauth2-proxy with the options that are deployed."""

import http.client
import shutil
from collections.abc import Iterator
from http.cookies import SimpleCookie

import pytest

from tests.support.start.login import GROUP, PROXY, Front, running_login
from tests.support.start.page import private

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(PROXY is None, reason="oauth2-proxy is not on PATH"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="tokens are signed with openssl"),
]

TO_LOGIN, REFUSED, SERVED = 302, 401, 200
COOKIE_BYTES = 4096
"""Most that every browser keeps of one cookie (RFC 6265)."""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with running_login(private(), tmp_path_factory.mktemp("login")) as found:
        yield found


def _ask(front: Front, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", front.port)
    given = {"Host": front.host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    connection.request("GET", path, headers=given | headers)
    return connection.getresponse()


def _logged_in(front: Front) -> tuple[int, str, SimpleCookie]:
    first = _ask(front, "/")
    state = front.entra.sent_to(first.headers["Location"])
    cookies = SimpleCookie(first.headers["Set-Cookie"])
    sent = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    back = _ask(front, f"/oauth2/callback?code=some&state={state}", Cookie=sent)
    session = SimpleCookie()
    for header in back.headers.get_all("Set-Cookie") or []:
        session.load(header)
    return back.status, "; ".join(f"{name}={it.value}" for name, it in session.items() if it.value), session


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", TO_LOGIN),
        ("/start.js", TO_LOGIN),
        ("/health/chat", REFUSED),
        ("/ca.crt", SERVED),
        ("/install-client.sh", SERVED),
        ("/install-client.ps1", SERVED),
        ("/install-client.sh/", TO_LOGIN),
        ("/caXcrt", TO_LOGIN),
        ("/anything/ca.crt", TO_LOGIN),
        ("/ping", SERVED),
    ],
)
def test_without_a_login_only_what_a_client_needs_before_it_is_served(front: Front, path: str, status: int) -> None:
    front.seen.clear()
    answer = _ask(front, path)
    assert answer.status == status
    if status == TO_LOGIN:
        front.entra.sent_to(answer.headers["Location"])
        assert front.entra.asked["redirect_uri"] == "https://start.llm.internal/oauth2/callback"
        assert front.seen == []


def test_a_member_sees_the_page_and_the_page_learns_nothing_of_them(front: Front) -> None:
    front.entra.member_of = [GROUP]
    status, sent, _ = _logged_in(front)
    assert status == TO_LOGIN
    front.seen.clear()
    answer = _ask(front, "/", Cookie=sent, Authorization="Bearer mine", **{"X-Forwarded-Email": "a@example.com"})
    assert (answer.status, answer.read()) == (SERVED, b"page")
    ((_, headers),) = front.seen
    assert not {name for name in headers if name.lower() == "authorization" or "forwarded-email" in name.lower()}


def test_whoever_is_in_no_access_group_is_refused_after_the_login(front: Front) -> None:
    front.entra.member_of = ["other"]
    status, sent, _ = _logged_in(front)
    assert status == 403
    assert _ask(front, "/", Cookie=sent).status == TO_LOGIN


def test_a_session_with_two_hundred_groups_is_in_cookies_of_this_host_alone(front: Front) -> None:
    """Entra names no more of them in a token; nothing but the cookies keeps a session."""
    front.entra.member_of = [GROUP, *(f"11111111-2222-3333-4444-{number:012}" for number in range(199))]
    _, sent, session = _logged_in(front)
    kept = {name: morsel for name, morsel in session.items() if morsel.value}
    assert kept
    for name, morsel in kept.items():
        assert name.startswith("__Host-start")
        assert len(name) + len(morsel.value) <= COOKIE_BYTES
        assert (bool(morsel["secure"]), bool(morsel["httponly"]), morsel["path"]) == (True, True, "/")
        assert morsel["samesite"].lower() == "lax"
        assert not morsel["domain"]
    assert _ask(front, "/", Cookie=sent).status == SERVED
