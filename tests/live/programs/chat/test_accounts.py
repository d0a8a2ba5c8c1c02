"""People and groups of the real chat, changed by the command line as its local administrator."""

from dataclasses import replace

import pytest

from scripts.applications.chat.accounts import Account, Accounts
from scripts.core.errors import OperatorError
from tests.live.programs.chat_stage import ChatStage
from tests.support.login.entra_provider import new_person

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def accounts(chat: ChatStage) -> Accounts:
    return chat.accounts()


def named(accounts: Accounts, email: str) -> Account:
    return next(account for account in accounts.people() if account.email == email)


def test_person_is_shown_shut_out_at_once_and_let_in_again(chat: ChatStage, accounts: Accounts) -> None:
    person = new_person("Tabitha", roles=["user"])
    browser = chat.logged_in(person)
    email = browser.api("GET", "/api/v1/auths/").json()["email"]
    found = named(accounts, email)
    assert (found.role, found.name, found.groups) == ("user", "Tabitha", ())
    assert accounts.set_role(email.upper(), "pending").role == "user"
    assert named(accounts, email).role == "pending"
    assert browser.api("GET", "/api/v1/chats/").status_code == 401
    accounts.set_role(email, "user")
    again = chat.logged_in(person)
    assert again.api("GET", "/api/v1/chats/").status_code == 200
    accounts.log_out(email)
    assert again.api("GET", "/api/v1/chats/").status_code == 401
    assert named(accounts, email).role == "user"


def test_everybody_is_listed_over_several_pages(chat: ChatStage, accounts: Accounts) -> None:
    before = {account.email for account in accounts.people()}
    insert = (
        'INSERT INTO "user" (id, email, name, role, profile_image_url, last_active_at, updated_at, created_at)'
        " SELECT 'crowd-' || n, 'crowd-' || n || '@example.com', 'Crowd', 'user', '/user.png', 1700000000, 1, 1"
        " FROM generate_series(1, 70) n"
    )
    chat.stage.database.superuser(insert, "open_webui")
    try:
        assert len({account.email for account in accounts.people()} - before) == 70
        assert f"{named(accounts, 'crowd-70@example.com').last_active:%F}" == "2023-11-14"
    finally:
        chat.stage.database.superuser("DELETE FROM \"user\" WHERE id LIKE 'crowd-%'", "open_webui")


def test_group_is_made_filled_emptied_and_removed(chat: ChatStage, accounts: Accounts) -> None:
    others = {group.name for group in accounts.groups()}
    browser = chat.logged_in(new_person("Ulrika", roles=["user"]))
    email = browser.api("GET", "/api/v1/auths/").json()["email"]
    assert accounts.set_members("welders", add=[email])
    assert not accounts.set_members("welders", add=[email])
    assert named(accounts, email).groups == ("welders",)
    assert accounts.group("welders").members == 1
    accounts.set_members("welders", remove=[email])
    assert named(accounts, email).groups == ()
    accounts.remove_group("welders")
    assert {group.name for group in accounts.groups()} == others


def test_what_is_not_there_is_named_and_nothing_is_made(accounts: Accounts) -> None:
    before = accounts.groups()
    with pytest.raises(OperatorError, match=r"nobody of the address nobody@example\.com has logged in"):
        accounts.set_members("wreckers", add=["nobody@example.com"])
    with pytest.raises(OperatorError, match="no such group: wreckers"):
        accounts.remove_group("wreckers")
    with pytest.raises(OperatorError, match=r"nobody of the address nobody@example\.com"):
        accounts.set_role("nobody@example.com", "user")
    assert accounts.groups() == before


def test_local_administrator_cannot_be_shut_out(accounts: Accounts) -> None:
    with pytest.raises(OperatorError, match="is the local administrator, as whom these commands act"):
        accounts.set_role(accounts.administrator, "pending")


def test_environment_without_its_administrator_says_so(accounts: Accounts) -> None:
    with pytest.raises(OperatorError, match=r"no administrator nobody@example\.com"):
        replace(accounts, administrator="nobody@example.com").people()
