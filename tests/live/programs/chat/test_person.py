"""One of two people is exported and erased, in the real databases of the real chat and LLM gateway."""

import contextlib
import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.applications.privacy.person import Person, Places
from scripts.cluster.pod_program import START, ByCommand, PodProgram
from scripts.core.errors import OperatorError
from stacks.platform.components.llm_gateway import address, secrets
from tests.live.programs.chat_stage import ChatStage
from tests.live.programs.stage import GATEWAY_URL
from tests.support.chat.browser import Browser
from tests.support.llm_gateway.pods import ask
from tests.support.login.entra_provider import new_person
from tests.support.programs.processes import Program, wait_for

pytestmark = pytest.mark.live
MODEL = "llama3.1-8b"
DATABASES = ("open_webui", "litellm")
FLUSH_SECONDS = 120
"""The LLM gateway writes what it has counted within a minute, most of the time."""
SECRET_TEXT = "The pearl lies under the third stair"


@dataclass
class Somebody:
    """A person with something in every place."""

    browser: Browser
    email: str
    id: str
    file: str
    chat: str
    knowledge: str


def inside(program: Program) -> PodProgram:
    """Return what runs programs with the variables of a pod, as `kubectl exec` does."""
    environment = {**os.environ, **program.environment}
    return ByCommand([program.command[0], "-c", START], program.name, environment)


@pytest.fixture(scope="module")
def places(chat: ChatStage) -> Places:
    return Places(chat=inside(chat.pods[0]), gateway=inside(chat.stage.gateway), opik=None)


def somebody(chat: ChatStage, name: str) -> Somebody:
    browser = chat.logged_in(new_person(name, roles=["user"]))
    account = made(browser, "GET", "/api/v1/auths/")
    message: dict[str, object] = {
        "id": "m",
        "role": "user",
        "content": SECRET_TEXT,
        "parentId": None,
        "childrenIds": [],
    }
    written = {
        "title": f"chat of {name}",
        "models": [MODEL],
        "history": {"messages": {"m": message}, "currentId": "m"},
        "messages": [message],
    }
    number = made(browser, "POST", "/api/v1/chats/new", json={"chat": written})["id"]
    browser.ask_by_socket(MODEL, f"Who is {account['email']}?", asked=chat.address(0), told=chat.address(0))
    file = made(
        browser,
        "POST",
        "/api/v1/files/?process=true&process_in_background=false",
        files={"file": (f"{name}.txt", f"{SECRET_TEXT}, says {name}")},
    )["id"]
    made(browser, "POST", "/api/v1/memories/add", json={"content": f"{name} likes pearls"})
    rated = {"type": "rating", "data": {"rating": 1, "model_id": MODEL}, "meta": {"chat_id": number}, "snapshot": {}}
    made(browser, "POST", "/api/v1/evaluations/feedback", json=rated)
    made(browser, "POST", "/api/v1/folders/", json={"name": f"folder of {name}"})
    sql(
        chat,
        "open_webui",
        f"INSERT INTO api_key (id, user_id, key, created_at, updated_at)"
        f" VALUES ('{uuid.uuid4()}', '{account['id']}', 'sk-{uuid.uuid4().hex}', 1, 1)",
    )
    knowledge = str(uuid.uuid4())
    sql(
        chat,
        "open_webui",
        f"INSERT INTO knowledge (id, user_id, name, created_at, updated_at)"
        f" VALUES ('{knowledge}', '{account['id']}', 'handbook of {name}', 1, 1)",
    )
    return Somebody(browser, account["email"], account["id"], file, number, knowledge)


def made(browser: Browser, method: str, path: str, **more: object) -> dict[str, str]:
    answer = browser.api(method, path, **more)
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
    return dict(answer.json())


def sql(chat: ChatStage, database: str, statement: str) -> str:
    return chat.stage.database.superuser(statement, database)


