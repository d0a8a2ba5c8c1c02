"""The login before Opik, run: the real oauth2-proxy with the options that are deployed, before an Opik of the test.

Needs `oauth2-proxy` on PATH, in the version that `helm/images.yaml` names.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from stacks.platform.common.catalogue import images
from stacks.settings import load_settings
from stacks.settings.network import IngressMode
from tests.support.login.entra_server import new_key
from tests.support.opik.login import CLIENT, GROUP, ISSUER, PROXY, TENANT, Front, running_front, sent
from tests.support.patience import PATIENCE_S

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(PROXY is None, reason="oauth2-proxy is not on PATH"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="tokens are signed with openssl"),
]

TO_LOGIN, REFUSED, SERVED = 302, 401, 200
WITHOUT_LOGIN = {
    "/": TO_LOGIN,
    "/default/home": TO_LOGIN,
    "/api/v1/private/projects": REFUSED,
    "/api/v1/private/otel/v1/traces": REFUSED,
    "/api/health-check": REFUSED,
    "/v1/private/projects": TO_LOGIN,
    "/v1/private/evaluators/python": TO_LOGIN,
    "/health-check": TO_LOGIN,
    "/guardrails/api/v1/guardrails/validations": REFUSED,
    "/oauth2/start": TO_LOGIN,
    "/oauth2/auth": REFUSED,
    "/ping": SERVED,
    "/ready": SERVED,
    "/swagger/": TO_LOGIN,
}
"""Path to the status without a session or token."""
CLAIMED = {
    "X-Forwarded-User": "somebody",
    "X-Forwarded-Email": "somebody@example.com",
    "X-Forwarded-Groups": "administrators",
    "X-Forwarded-Preferred-Username": "somebody",
    "X-Forwarded-Access-Token": "token",
    "X_Forwarded_User": "somebody",
}
"""What nobody may say of themselves."""


def identities(headers: Mapping[str, str]) -> set[str]:
    """Return the headers that tell who calls."""
    named = {name.lower().replace("_", "-") for name in headers}
    return named & ({name.lower().replace("_", "-") for name in CLAIMED} | {"authorization"})


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with running_front(tmp_path_factory.mktemp("login")) as found:
        yield found


def test_the_proxy_is_the_deployed_version() -> None:
    shown = subprocess.run([str(PROXY), "--version"], capture_output=True, text=True, check=True)
    told = re.search(r"v\d+\.\d+\.\d+", shown.stdout + shown.stderr)
    if told is None:
        pytest.skip("built from source without a version")
    assert told.group() == images()["oauth2-proxy/proxy"].tag


@pytest.mark.parametrize("path", WITHOUT_LOGIN)
def test_a_route_without_a_login_answers_as_documented(front: Front, path: str) -> None:
    front.opik.seen.clear()
    answer = front.ask(path)
    assert answer.status == WITHOUT_LOGIN[path]
    if answer.status == TO_LOGIN:
        assert front.entra.sent_to(answer.headers["Location"])
        assert front.entra.asked["redirect_uri"] == f"https://{front.host}/oauth2/callback"
    assert front.opik.seen == []


def test_the_log_has_the_address_that_the_ingress_saw_and_not_one_that_a_caller_made_up(front: Front) -> None:
    # NGINX appends to the one header and writes the other itself.
    seen = {"X-Forwarded-For": "198.51.100.9, 203.0.113.7", "X-Real-IP": "203.0.113.7"}
    front.ask("/of-a-made-up-address", headers=seen).read()
    (line,) = (line for line in front.log.read_text().splitlines() if "/of-a-made-up-address" in line)
    assert line.startswith("203.0.113.7 ")
    assert "198.51.100.9" not in line


def test_behind_an_application_gateway_the_log_has_no_address_for_it_would_be_the_caller_s_claim(
    tmp_path: Path,
) -> None:
    ingress = load_settings("prod").ingress
    assert ingress.mode is IngressMode.APPLICATION_GATEWAY
    with running_front(tmp_path, ingress=ingress) as front:
        front.ask("/of-a-made-up-address", headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.7"}).read()
        front.log_in("/")
    log = front.log.read_text()
    assert '"/of-a-made-up-address"' in log
    assert "[AuthFailure]" in log
    assert "198.51.100.9" not in log
    assert "203.0.113" not in log


def test_a_member_logs_in_and_comes_back_to_where_the_login_began(front: Front) -> None:
    front.entra.member_of = ["other", GROUP]
    back, cookies = front.log_in("/default/projects?page=2")
    assert back.status == 302
    assert back.headers["Location"] == "/default/projects?page=2"
    page = front.ask("/default/projects?page=2", cookies=sent(cookies))
    assert (page.status, page.read()) == (200, b"opik")
    api = front.ask("/api/v1/private/projects", cookies=sent(cookies))
    assert api.status == 200


def test_the_proxy_proves_itself_by_its_account_and_the_login_by_what_it_began_with(front: Front) -> None:
    front.entra.member_of = [GROUP]
    front.log_in("/")
    form = front.entra.exchanges[-1]
    assert form["client_assertion"] == "token of the pod's account"
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert not {name for name in form if "secret" in name}
    assert front.entra.asked["code_challenge_method"] == "S256"


def test_whoever_is_in_no_access_group_is_refused_after_the_login(front: Front) -> None:
    front.entra.member_of = ["other"]
    back, cookies = front.log_in("/")
    assert back.status == 403
    assert front.ask("/", cookies=sent(cookies)).status == TO_LOGIN


@pytest.mark.parametrize(("groups", "status"), [([GROUP], 200), (["other"], 403)])
def test_a_renewed_session_is_judged_by_the_groups_of_then(groups: list[str], status: int, tmp_path: Path) -> None:
    with running_front(tmp_path, "--cookie-refresh=1s") as front:
        front.entra.member_of = [GROUP]
        _, cookies = front.log_in("/")
        front.entra.member_of = groups
        until = time.monotonic() + PATIENCE_S
        while front.entra.exchanges[-1]["grant_type"] != "refresh_token":
            assert time.monotonic() < until
            answer = front.ask("/", cookies=sent(cookies))
        assert answer.status == status
        assert front.entra.exchanges[-1]["client_assertion"] == "token of the pod's account"


def test_cookies_belong_to_this_host_by_https_and_to_no_script(front: Front) -> None:
    front.entra.member_of = [GROUP]
    _, cookies = front.log_in("/")
    assert cookies
    for name, morsel in cookies.items():
        assert name.startswith("__Host-opik")
        assert morsel["secure"]
        assert morsel["httponly"]
        assert morsel["path"] == "/"
        assert not morsel["domain"]
        assert morsel["samesite"].lower() == "lax"


def test_a_program_passes_with_a_token_of_the_application(front: Front) -> None:
    token = front.entra.token(CLIENT, groups=["other", GROUP])
    front.opik.seen.clear()
    assert front.ask("/api/v1/private/projects", token=f"Bearer {token}").status == 200
    ((_, path, headers),) = front.opik.seen
    assert path == "/api/v1/private/projects"
    assert headers["Host"] == front.host


def test_programs_reach_guardrails_at_their_path(front: Front) -> None:
    token = front.entra.token(CLIENT, groups=[GROUP])
    front.guardrails.seen.clear()
    path = "/guardrails/api/v1/guardrails/validations"
    assert front.ask(path, token=f"Bearer {token}", body=b"{}").status == 200
    assert [(method, seen) for method, seen, _ in front.guardrails.seen] == [("POST", path)]


@pytest.mark.parametrize("path", ["/api/v1/private/projects", "/"])
@pytest.mark.parametrize(
    "case",
    [
        "no member",
        "another application",
        "another tenant",
        "over",
        "another signer",
        "too many groups",
        "no token",
        "basic",
    ],
)
def test_a_token_that_does_not_count_is_refused_and_never_redirected(
    front: Front, case: str, path: str, tmp_path: Path
) -> None:
    tokens: dict[str, Callable[[], str]] = {
        "no member": lambda: f"Bearer {front.entra.token(CLIENT, groups=['other'])}",
        "another application": lambda: f"Bearer {front.entra.token('other', groups=[GROUP])}",
        "another tenant": lambda: (
            f"Bearer {front.entra.token(CLIENT, groups=[GROUP], iss=ISSUER.replace(TENANT, 'other'))}"
        ),
        "over": lambda: f"Bearer {front.entra.token(CLIENT, groups=[GROUP], exp=int(time.time()) - 60)}",
        "another signer": lambda: (
            f"Bearer {front.entra.token(CLIENT, key=new_key(tmp_path / 'other.pem'), groups=[GROUP])}"
        ),
        # Entra then says where to ask for them instead, which the proxy does for sessions only.
        "too many groups": lambda: f"Bearer {front.entra.token(CLIENT, _claim_names={'groups': 'src1'})}",
        "no token": lambda: "an-api-key-of-another-service",
        "basic": lambda: "Basic b3BpazpvcGlr",
    }
    front.opik.seen.clear()
    answer = front.ask(path, token=tokens[case]())
    assert answer.status == 403
    assert "Location" not in answer.headers
    assert front.opik.seen == []


def test_no_identity_is_handed_to_opik_and_none_can_be_claimed(front: Front) -> None:
    front.entra.member_of = [GROUP]
    _, cookies = front.log_in("/")
    front.opik.seen.clear()
    front.ask("/api/v1/private/projects", cookies=sent(cookies), headers=CLAIMED)
    ((_, _, headers),) = front.opik.seen
    assert identities(headers) == set()


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/private/projects", "/swagger/", "/guardrails/api/v1/guardrails/validations"]
)
def test_a_program_s_token_goes_no_further_than_the_login(front: Front, path: str) -> None:
    behind = front.guardrails if path.startswith("/guardrails/") else front.opik
    behind.seen.clear()
    token = front.entra.token(CLIENT, groups=[GROUP])
    assert front.ask(path, token=f"Bearer {token}", headers=CLAIMED).status == 200
    ((_, seen, headers),) = behind.seen
    assert seen == path
    assert identities(headers) == set()
    assert token not in str(headers)


def test_large_bodies_pass(front: Front) -> None:
    token = front.entra.token(CLIENT, groups=[GROUP])
    size = 64 * 1024 * 1024
    assert front.ask("/api/v1/private/attachment", token=f"Bearer {token}", body=bytes(size)).status == 200
    assert front.opik.received == size


def test_a_stream_arrives_while_it_is_written(front: Front) -> None:
    token = front.entra.token(CLIENT, groups=[GROUP])
    front.opik.go_on.clear()
    answer = front.ask("/api/stream", token=f"Bearer {token}")
    assert answer.read(7) == b"first\n\n"
    front.opik.go_on.set()
    assert answer.read() == b"last\n\n"


def test_answers_are_json_where_programs_ask(front: Front) -> None:
    answer = front.ask("/api/v1/private/projects")
    assert answer.headers["Content-Type"].startswith("application/json")
    json.loads(answer.read() or b"{}")
