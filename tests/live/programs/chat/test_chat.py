"""The chat of dev with everything behind it: migrations, logins, streamed chats, documents, two pods as one."""

import json
import re
import uuid

import httpx
import pytest

from stacks.platform.components.chat import names
from stacks.platform.components.chat.login import administrator
from stacks.platform.components.llm_gateway import address as gateway
from tests.live.programs.chat_stage import ChatStage
from tests.support.chat.browser import Browser
from tests.support.login.entra_provider import Person, new_person
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import wait_for

pytestmark = pytest.mark.live
WITH_TOOLS, WITHOUT_TOOLS = "llama3.1-8b", "phi3.5"
MEMBER, ADMINISTRATOR, STRANGER = (
    new_person("Mia", roles=["user"]),
    new_person("Ada", roles=["admin"]),
    new_person("Sam"),
)


@pytest.fixture(scope="module")
def member(chat: ChatStage) -> Browser:
    return chat.logged_in(MEMBER)


def role(browser: Browser) -> str:
    answer = browser.api("GET", "/api/v1/auths/")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["role"])


def test_pods_that_start_at_once_migrate_one_after_the_other(chat: ChatStage) -> None:
    assert all("migrate: done" in said for said in chat.migrations)
    assert len(chat.tables) > 20
    # Pods that start at once would both make this one, and all but the first would end.
    assert "document_chunk" in chat.tables


def test_local_administrator_exists_so_that_nobody_becomes_one_by_being_first(chat: ChatStage) -> None:
    found = chat.stage.database.superuser("SELECT email, role FROM \"user\" WHERE role = 'admin'", "open_webui")
    assert found.split("\n")[0] == f"{administrator(chat.stage.settings.domain)}|admin"


def test_member_of_the_access_group_logs_in_as_a_user(chat: ChatStage, member: Browser) -> None:
    assert role(member) == "user"
    assert chat.entra.refusals == []


def test_operator_logs_in_as_an_administrator(chat: ChatStage) -> None:
    assert role(chat.logged_in(ADMINISTRATOR)) == "admin"


def test_an_operator_may_add_the_llm_gateway_by_the_address_of_its_host(chat: ChatStage) -> None:
    """By HTTPS, with the root that the pod is given; the key is nobody's, so that the refusal is the gateway's."""
    url = f"https://{gateway.HOST.name(chat.stage.settings.domain)}/v1"
    asked = chat.logged_in(ADMINISTRATOR).api("POST", "/openai/verify", json={"url": url, "key": "sk-nobody"})
    assert (asked.status_code, "certificate" in asked.text.lower()) == (401, False), asked.text


def test_whoever_is_not_assigned_gets_no_session(chat: ChatStage) -> None:
    chat.entra.person = STRANGER
    browser = chat.browser()
    browser.log_in()
    assert browser.token is None


def test_whoever_is_not_logged_in_is_answered_as_the_check_of_the_host_expects(chat: ChatStage) -> None:
    asked = chat.browser().client
    assert asked.get(names.HOST.guarded_path).status_code == 401
    login = asked.get(names.HOST.login_path, follow_redirects=False)
    assert login.status_code == 302
    assert f"redirect_uri=https%3A%2F%2F{chat.host}%2Foauth%2Foidc%2Fcallback" in login.headers["Location"]


def test_whoever_has_more_groups_than_a_token_holds_logs_in_by_the_role(chat: ChatStage) -> None:
    many = Person("Max", "99999999-0000-4000-8000-000000000001", roles=["user"], groups=[str(uuid.uuid4())] * 250)
    assert "_claim_names" in chat.entra.claims(many)
    assert role(chat.logged_in(many)) == "user"


def test_member_sees_the_models_of_dev(member: Browser) -> None:
    models = {model["id"] for model in member.api("GET", "/api/models").json()["data"]}
    assert {"phi3.5", "llama3.1-8b", "mistral-7b", "gemma2-2b", "gpt-oss", "deepseek-r1", "qwen2-5-7b"} <= models


def test_chat_is_streamed_from_the_engine_to_the_browser(chat: ChatStage, member: Browser) -> None:
    status, parts = member.chat(WITH_TOOLS, "Is it streamed?")
    assert (status, "".join(parts).split()) == (200, chat.stage.engines.words)
    assert len(parts) > 3


def test_session_of_one_pod_counts_at_the_other(chat: ChatStage, member: Browser) -> None:
    for pod in chat.pods:
        answer = httpx.get(
            f"http://{pod.address}:{pod.port}/api/v1/auths/", headers={"Authorization": f"Bearer {member.token}"}
        )
        assert answer.status_code == 200


