"""`llmctl webui users, role, log-out, group`: what is shown, what is changed, and what Entra decides instead."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.chat import commands as webui
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings, load_settings
from tests.support.chat.accounts import ChatAccounts
from tests.support.cli.terminals import Nobody, answering

NOW = datetime(2026, 11, 30, tzinfo=UTC)
YESTERDAY = int(NOW.timestamp()) - 86_400


@pytest.fixture
def chat() -> ChatAccounts:
    found = ChatAccounts()
    found.add("mia@example.com", last=YESTERDAY)
    found.add("tom@example.com", "admin", name="=cmd|' /C calc'!A0")
    return found


def changed(**chat: object) -> Settings:
    settings = load_settings("dev")
    return settings.model_copy(update={"chat": settings.chat.model_copy(update=chat)})


def run(chat: ChatAccounts, *words: str, settings: Settings | None = None, terminal: Terminal | None = None) -> Result:
    asked: list[tuple[str, ...]] = []

    def in_pod(_: Kubectl, *where: str) -> ChatAccounts:
        asked.append(where)
        return chat

    tools = Tools(
        terminal=terminal or Nobody(),
        load=lambda _: settings or changed(sync_groups=False),
        kubectl_of=lambda _: Kubectl("context"),
        in_pod=in_pod,
        now=lambda: NOW,
    )
    result = CliRunner().invoke(webui.app, words, obj=tools)
    assert set(asked) <= {("chat", "deployment/open-webui", "open-webui")}
    return result


def refused(result: Result) -> OperatorError:
    assert isinstance(result.exception, OperatorError), result.output
    return result.exception


def test_people_are_shown_with_role_groups_and_last_visit(chat: ChatAccounts) -> None:
    run(chat, "group", "divers", "dev", "--add", "mia@example.com")
    shown = json.loads(run(chat, "users", "dev", "--json").output)
    assert [(one["email"], one["role"], one["groups"]) for one in shown] == [
        ("mia@example.com", "user", ["divers"]),
        ("tom@example.com", "admin", []),
    ]
    assert "2026-11-29" in run(chat, "users", "dev").output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--role", "admin"), ["tom@example.com"]),
        (("--inactive-for", "90d"), ["tom@example.com"]),
        (("--role", "pending"), []),
        (("--role", "user", "--inactive-for", "90d"), []),
    ],
)
def test_people_are_chosen_by_role_and_by_how_long_they_were_away(
    chat: ChatAccounts, words: tuple[str, ...], expected: list[str]
) -> None:
    shown = json.loads(run(chat, "users", "dev", "--json", *words).output)
    assert [one["email"] for one in shown] == expected


def test_spreadsheet_runs_no_name_as_a_formula(chat: ChatAccounts) -> None:
    lines = run(chat, "users", "dev", "--csv").stdout.splitlines()
    assert lines[0] == "email,name,role,groups,last_active,created"
    assert lines[2] == "tom@example.com,'=cmd|' /C calc'!A0,admin,,2023-11-14,2020-09-13"


@pytest.mark.parametrize(
    ("who", "new", "sessions_end"),
    [
        ("mia@example.com", "pending", True),
        ("mia@example.com", "admin", False),
        ("tom@example.com", "user", True),
    ],
)
def test_role_changes_at_once_and_whoever_loses_a_right_loses_their_sessions(
    chat: ChatAccounts, who: str, new: str, *, sessions_end: bool
) -> None:
    result = run(chat, "role", who.upper(), new, "dev")
    assert result.exit_code == 0
    assert "until their next login" in result.output
    assert next(user["role"] for user in chat.users if user["email"] == who) == new
    assert chat.revoked == ([f"id-of-{who}"] if sessions_end else [])


def test_whoever_is_logged_out_keeps_the_role(chat: ChatAccounts) -> None:
    assert run(chat, "log-out", "tom@example.com", "dev").exit_code == 0
    assert chat.revoked == ["id-of-tom@example.com"]
    assert chat.users[1]["role"] == "admin"


@pytest.mark.parametrize(
    "words",
    [
        ("role", "nobody@example.com", "user", "dev"),
        ("log-out", "nobody@example.com", "dev"),
        ("group", "divers", "dev", "--add", "nobody@example.com"),
        ("group", "divers", "dev", "--remove", "mia@example.com"),
        ("remove-group", "divers", "dev", "--confirm", "divers"),
        ("users", "dev", "--csv", "--json"),
        ("users", "dev", "--inactive-for", "long"),
    ],
)
def test_what_does_not_exist_is_said_in_a_sentence_and_nothing_changes(
    chat: ChatAccounts, words: tuple[str, ...]
) -> None:
    assert refused(run(chat, *words)).code == ExitCode.USAGE
    assert {method for method, _ in chat.calls} <= {"GET"}


def test_group_is_made_with_its_people_and_shown(chat: ChatAccounts) -> None:
    people = ("--add", "mia@example.com", "--add", "tom@example.com")
    assert "divers: made" in run(chat, "group", "divers", "dev", *people).output
    assert "divers: changed" in run(chat, "group", "divers", "dev", "--remove", "tom@example.com").output
    assert run(chat, "groups", "dev").output.splitlines()[0] == "divers: 1 person"


@pytest.mark.parametrize("words", [("group", "divers", "dev"), ("remove-group", "divers", "dev")])
def test_groups_of_entra_are_changed_there(chat: ChatAccounts, words: tuple[str, ...]) -> None:
    error = refused(run(chat, *words, settings=changed(sync_groups=True)))
    assert (error.code, error.fix) == (ExitCode.REFUSED, "change the group in Entra")
    assert chat.calls == []


def test_group_is_removed_by_its_typed_name_alone(chat: ChatAccounts) -> None:
    run(chat, "group", "divers", "dev", "--add", "mia@example.com")
    assert refused(run(chat, "remove-group", "divers", "dev")).code == ExitCode.REFUSED
    assert refused(run(chat, "remove-group", "divers", "dev", terminal=answering("yes"))).code == ExitCode.REFUSED
    assert len(chat.groups) == 1
    terminal = answering("divers")
    assert run(chat, "remove-group", "divers", "dev", terminal=terminal).exit_code == 0
    assert "divers, with 1 person" in terminal.asked[0]
    assert chat.groups == []


def test_environment_without_a_chat_says_so(chat: ChatAccounts) -> None:
    error = refused(run(chat, "users", "dev", settings=changed(enabled=False)))
    assert error.message == "dev has no chat"


def test_pod_that_ends_early_is_noticed(chat: ChatAccounts) -> None:
    def answers(*_: Any) -> Any:
        yield {"status": 200, "body": []}

    tools = Tools(load=lambda _: changed(), kubectl_of=lambda _: Kubectl("context"), in_pod=lambda *_: answers)
    error = refused(CliRunner().invoke(webui.app, ["users", "dev"], obj=tools))
    assert error.message == "the chat's pod ended before it had answered"
    assert chat.calls == []
