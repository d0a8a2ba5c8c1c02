"""What stands between the chat and Entra: it adds the proof of identity, and hands tokens on to members alone."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.chat.login_sidecar import (
    ASSERTION,
    CHIEF,
    GROUP,
    OPERATORS,
    OTHER,
    PERSON,
    SCRIPT,
    Entra,
    Sidecar,
    running,
)
from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, served


@pytest.fixture
def entra() -> Iterator[Entra]:
    found = Entra()

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            known = self.path == "/tenant/v2.0/.well-known/openid-configuration"
            self.answer_json(200 if known else 404, found.configuration())

        def do_POST(self) -> None:
            body = self.body().decode()
            if self.path == "/tenant/graph/me/checkMemberGroups":
                groups = json.loads(body)["groupIds"]
                return self.answer_json(*found.check_member_groups(self.headers["Authorization"], groups))
            if self.path == "/tenant/graph/me/getMemberGroups":
                return self.answer_json(*found.get_member_groups(self.headers["Authorization"], json.loads(body)))
            found.asked.append({"path": self.path, **dict(urllib.parse.parse_qsl(body))})
            return self.answer_json(found.status, found.tokens() if found.status == 200 else {"error": "invalid_grant"})

    with served(Handler) as address:
        found.url = f"http://{address}/tenant"
        yield found


@pytest.fixture
def sidecar(entra: Entra, tmp_path: Path) -> Iterator[Sidecar]:
    """Run it as where the applications refuse, by the group."""
    with running(entra, tmp_path, ACCESS_GROUP=GROUP, ADMINISTRATORS=f"{OPERATORS},{CHIEF}") as found:
        yield found


CODE = {"grant_type": "authorization_code", "code": "c", "code_verifier": "v", "client_id": "id", "redirect_uri": "r"}


def test_configuration_is_entras_but_for_the_endpoints_of_tokens_and_of_roles(entra: Entra, sidecar: Sidecar) -> None:
    status, found = sidecar.ask("/.well-known/openid-configuration")
    assert status == 200
    own = {"token_endpoint": f"{sidecar.url}/token", "userinfo_endpoint": f"{sidecar.url}/userinfo"}
    assert found == entra.configuration() | own


def test_token_request_goes_on_with_the_pods_identity_and_without_a_secret(entra: Entra, sidecar: Sidecar) -> None:
    status, found = sidecar.ask("/token", CODE | {"client_secret": "left-over"})
    assert (status, found) == (200, entra.tokens())
    (asked,) = entra.asked
    assert asked == CODE | {
        "path": "/tenant/oauth2/v2.0/token",
        "client_assertion_type": ASSERTION,
        "client_assertion": "projected-token",
    }


def test_renewed_token_is_used_at_once(entra: Entra, sidecar: Sidecar) -> None:
    sidecar.ask("/token", CODE)
    sidecar.token.write_text("renewed-token")
    sidecar.ask("/token", CODE)
    assert [asked["client_assertion"] for asked in entra.asked] == ["projected-token", "renewed-token"]


def test_refusal_of_entra_reaches_open_webui(entra: Entra, sidecar: Sidecar) -> None:
    entra.status = 401
    assert sidecar.ask("/token", CODE) == (401, {"error": "invalid_grant"})


def test_no_other_path_answers_and_no_empty_request_goes_on(entra: Entra, sidecar: Sidecar) -> None:
    assert sidecar.ask("/anything")[0] == 404
    assert sidecar.ask("/anything", CODE)[0] == 400
    assert sidecar.ask("/token", {})[0] == 400
    assert entra.asked == []


def test_health_tells_whether_the_token_is_there(sidecar: Sidecar) -> None:
    assert sidecar.ask("/healthz")[0] == 200
    sidecar.token.unlink()
    assert sidecar.ask("/healthz")[0] == 503


def test_nothing_of_a_login_is_logged_but_why_it_was_refused(entra: Entra, sidecar: Sidecar) -> None:
    sidecar.ask("/token", CODE | {"code": "secret-code"})
    entra.claims = {"oid": PERSON}
    sidecar.ask("/token", CODE | {"code": "secret-code"})
    sidecar.process.terminate()
    said, _ = sidecar.process.communicate(timeout=PATIENCE_S)
    assert said == "entra_login: this account is not in the access group\n"


def test_it_listens_within_the_pod_alone() -> None:
    assert 'ThreadingHTTPServer(("127.0.0.1"' in SCRIPT.read_text()


OVERAGE = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/…"}}}
CLAIMS: dict[str, dict[str, Any]] = {
    "no claim": {},
    "claim without": {"groups": [OTHER]},
    "claim with": {"groups": [OTHER, GROUP]},
    "claim of operators": {"groups": [OTHER, OPERATORS]},
    "claim of both": {"groups": [OPERATORS, GROUP]},
    "overage": OVERAGE,
}


@pytest.mark.parametrize(
    ("claim", "known", "role"),
    [
        ("no claim", set(), None),
        ("no claim", {GROUP}, "user"),
        ("no claim", {OPERATORS}, "admin"),
        ("claim without", {OTHER}, None),
        ("claim with", {OTHER, GROUP}, "user"),
        ("claim of operators", {OTHER, OPERATORS}, "admin"),
        ("claim of both", {OPERATORS, GROUP}, "admin"),
        ("overage", {OTHER}, None),
        ("overage", {OTHER, GROUP}, "user"),
        ("overage", {OTHER, OPERATORS}, "admin"),
        ("overage", {OPERATORS, GROUP}, "admin"),
    ],
)
def test_membership_decides_by_the_token_or_else_by_graph(
    entra: Entra, sidecar: Sidecar, claim: str, known: set[str], role: str | None
) -> None:
    entra.claims, entra.member_of = {"oid": PERSON, **CLAIMS[claim]}, known
    status, found = sidecar.ask("/token", CODE)
    told = sidecar.ask("/userinfo", token="t")
    if role is None:
        assert (status, found["error"]) == (400, "access_denied")
        assert not {"access_token", "id_token"} & set(found)
        assert told == (401, {})
    else:
        assert (status, found) == (200, entra.tokens())
        assert told == (200, {"sub": "pairwise", "platform_name": "Mia", "platform_roles": [role]})
    named = {GROUP, OPERATORS} & set(CLAIMS[claim].get("groups", ()))
    assert bool(entra.graph_asked) == (not named)


def test_operator_who_is_named_alone_is_an_administrator_without_a_group(entra: Entra, sidecar: Sidecar) -> None:
    entra.claims = {"oid": CHIEF}
    assert sidecar.ask("/token", CODE)[0] == 200
    assert sidecar.ask("/userinfo", token="t")[1]["platform_roles"] == ["admin"]


def test_renewed_tokens_are_for_members_too(entra: Entra, sidecar: Sidecar) -> None:
    renewal = {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "id"}
    assert sidecar.ask("/token", renewal)[0] == 200
    entra.claims = {"oid": PERSON}
    assert sidecar.ask("/token", renewal)[1]["error"] == "access_denied"


def test_graph_is_asked_for_no_more_groups_at_once_than_it_takes(entra: Entra, tmp_path: Path) -> None:
    many = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(45)]
    entra.claims, entra.member_of = {"oid": PERSON, **OVERAGE}, {many[-1]}
    with running(entra, tmp_path, ACCESS_GROUP=GROUP, ADMINISTRATORS=",".join(many)) as sidecar:
        assert sidecar.ask("/token", CODE)[0] == 200
        assert sidecar.ask("/userinfo", token="t")[1]["platform_roles"] == ["admin"]
    assert [len(ids) for ids in entra.graph_asked] == [1, 20, 20, 5]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_nobody_enters_while_graph_does_not_answer_and_the_reason_is_told(
    entra: Entra, sidecar: Sidecar, status: int
) -> None:
    entra.claims, entra.member_of, entra.graph_status = {"oid": PERSON, **OVERAGE}, {GROUP}, status
    answered, found = sidecar.ask("/token", CODE)
    assert (answered, found["error"]) == (400, "temporarily_unavailable")
    assert f"Microsoft Graph answered {status}" in found["error_description"]
    assert ("User.Read" in found["error_description"]) == (status in {401, 403})
    assert sidecar.ask("/userinfo", token="t") == (401, {})
    # Whoever's token names the group needs no Graph.
    entra.claims = {"oid": PERSON, "groups": [GROUP]}
    assert sidecar.ask("/token", CODE)[0] == 200


@pytest.mark.parametrize("text", ["", "no.token", "a.b.c", "a.bnVsbA.c", "a.W10.c"])
def test_an_answer_without_a_readable_identity_is_nobodys(entra: Entra, sidecar: Sidecar, text: str) -> None:
    entra.identity = text
    status, found = sidecar.ask("/token", CODE)
    assert (status, found["error"]) == (400, "server_error")


@pytest.mark.parametrize(
    ("roles", "role"), [(None, None), ([], None), (["other"], None), (["user"], "user"), (["user", "admin"], "admin")]
)
def test_where_entra_requires_assignment_the_roles_in_the_token_decide(
    entra: Entra, tmp_path: Path, roles: list[str] | None, role: str | None
) -> None:
    """Also for whoever was assigned without a role ("Default Access"), whom Entra gives a token."""
    entra.claims = {"oid": PERSON, "groups": [GROUP]} | ({} if roles is None else {"roles": roles})
    with running(entra, tmp_path, ACCESS_GROUP="", ADMINISTRATORS="") as sidecar:
        status, found = sidecar.ask("/token", CODE)
        told = sidecar.ask("/userinfo", token="t")
    assert entra.graph_asked == []
    if role is None:
        assert (status, found["error"], told[0]) == (400, "access_denied", 401)
    else:
        assert (status, told[1]["platform_roles"]) == (200, [role])


MANY = {f"{number:08d}-0000-4000-8000-000000000000" for number in range(250)}


@pytest.mark.parametrize(
    ("claim", "known", "groups"),
    [
        ("claim with", set(), {OTHER, GROUP}),
        ("overage", {GROUP, *MANY}, {GROUP, *MANY}),
        ("no claim", {GROUP}, set()),
    ],
)
def test_groups_of_the_chat_follow_the_token_or_else_graph(
    entra: Entra, tmp_path: Path, claim: str, known: set[str], groups: set[str]
) -> None:
    entra.claims, entra.member_of = {"oid": PERSON, **CLAIMS[claim]}, known
    with running(entra, tmp_path, ACCESS_GROUP=GROUP, ADMINISTRATORS="", SYNC_GROUPS="true") as sidecar:
        assert sidecar.ask("/token", CODE)[0] == 200
        assert set(sidecar.ask("/userinfo", token="t")[1]["platform_groups"]) == groups


def test_whose_groups_nobody_can_tell_is_taken_out_of_none_and_told_why(entra: Entra, tmp_path: Path) -> None:
    entra.claims = {"oid": PERSON, "roles": ["user"], **OVERAGE}
    with running(entra, tmp_path, ACCESS_GROUP="", ADMINISTRATORS="", SYNC_GROUPS="true") as sidecar:
        status, found = sidecar.ask("/token", CODE)
        assert (status, found["error"]) == (400, "access_denied")
        assert "more groups of the application than a token names" in found["error_description"]
    entra.claims, entra.graph_status = {"oid": CHIEF, **OVERAGE}, 503
    with running(entra, tmp_path, ACCESS_GROUP=GROUP, ADMINISTRATORS=CHIEF, SYNC_GROUPS="true") as sidecar:
        status, found = sidecar.ask("/token", CODE)
        assert (status, found["error"]) == (400, "temporarily_unavailable")
        assert found["error_description"] == "groups are unknown: Microsoft Graph answered 503"


def test_userinfo_is_for_tokens_that_came_through_here(sidecar: Sidecar) -> None:
    sidecar.ask("/token", CODE)
    assert sidecar.ask("/userinfo", token="t")[0] == 200
    for token in ("", "another"):
        assert sidecar.ask("/userinfo", token=token) == (401, {})