def naming(chat: ChatStage, *names: str) -> dict[str, str]:
    """Return, by table, what the whole rows hash to in which one of these names stands, in whatever letters."""
    found = {}
    for database in DATABASES:
        tables = sql(chat, database, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        for table in tables.splitlines():
            where = " OR ".join(f"strpos(lower(t::text), '{name.lower()}') > 0" for name in names)
            statement = f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t WHERE {where}"
            count, _, content = sql(chat, database, statement).partition("|")
            if count != "0":
                found[f"{database}.{table}"] = content
    return found


@pytest.fixture(scope="module")
def people(chat: ChatStage) -> tuple[Somebody, Somebody]:
    rosa, mia = somebody(chat, "Rosalind"), somebody(chat, "Mirabel")
    # Rosalind's handbook is read by everybody; Mirabel's is her own.
    sql(
        chat,
        "open_webui",
        f"INSERT INTO access_grant (id, resource_type, resource_id, principal_type, principal_id, permission,"
        f" created_at) VALUES ('{uuid.uuid4()}', 'knowledge', '{rosa.knowledge}', 'user', '*', 'read', 1)",
    )
    master = chat.stage.secret(address.NAMESPACE, secrets.SECRET, "LITELLM_MASTER_KEY")
    for person in (rosa, mia):
        body = {"model": MODEL, "user": person.email, "messages": [{"role": "user", "content": "Am I counted?"}]}
        assert ask(f"{GATEWAY_URL}/v1/chat/completions", body, key=master)[0] == 200
        assert ask(f"{GATEWAY_URL}/user/new", {"user_id": person.id, "user_email": person.email}, key=master)[0] == 200
        # As the gateway writes it, a minute later.
        sql(
            chat,
            "litellm",
            'INSERT INTO "LiteLLM_SpendLogs" (request_id, call_type, "startTime", "endTime", end_user, session_id)'
            f" VALUES ('{uuid.uuid4()}', 'acompletion', now(), now(), '{person.email}', '{person.chat}')",
        )
    # The gateway keeps counts for a while and writes them later: after an erasure they would come back.
    written = [f"litellm.{table}" for table in ('"LiteLLM_EndUserTable"', '"LiteLLM_DailyEndUserSpend"')]
    with contextlib.suppress(AssertionError):
        wait_for(
            lambda: all(set(written) <= naming(chat, person.id, person.email).keys() for person in (rosa, mia)),
            FLUSH_SECONDS,
            lambda: "nothing is written",
        )
    return rosa, mia


def test_an_export_holds_the_texts_and_files_of_one_person_and_no_secret(
    places: Places, people: tuple[Somebody, Somebody], tmp_path: Path
) -> None:
    rosa, mia = people
    folder = tmp_path / "export"
    report = Person(rosa.email.upper(), places).export(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    texts = {str(path.relative_to(folder)): path.read_text() for path in files}
    assert SECRET_TEXT in texts["chat/chat.jsonl"]
    assert texts[f"chat/files/{rosa.file}-Rosalind.txt"] == f"{SECRET_TEXT}, says Rosalind"
    assert "likes pearls" in texts["chat/memory.jsonl"]
    assert rosa.email in texts["gateway/LiteLLM_SpendLogs.jsonl"]
    assert "sk-" not in texts["chat/api_key.jsonl"]
    everything = "".join(texts.values())
    assert mia.id not in everything
    assert mia.email not in everything
    assert report["chat"]["files"] == 1
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_dry_run_counts_and_changes_nothing(
    chat: ChatStage, places: Places, people: tuple[Somebody, Somebody]
) -> None:
    rosa, _ = people
    before = naming(chat, rosa.id, rosa.email)
    report = Person(rosa.email, places).count()
    assert naming(chat, rosa.id, rosa.email) == before
    assert report["chat"]["deleted"]["chat"] == 2
    assert report["chat"]["shared"] == [{"kind": "knowledge", "title": "handbook of Rosalind", "becomes": "kept"}]


def test_a_table_that_no_rule_knows_stops_the_erasure(
    chat: ChatStage, places: Places, people: tuple[Somebody, Somebody]
) -> None:
    """As a new version brings them."""
    sql(chat, "open_webui", "CREATE TABLE diary (id text, user_id text); GRANT ALL ON diary TO open_webui")
    try:
        with pytest.raises(OperatorError, match=r"diary\.user_id"):
            Person(people[0].email, places).erase()
    finally:
        sql(chat, "open_webui", "DROP TABLE diary")


def test_nothing_of_an_erased_person_remains_and_nothing_of_others_is_lost(
    chat: ChatStage, places: Places, people: tuple[Somebody, Somebody]
) -> None:
    rosa, mia = people
    others = naming(chat, mia.id, mia.email)
    uploads = chat.parts.folder / "uploads"
    report = Person(rosa.email, places).erase()
    assert naming(chat, rosa.id, rosa.email) == {}
    assert not list(uploads.glob("*Rosalind*"))
    assert list(uploads.glob("*Mirabel*"))
    assert naming(chat, mia.id, mia.email) == others
    assert report["chat"]["mentions"] == {}
    assert sql(chat, "open_webui", f"SELECT count(*) FROM knowledge WHERE id = '{rosa.knowledge}'") == "1"
    assert "likes pearls" in json.dumps(mia.browser.api("GET", "/api/v1/memories/").json())
    assert rosa.browser.api("GET", "/api/v1/auths/").status_code == 401


def test_an_erasure_can_be_repeated(places: Places, people: tuple[Somebody, Somebody]) -> None:
    report = Person(people[0].email, places).erase()
    assert report["chat"]["account"] is False
    assert (report["chat"]["deleted"], report["gateway"]["deleted"]) == ({}, {})


def test_the_last_administrator_is_refused(chat: ChatStage, places: Places) -> None:
    admins = sql(chat, "open_webui", "SELECT email FROM \"user\" WHERE role = 'admin'").splitlines()
    others = ", ".join(f"'{email}'" for email in admins[1:]) or "''"
    sql(chat, "open_webui", f"UPDATE \"user\" SET role = 'user' WHERE email IN ({others})")
    try:
        with pytest.raises(OperatorError, match="last administrator"):
            Person(admins[0], places).count()
    finally:
        sql(chat, "open_webui", f"UPDATE \"user\" SET role = 'admin' WHERE email IN ({others})")