@pytest.mark.parametrize(("asked", "told"), [(0, 1), (1, 0), (0, 0)])
def test_answer_of_one_pod_reaches_the_socket_at_the_other(
    chat: ChatStage, member: Browser, asked: int, told: int
) -> None:
    """By Redis: a page's socket and its requests may be at different pods."""
    number, said = member.ask_by_socket(
        WITH_TOOLS, "Does it reach me?", asked=chat.address(asked), told=chat.address(told)
    )
    assert " ".join(chat.stage.engines.words) in said
    kept = member.api("GET", f"/api/v1/chats/{number}").json()
    assert " ".join(chat.stage.engines.words) in json.dumps(kept)


def test_document_is_uploaded_embedded_and_found(chat: ChatStage, member: Browser) -> None:
    text = "The harbour crane of Lübeck lifts forty tons of salt every morning."
    sent = member.api(
        "POST", "/api/v1/files/?process=true&process_in_background=false", files={"file": ("crane.txt", text)}
    )
    assert sent.status_code == 200, sent.text
    file = sent.json()["id"]
    query = {"collection_name": f"file-{file}", "query": "How much salt does the harbour crane lift?", "k": 1}
    found = member.api("POST", "/api/v1/retrieval/query/doc", json=query)
    assert found.status_code == 200, found.text
    assert "forty tons" in json.dumps(found.json())
    rows = chat.stage.database.superuser("SELECT count(*), max(vector_dims(vector)) FROM document_chunk", "open_webui")
    assert rows.split("|")[1] == "384"
    assert list((chat.parts.folder / "uploads").glob("*crane.txt"))


def test_a_private_chat_is_in_its_rows_of_the_database_and_nowhere_else(chat: ChatStage, member: Browser) -> None:
    """Neither in the log of any process, nor in traces, the gateway's tables or files, nor in another's sight."""
    text = f"my pearl lies under stair {uuid.uuid4()}"
    status, _ = member.chat(WITHOUT_TOOLS, text)
    assert status == 200
    message = {"id": "m-1", "role": "user", "content": text, "models": [WITHOUT_TOOLS]}
    history = {"messages": {"m-1": message}, "currentId": "m-1"}
    kept = {"title": text, "models": [WITHOUT_TOOLS], "messages": [message], "history": history}
    made = member.api("POST", "/api/v1/chats/new", json={"chat": kept})
    assert made.status_code == 200, made.text
    number = made.json()["id"]
    assert text in member.api("GET", f"/api/v1/chats/{number}").text
    for other in (new_person("Tom", roles=["user"]), ADMINISTRATOR):
        answer = chat.logged_in(other).api("GET", f"/api/v1/chats/{number}")
        assert (answer.status_code, text in answer.text) == (401, False), other.name

    tables = chat.stage.database.superuser("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", "open_webui")
    rows = {
        table: chat.stage.database.superuser(f'SELECT row_to_json(t)::text FROM "{table}" t', "open_webui")
        for table in tables.splitlines()
    }
    assert {table for table, held in rows.items() if text in held} <= {"chat", "chat_message"}
    assert text in rows["chat"]
    programs = (
        *chat.pods,
        chat.sidecar,
        chat.door,
        chat.redis,
        chat.stage.gateway,
        chat.stage.front,
        chat.stage.metrics,
    )
    found = {program.name: program.log for program in programs}
    found |= {"traces": json.dumps(chat.stage.opik.items)}
    held = {"databases", "postgresql", "uploads"}
    found |= {
        str(path): path.read_text("utf-8", "replace")
        for folder in (chat.stage.folder, chat.parts.folder)
        for path in folder.rglob("*")
        if path.is_file() and not held & set(path.parts) and path.stat().st_size < 50_000_000
    }
    assert [where for where, said in found.items() if text in said] == []


def test_address_of_a_caller_is_what_the_ingress_saw_whatever_the_request_says(
    chat: ChatStage, member: Browser
) -> None:
    made_up = {"X-Forwarded-For": "198.51.100.9", "X-Real-IP": "198.51.100.8", "Forwarded": "for=198.51.100.7"}
    answer = member.client.post(
        "/api/v1/users/user/settings/update",
        json={"ui": {}},
        headers={"Authorization": f"Bearer {member.token}", **made_up},
    )
    assert answer.status_code == 200, answer.text

    def audited() -> list[str]:
        lines = "".join(pod.log for pod in chat.pods).splitlines()
        return [line for line in lines if "/users/user/settings/update" in line and "source_ip" in line]

    # The line is written by a thread of its own, after the answer.
    wait_for(lambda: bool(audited()), PATIENCE_S, lambda: chat.pods[0].log[-3000:])
    (line,) = audited()
    assert re.findall(r"source_ip\W+([0-9.]+)", line) == ["127.0.0.1"]
    assert "198.51.100" not in "".join(pod.log for pod in chat.pods)


def test_no_pod_asked_for_a_name_outside(chat: ChatStage) -> None:
    """Nothing is fetched while it runs: no models, versions or packages."""
    outside = {
        name for name in chat.stage.names.unknown if "." in name and not name.endswith((".arpa", names.NAMESPACE))
    }
    assert outside == set()
