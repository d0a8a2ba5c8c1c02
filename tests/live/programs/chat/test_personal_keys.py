"""A key that a person makes in the real chat lists models and asks them, and does nothing else of theirs."""

import httpx
import pytest

from tests.live.programs.chat_stage import ChatStage
from tests.support.chat.browser import Browser
from tests.support.login.entra_provider import new_person

pytestmark = pytest.mark.live

MODEL = "llama3.1-8b"


def program(chat: ChatStage, key: str) -> httpx.Client:
    """Return what a program of theirs asks the chat with, by its public name."""
    person = Browser(chat.host, chat.parts.trusted)
    person.client.headers["Authorization"] = f"Bearer {key}"
    return person.client


def test_a_key_reaches_models_and_completions_alone_until_its_owner_is_shut_out(chat: ChatStage) -> None:
    accounts = chat.accounts()
    person = chat.logged_in(new_person("Xenia", roles=["user"]))
    key = person.api("POST", "/api/v1/auths/api_key").json()["api_key"]
    asked = program(chat, key)
    models = asked.get("/api/models")
    assert models.status_code == 200
    assert MODEL in {model["id"] for model in models.json()["data"]}
    question = {"model": MODEL, "messages": [{"role": "user", "content": "Who are you?"}], "stream": False}
    answer = asked.post("/api/chat/completions", json=question)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"]
    for path in ("/api/v1/chats/", "/api/v1/knowledge/", "/api/v1/files/", "/api/v1/auths/api_key"):
        assert asked.get(path).status_code == 403, path
    email = person.api("GET", "/api/v1/auths/").json()["email"]
    accounts.set_role(email, "pending")
    assert asked.post("/api/chat/completions", json=question).status_code in (401, 403)
    accounts.set_role(email, "user")


def test_a_key_that_is_deleted_is_nobodys(chat: ChatStage) -> None:
    person = chat.logged_in(new_person("Yara", roles=["user"]))
    key = person.api("POST", "/api/v1/auths/api_key").json()["api_key"]
    assert program(chat, key).get("/api/models").status_code == 200
    assert person.api("DELETE", "/api/v1/auths/api_key").status_code == 200
    assert program(chat, key).get("/api/models").status_code == 401
