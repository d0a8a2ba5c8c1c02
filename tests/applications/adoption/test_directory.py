"""Logins in Entra, by e-mail address."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from scripts.applications.adoption.directory import logins
from scripts.core.errors import OperatorError
from scripts.core.http import Answer
from tests.support.cli.fake_tools import Tools, install

ACCOUNTS = {"rosa@example.com": ["1"], "o'brien@example.com": ["2"], "twice@example.com": ["3", "4"]}


class Graph:
    """Answers batches as Graph does, in another order than asked."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[int] = []

    def __call__(self, url: str, content: Any, *, headers: dict[str, str]) -> Answer:
        assert url == "https://graph.microsoft.com/v1.0/$batch"
        assert headers == {"Authorization": "Bearer a-token"}
        self.asked.append(len(content["requests"]))
        responses = []
        for one in reversed(content["requests"]):
            query = unquote(one["url"])
            quoted = {email.replace("'", "''"): ids for email, ids in ACCOUNTS.items()}
            found = [ids for email, ids in quoted.items() if f"mail eq '{email}'" in query]
            value = [{"id": number} for ids in found for number in ids]
            responses.append({"id": one["id"], "status": self.status, "body": {"value": value}})
        return Answer(200, "", json.dumps({"responses": responses}).encode(), {})


@pytest.fixture
def tools(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Tools:
    found = install(tmp_path, monkeypatch)
    found.write("token", "a-token")
    return found


def test_each_address_gets_its_one_account_and_no_command_line_names_it(tools: Tools) -> None:
    graph = Graph()
    emails = [*ACCOUNTS, *(f"{number}@example.com" for number in range(30))]
    assert logins(emails, graph) == {"rosa@example.com": "1", "o'brien@example.com": "2"}
    assert graph.asked == [20, 13]
    assert not any("example.com" in word for call in tools.calls for word in call)


@pytest.mark.usefixtures("tools")
def test_an_answer_of_refusal_is_no_missing_account() -> None:
    with pytest.raises(OperatorError, match="Entra answers 429"):
        logins(["rosa@example.com"], Graph(429))


def test_without_accounts_nobody_is_asked(tools: Tools) -> None:
    assert logins([]) == {}
    assert tools.calls == []
