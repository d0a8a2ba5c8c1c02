"""Where the deployment may not consent to the login, it says who does and where, before and after."""

from typing import Any

import pytest

from scripts.core.errors import OperatorError
from scripts.deployment.login_consent import consent_link, look, outstanding
from tests.support.stacks.durable import settings

CLIENT = "22222222-2222-2222-2222-222222222222"
TENANT = "55555555-5555-5555-5555-555555555555"
GIVEN = settings(
    identity={
        "manage": False,
        "client_id": CLIENT,
        "application_object_id": "33333333-3333-3333-3333-333333333333",
        "access_group_object_id": "11111111-1111-1111-1111-111111111111",
    }
)
LINK = f"https://login.microsoftonline.com/{TENANT}/adminconsent?client_id={CLIENT}"


class Directory:
    """Entra, as far as `az` is asked for it."""

    def __init__(self, *grants: dict[str, Any]) -> None:
        self.grants = list(grants)
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str, login: str = "az login") -> dict[str, Any]:
        del login
        self.asked.append(arguments)
        return {"tenantId": TENANT} if arguments[0] == "account" else {"value": self.grants}


def everybody(scope: str) -> dict[str, Any]:
    return {"consentType": "AllPrincipals", "scope": scope, "principalId": None}


def test_a_missing_consent_is_said_with_the_link_for_an_administrator() -> None:
    lines = outstanding(GIVEN.identity, None, Directory())  # type: ignore[arg-type]
    assert "openid, profile, email, offline_access, User.Read" in lines[0]
    assert "Need admin approval" in lines[0]
    assert lines[1].endswith(LINK)


def test_a_consent_that_is_given_leaves_nothing_to_say() -> None:
    asked = Directory(everybody(" openid profile email offline_access User.Read"))
    assert look(CLIENT, asked).given
    assert asked.asked == [
        ("account", "show"),
        (
            "rest",
            "--method",
            "GET",
            "--url",
            f"https://graph.microsoft.com/v1.0/servicePrincipals(appId='{CLIENT}')/oauth2PermissionGrants",
        ),
    ]


@pytest.mark.parametrize(
    ("grants", "missing"),
    [
        ([everybody("openid profile email User.Read")], ("offline_access",)),
        ([everybody("openid"), everybody("profile email User.Read offline_access")], ()),
        ([everybody("User.ReadBasic.All openid profile email offline_access")], ("User.Read",)),
        (
            [
                {
                    "consentType": "Principal",
                    "scope": "openid profile email offline_access User.Read",
                    "principalId": "1",
                }
            ],
            ("openid", "profile", "email", "offline_access", "User.Read"),
        ),
    ],
    ids=["one-scope", "two-grants", "name-that-begins-alike", "one-user-alone"],
)
def test_only_what_is_consented_for_everybody_counts(grants: list[dict[str, Any]], missing: tuple[str, ...]) -> None:
    assert look(CLIENT, Directory(*grants)).missing == missing


def test_what_cannot_be_asked_is_not_taken_for_given() -> None:
    def refused(*arguments: str) -> dict[str, Any]:
        if arguments[0] == "account":
            return {"tenantId": TENANT}
        raise OperatorError("az rest failed: Forbidden")

    found = look(CLIENT, refused)
    assert not found.given
    assert "az rest failed: Forbidden" in found.lines()[0]
    assert found.lines()[1].endswith(LINK)


def test_without_a_login_the_link_works_for_the_administrators_own_tenant() -> None:
    assert consent_link(CLIENT) == f"https://login.microsoftonline.com/organizations/adminconsent?client_id={CLIENT}"


def test_where_the_stack_consents_nobody_is_asked() -> None:
    asked = Directory()
    assert outstanding(settings().identity, None, asked) == []  # type: ignore[arg-type]
    assert not asked.asked


def test_before_the_application_exists_there_is_nothing_to_consent_to() -> None:
    class NothingYet:
        stacks = {"platform": None}

    asked = Directory()
    by_hand = settings(identity={"admin_consent": False})
    assert outstanding(by_hand.identity, NothingYet(), asked) == []  # type: ignore[arg-type]
    assert not asked.asked
