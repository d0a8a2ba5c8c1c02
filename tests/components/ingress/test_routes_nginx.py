"""What reaches the applications through the real NGINX, with the configuration that is deployed: allowed routes alone.

Every host is asked on both ports, with paths that programs read differently, methods, changes of protocol, and headers
that claim an identity or another path.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from scripts.lab.routes.tables import PROGRAMS, read, samples
from stacks.common.request_headers import REFUSED_HEADERS
from stacks.platform.common.ingress_annotations import Exposure
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings
from tests.support.ingress.controller import http_block
from tests.support.ingress.nginx import NGINX, free_port, running_nginx
from tests.support.ingress.recorder import Recorder, recorder
from tests.support.ingress.requests import ask, plain
from tests.support.ingress.route_corpus import LISTED, OF_ANOTHER_VERSION, PROBES, REACHED, REFUSED, TRICKS, written
from tests.support.web_servers import authority, certificate_for

pytestmark = [pytest.mark.programs, pytest.mark.skipif(NGINX is None, reason="nginx is not on PATH")]

SETTINGS = load_settings("dev")
DOMAIN = SETTINGS.domain


@dataclass(frozen=True)
class Ingress:
    """The ingress, and what arrives behind it."""

    http: int
    https: int
    upstream: Recorder

    def arrived(self, request: bytes, *, tls: bool = True) -> bool:
        """Send a request; return whether an application saw it."""
        self.upstream.heads.clear()
        status = ask(self.https if tls else self.http, request, tls=tls)
        seen = bool(self.upstream.heads)
        # Refused as unknown, redirected, or as no request at all; never as an error of the ingress.
        assert seen or status in {0, 301, 400, 404, 405, 413, 421, 501}, status
        return seen


@pytest.fixture(scope="module", name="ingress")
def _ingress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingress]:
    folder = tmp_path_factory.mktemp("ingress")
    hosts = enabled_components(SETTINGS).host_names()
    assert sorted(hosts) == [f"{label}.{DOMAIN}" for label in sorted(PROBES)]
    certificate_for(folder, authority(folder, "trust"), *hosts)
    certificate = (folder / f"{hosts[0]}.pem", folder / f"{hosts[0]}.key")
    http, https = free_port(), free_port()
    with recorder() as upstream:
        pods = [f"127.0.0.1:{upstream.port}"]
        exposed = {host: (Exposure(service="application", health_path="/"), pods) for host in hosts}
        text = http_block(SETTINGS, exposed, (f"127.0.0.1:{http}", f"127.0.0.1:{https} ssl"), certificate)
        with running_nginx(folder, https, text):
            yield Ingress(http, https, upstream)


@pytest.mark.parametrize(("label", "method", "path"), REACHED)
def test_what_people_and_programs_ask_for_is_reached(ingress: Ingress, label: str, method: str, path: str) -> None:
    assert ingress.arrived(plain(method, path, f"{label}.{DOMAIN}"))
    assert ingress.upstream.targets() == [f"{method} {path}"]


@pytest.mark.parametrize(("label", "method", "path"), REFUSED)
def test_what_administers_is_not_reached(ingress: Ingress, label: str, method: str, path: str) -> None:
    assert not ingress.arrived(plain(method, path, f"{label}.{DOMAIN}"))


@pytest.mark.parametrize(("label", "method", "path", "reached"), OF_ANOTHER_VERSION)
def test_a_route_or_method_of_another_version_is_not_let_through(
    ingress: Ingress, label: str, method: str, path: str, reached: bool
) -> None:
    assert ingress.arrived(plain(method, path, f"{label}.{DOMAIN}")) == reached
    routes = enabled_components(SETTINGS).routes()[f"{label}.{DOMAIN}"]
    assert routes.answers(method, path) == reached


@pytest.mark.parametrize("name", LISTED)
def test_every_route_of_a_pinned_program_is_reached_by_its_method(ingress: Ingress, name: str) -> None:
    program, (label, entries) = PROGRAMS[name], LISTED[name]
    refused = [
        f"{method} {sample}"
        for (method, path), entry in read(program)[1].items()
        if entry in entries
        for sample in samples(program.prefix + path)
        if not ingress.arrived(plain(method, sample, f"{label}.{DOMAIN}"))
    ]
    assert refused == []


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
@pytest.mark.parametrize("label", PROBES)
@pytest.mark.parametrize("trick", TRICKS)
def test_no_way_of_writing_a_path_reaches_more(ingress: Ingress, label: str, trick: str, tls: bool) -> None:
    host = f"{label}.{DOMAIN}"
    target = written(trick, label, host)
    for method in ("GET", "POST"):
        assert not ingress.arrived(plain(method, target, host), tls=tls), ingress.upstream.targets()


@pytest.mark.parametrize("label", PROBES)
def test_plain_http_reaches_no_application_but_for_challenges(ingress: Ingress, label: str) -> None:
    host = f"{label}.{DOMAIN}"
    challenge = "/.well-known/acme-challenge/a-Token_1"
    assert not ingress.arrived(plain("GET", PROBES[label][0], host), tls=False)
    assert ingress.arrived(plain("GET", challenge, host), tls=False)
    for request in (
        plain("POST", challenge, host, body=b"{}"),
        plain("GET", challenge, host, "Upgrade: websocket", "Connection: Upgrade"),
        plain("GET", f"{challenge}/..{PROBES[label][1]}", host),
        plain("GET", challenge, host, f"X-Original-URL: {PROBES[label][1]}").replace(b"GET /.well", b"PUT /.well"),
    ):
        assert not ingress.arrived(request, tls=False)


@pytest.mark.parametrize("label", PROBES)
@pytest.mark.parametrize(
    "method",
    ["TRACE", "CONNECT", "TRACK", "PROPFIND", "MKCOL", "SEARCH", "LINK", "PURGE", "DEBUG", "get", "GETX", "WEBSOCKET"],
)
def test_no_other_method_is_passed_on(ingress: Ingress, label: str, method: str) -> None:
    for path in PROBES[label]:
        assert not ingress.arrived(plain(method, path, f"{label}.{DOMAIN}"))


@pytest.mark.parametrize("label", PROBES)
@pytest.mark.parametrize("protocol", ["h2c", "h2c, websocket", "TLS/1.0", "websocket, h2c", "spdy/3"])
def test_no_other_protocol_is_changed_to(ingress: Ingress, label: str, protocol: str) -> None:
    headers = (f"Upgrade: {protocol}", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__")
    assert not ingress.arrived(plain("GET", PROBES[label][0], f"{label}.{DOMAIN}", *headers))


@pytest.mark.parametrize(
    ("label", "path", "reached"),
    [
        ("chat", "/ws/socket.io/?EIO=4&transport=websocket", True),
        ("grafana", "/api/live/ws", True),
        ("chat", "/api/v1/chats/", False),
        ("chat", "/api/v1/terminals/one/api/terminals/two", False),
        ("chat", "/api/v1/audio/realtime", False),
        ("opik", "/api/v1/private/projects", False),
        ("opik", "/", False),
        ("api", "/v1/realtime", False),
        ("api", "/v1/responses", False),
    ],
)
def test_web_sockets_are_opened_where_the_pages_need_one(
    ingress: Ingress, label: str, path: str, reached: bool
) -> None:
    for protocol in ("websocket", "WebSocket"):
        request = plain("GET", path, f"{label}.{DOMAIN}", f"Upgrade: {protocol}", "Connection: Upgrade")
        assert ingress.arrived(request) == reached
        if reached:
            assert ("upgrade", protocol) in ingress.upstream.headers()


@pytest.mark.parametrize("label", PROBES)
def test_no_claimed_identity_or_path_is_passed_on(ingress: Ingress, label: str) -> None:
    allowed, refused = PROBES[label]
    forged = [f"{name}: forged {refused}" for name in REFUSED_HEADERS]
    # Names with underscores, and cases: what some programs take for the same.
    forged += [f"{name.replace('-', '_')}: forged" for name in REFUSED_HEADERS]
    forged += [f"{name.upper()}: forged" for name in REFUSED_HEADERS]
    assert ingress.arrived(plain("GET", allowed, f"{label}.{DOMAIN}", *forged))
    assert ingress.upstream.targets() == [f"GET {allowed}"]
    assert [(name, value) for name, value in ingress.upstream.headers() if "forged" in value] == []


@pytest.mark.parametrize("label", PROBES)
def test_where_a_request_came_from_is_what_the_ingress_saw(ingress: Ingress, label: str) -> None:
    host = f"{label}.{DOMAIN}"
    claimed = ("X-Forwarded-Host: other", "X-Forwarded-Proto: http", "X-Forwarded-Port: 1", "X-Real-IP: 10.0.0.1")
    assert ingress.arrived(plain("GET", PROBES[label][0], host, *claimed))
    seen = ingress.upstream.headers()
    assert [value for name, value in seen if name == "x-forwarded-host"] == [host]
    assert [value for name, value in seen if name == "x-forwarded-proto"] == ["https"]
    assert [value for name, value in seen if name == "x-real-ip"] == ["127.0.0.1"]
    assert [value for name, value in seen if name == "host"] == [host]


def test_a_key_or_token_is_passed_on_as_it_is(ingress: Ingress) -> None:
    given = {"authorization": "Bearer sk-1", "x-api-key": "sk-1", "cookie": "session=1", "x-litellm-api-key": "sk-1"}
    headers = [f"{name}: {value}" for name, value in given.items()]
    assert ingress.arrived(plain("POST", "/v1/chat/completions", f"api.{DOMAIN}", *headers, body=b"{}"))
    assert given.items() <= dict(ingress.upstream.headers()).items()


@pytest.mark.parametrize("label", PROBES)
@pytest.mark.parametrize(
    "headers",
    [
        "Host: HOST\r\nHost: other\r\n",
        "Host: other\r\nHost: HOST\r\n",
        "Host: HOST\r\nContent-Length: 2\r\nContent-Length: 30\r\n",
        "Host: HOST\r\nContent-Length: 30\r\nTransfer-Encoding: chunked\r\n",
        "Host: HOST\r\nTransfer-Encoding: chunked, identity\r\n",
        "Host: HOST\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n",
        "Host: HOST/..\r\n",
        "Host: HOST@other\r\n",
        "Host: other, HOST\r\n",
        "Host : HOST\r\n",
        " Host: HOST\r\n",
        "",
    ],
)
def test_a_request_that_can_be_read_in_two_ways_smuggles_none(ingress: Ingress, label: str, headers: str) -> None:
    """What follows in its body is never taken for a request of its own."""
    allowed, refused = PROBES[label]
    host = f"{label}.{DOMAIN}"
    hidden = f"GET {refused} HTTP/1.1\r\nHost: {host}\r\nX-Smuggled: yes\r\n\r\n"
    head = f"GET {allowed} HTTP/1.1\r\n{headers.replace('HOST', host)}\r\n"
    for tls in (True, False):
        ingress.arrived(f"{head}0\r\n\r\n{hidden}".encode(), tls=tls)
        assert not [target for target in ingress.upstream.targets() if refused in target]
        assert "x-smuggled" not in dict(ingress.upstream.headers())
