"""Another Open WebUI comes into the environment's chat: real ones, this version's and an older one's database."""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.applications.adoption.copying import PROGRAM, Copying, Report
from scripts.applications.adoption.source import Place
from scripts.applications.adoption.uploads import LocalFolder, Uploads
from scripts.applications.adoption.vectors import require_same_model
from scripts.cluster.bundle import bundled
from scripts.cluster.pod_program import START, ByCommand
from scripts.core.errors import OperatorError
from tests.live.programs.chat.test_person_tables import migrate_chat
from tests.live.programs.chat_stage import ChatStage
from tests.support.chat.browser import Browser
from tests.support.chat.old_installation import PASSWORD, old_installation, sql
from tests.support.login.entra_provider import Person, new_person
from tests.support.programs.processes import open_webui_python

pytestmark = pytest.mark.live
OLD_DUMP = Path(__file__).with_name("open_webui_0.6.36.sql")
PORT = 8090
OLGA, TETHYS, GALENE = (new_person(name, roles=["user"]) for name in ("Olga", "Tethys", "Galene"))
UNDINE, NEREUS = (new_person(name, roles=["user"]) for name in ("Undine", "Nereus"))


@dataclass
class Old:
    """What was made by hand: the stopped installation, and what two people have in it."""

    database: Path
    uploads: Path
    made: dict[str, Mapping[str, str]]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def old(chat: ChatStage, tmp_path_factory: pytest.TempPathFactory) -> Old:
    assert chat.stage
    folder = tmp_path_factory.mktemp("old")
    people = (OLGA, TETHYS, GALENE)
    with old_installation(open_webui_python(), folder, "127.0.1.30", PORT) as found:
        ids = {person.name: found.sign_up(person.address, person.name) for person in people}
        made = {person.name: found.fill(person.address, person.name) for person in people}
    sql(
        found.database,
        "INSERT INTO knowledge_file (id, user_id, knowledge_id, file_id, created_at, updated_at) VALUES"
        f" ('kf-1', '{ids['Olga']}', '{made['Olga']['knowledge']}', '{made['Olga']['file']}', 1, 1)",
        # Of a chat that was deleted: SQLite keeps what points to nobody.
        "INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES"
        f" ('cf-1', '{ids['Olga']}', 'gone', '{made['Olga']['file']}', 1, 1)",
        f"INSERT INTO api_key (id, user_id, key, created_at, updated_at) VALUES ('k', '{ids['Olga']}', 'sk-old', 1, 1)",
        f"""UPDATE user SET oauth = '{{"oidc": {{"sub": "old"}}}}', settings = '{{"ui": {{"theme": "dark","""
        f""" "directConnections": {{"OPENAI_API_KEYS": ["sk-direct"]}}}}}}' WHERE id = '{ids["Olga"]}'""",
    )
    return Old(found.database, found.uploads, made, ids)


def inside(chat: ChatStage) -> ByCommand:
    """Return what runs programs with the variables of a pod, as `kubectl exec` does."""
    pod = chat.pods[0]
    return ByCommand([pod.command[0], "-c", START], pod.name, {**os.environ, **pod.environment})


@contextlib.contextmanager
def copying(chat: ChatStage, database: Path) -> Iterator[Copying]:
    with Place("sqlite", str(database)).open() as source:
        yield Copying(source, "chat", inside(chat), logins=logins)


def logins(emails: Sequence[str]) -> dict[str, str]:
    """Return what Entra knows of them."""
    known = {person.address: person.object_id for person in (OLGA, TETHYS, GALENE, UNDINE, NEREUS)}
    return {email: known[email] for email in emails}


def take(chat: ChatStage, database: Path) -> Report:
    with copying(chat, database) as found:
        tables: Report = found.take(lambda _table, _rows: None)["tables"]
        return tables


def counts(chat: ChatStage) -> dict[str, str]:
    """Return the number of rows and what all of them hash to, by table."""
    tables = ask(chat, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'").splitlines()
    # Whoever works in the chat writes when that was.
    return {
        table: ask(chat, f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t")
        for table in tables
        if table not in ('"user"', "config")
    }


def ask(chat: ChatStage, statement: str) -> str:
    return chat.stage.database.superuser(statement, "open_webui")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class Adopted:
    """What came of it."""

    report: Report
    uploads: int
    account: str
    """Id of the account that one of them had here before."""
    browsers: dict[str, Browser]


@pytest.fixture(scope="module")
def adopted(chat: ChatStage, old: Old) -> Adopted:
    galene = chat.logged_in(GALENE)
    account = galene.api("GET", "/api/v1/auths/").json()["id"]
    files = Uploads(LocalFolder(old.uploads), inside(chat))
    added = files.take(files.look()["lacking"], lambda _name: None)
    report = take(chat, old.database)
    return Adopted(report, added, account, {person.name: chat.logged_in(person) for person in (OLGA, TETHYS, GALENE)})


def test_a_look_counts_and_changes_nothing(chat: ChatStage, old: Old) -> None:
    before, file = counts(chat), digest(old.database)
    with copying(chat, old.database) as found:
        assert found.counts()["chat"] == 3
        assert [email for _, email in found.people()] == [person.address for person in (OLGA, TETHYS, GALENE)]
        assert found.look()["there"]["chat"] == int(before["chat"].split("|")[0])
        assert found.left()["api_key"] == "1 rows: keys; people make new ones"
        assert found.left()["auth"] == "3 rows: passwords; people log in by Entra"
    assert counts(chat) == before
    assert digest(old.database) == file


def test_an_interrupted_adoption_takes_nothing(chat: ChatStage, old: Old) -> None:
    before = counts(chat)
    with copying(chat, old.database) as found:
        lines = list(found._lines())
        for cut in (lines[:2], lines[:-1], [*lines[:-1], b'{"end": 1}\n']):
            parameters: dict[str, Any] = {
                "action": "take", "rules": found.rules | {"beside": []}, "values": {}, "tables": dict(found.tables),
                "revision": found.revision(), "people": [],
            }  # fmt: skip
            answers = list(found.run(bundled(PROGRAM), parameters, cut))
            assert any("refused" in answer for answer in answers)
    assert counts(chat) == before


@pytest.mark.parametrize("person", [OLGA, TETHYS], ids=lambda person: str(person.name))
def test_owners_find_their_chats_files_and_folders(adopted: Adopted, old: Old, person: Person) -> None:
    browser, made = adopted.browsers[person.name], old.made[person.name]
    assert browser.api("GET", "/api/v1/auths/").json()["id"] == old.ids[person.name]
    chat = browser.api("GET", f"/api/v1/chats/{made['chat']}").json()
    assert chat["title"] == f"chat of {person.name}"
    assert chat["chat"]["history"]["messages"]["m"]["content"] == f"pearls of {person.name}"
    assert chat["folder_id"] == made["folder"]
    assert [folder["name"] for folder in browser.api("GET", "/api/v1/folders/").json()] == [f"folder of {person.name}"]
    file = browser.api("GET", f"/api/v1/files/{made['file']}/content")
    assert file.text == f"The pearl lies under the stair, says {person.name}"
    assert browser.api("GET", f"/api/v1/notes/{made['note']}").json()["title"] == f"note of {person.name}"
    assert browser.api("GET", f"/api/v1/knowledge/{made['knowledge']}").json()["name"] == f"handbook of {person.name}"


def test_nobody_else_finds_them(adopted: Adopted, old: Old, chat: ChatStage) -> None:
    stranger = chat.logged_in(new_person("Proteus", roles=["user"]))
    for browser in (stranger, adopted.browsers["Tethys"]):
        made = old.made["Olga"]
        for path in (
            f"/api/v1/chats/{made['chat']}",
            f"/api/v1/files/{made['file']}/content",
            f"/api/v1/notes/{made['note']}",
            f"/api/v1/knowledge/{made['knowledge']}",
        ):
            answer = browser.api("GET", path)
            assert answer.status_code in (401, 403, 404), f"{path}: {answer.status_code}"
            assert "Olga" not in answer.text


def test_what_somebody_had_comes_to_the_account_that_there_is(adopted: Adopted, old: Old) -> None:
    browser = adopted.browsers["Galene"]
    assert browser.api("GET", "/api/v1/auths/").json()["id"] == adopted.account != old.ids["Galene"]
    assert browser.api("GET", f"/api/v1/chats/{old.made['Galene']['chat']}").json()["title"] == "chat of Galene"
    assert browser.api("GET", f"/api/v1/files/{old.made['Galene']['file']}/content").status_code == 200


def test_passwords_tokens_keys_and_roles_stay_behind(adopted: Adopted, old: Old, chat: ChatStage) -> None:
    assert adopted.uploads == 3
    olga = old.ids["Olga"]
    assert ask(chat, f"SELECT password FROM auth WHERE id = '{olga}'") == ""
    assert ask(chat, f"SELECT count(*) FROM api_key WHERE user_id = '{olga}'") == "0"
    # The first account of the old chat was its administrator.
    assert adopted.browsers["Olga"].api("GET", "/api/v1/auths/").json()["role"] == "user"
    everything = ask(chat, "SELECT string_agg(u::text, '') FROM \"user\" u")
    assert "sk-direct" not in everything
    assert "dark" in everything
    answer = chat.browser().api("POST", "/api/v1/auths/signin", json={"email": OLGA.address, "password": PASSWORD})
    assert answer.status_code != 200


def test_counts_say_what_was_taken_and_what_was_not(adopted: Adopted) -> None:
    report = adopted.report
    assert (report["chat"]["source"], report["chat"]["added"]) == (3, 3)
    # Galene's account was here.
    assert (report["user"]["added"], report["user"]["left"]) == (2, 1)
    assert [report["chat_file"][key] for key in ("source", "added", "without_parent")] == [1, 0, 1]
    assert all(found["after"] == found["before"] + found["added"] for found in report.values())


def test_a_second_run_changes_nothing(adopted: Adopted, old: Old, chat: ChatStage) -> None:
    assert adopted.report
    before, file = counts(chat), digest(old.database)
    again = take(chat, old.database)
    assert {table: found["added"] for table, found in again.items() if found["added"]} == {}
    assert counts(chat) == before
    assert Uploads(LocalFolder(old.uploads), inside(chat)).look()["to_take"] == 0
    assert digest(old.database) == file
    assert ask(chat, "SELECT count(*) FROM pg_namespace WHERE nspname = 'adoption'") == "0"


def test_an_older_version_comes_through_its_own_migrations(chat: ChatStage, tmp_path: Path) -> None:
    database = tmp_path / "webui.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.executescript(OLD_DUMP.read_text("utf-8"))
    report = take(chat, database)
    assert (report["chat"]["added"], report["prompt"]["added"], report["memory"]["added"]) == (2, 2, 1)
    # Rows that the migrations make out of columns of the older version.
    assert (report["group_member"]["added"], report["knowledge_file"]["added"]) == (2, 1)
    undine, nereus = chat.logged_in(UNDINE), chat.logged_in(NEREUS)
    (title,) = [found["title"] for found in undine.api("GET", "/api/v1/chats/?page=1").json()] or ["in a folder"]
    assert title in ("chat of Undine", "in a folder")
    number = ask(chat, "SELECT id FROM chat WHERE title = 'chat of Undine'")
    found: Any = undine.api("GET", f"/api/v1/chats/{number}").json()
    assert found["chat"]["history"]["messages"]["m"]["content"] == "pearls of Undine"
    assert nereus.api("GET", f"/api/v1/chats/{number}").status_code in (401, 403, 404)
    assert "likes pearls" in json.dumps(undine.api("GET", "/api/v1/memories/").json())
    again = take(chat, database)
    assert {table: found["added"] for table, found in again.items() if found["added"]} == {}


def test_a_newer_version_is_refused(chat: ChatStage, tmp_path: Path, old: Old) -> None:
    newer = tmp_path / "newer.db"
    newer.write_bytes(old.database.read_bytes())
    sql(newer, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    before = counts(chat)
    with pytest.raises(OperatorError, match="newer than this environment"):
        take(chat, newer)
    assert counts(chat) == before


def test_what_is_no_json_is_refused_by_its_column(chat: ChatStage, tmp_path: Path, old: Old) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(old.database.read_bytes())
    sql(broken, "UPDATE chat SET chat = '{\"half\": ' WHERE title = 'chat of Olga'")
    with pytest.raises(OperatorError, match=r"1 rows of the source's chat\.chat hold something else than JSON"):
        take(chat, broken)


def test_every_table_of_the_pinned_version_is_classified(chat: ChatStage, old: Old) -> None:
    with copying(chat, old.database) as found:
        known = {*found.rules["take"], *found.rules["left"], *found.rules["beside"]}
    assert {table.strip('"') for table in counts(chat)} - known == set()
    assert set(found.rules["take"]) - {table.strip('"') for table in counts(chat)} - {"user"} == set()


def test_rows_and_vectors_of_a_postgresql_come_too(chat: ChatStage) -> None:
    """The environment's own database is the source: everything is there, vectors too."""
    database = chat.stage.database
    address = f"postgresql://postgres@/open_webui?host={database.folder}&port={database.program.port}"
    vector = ask(chat, "SELECT array_fill(0.5, ARRAY[vector_dims(vector)])::text FROM document_chunk LIMIT 1")
    assert vector is not None
    with Place.of("env:OLD", {"OLD": address}).open() as source:
        found = Copying(source, "chat", inside(chat), {}, ("document_chunk",))
        before = counts(chat)
        report = found.take(lambda _table, _rows: None)["tables"]
    assert {table: one["added"] for table, one in report.items() if one["added"]} == {}
    assert report["document_chunk"]["source"] == report["document_chunk"]["there"]
    assert report["chat"]["source"] == report["chat"]["there"] > 0
    assert counts(chat) == before


DORIS = new_person("Doris", roles=["user"])
FOREIGN = """
INSERT INTO "user" (id, email, role, name, profile_image_url, created_at, updated_at, last_active_at)
VALUES ('doris', '{address}', 'admin', 'Doris', '/user.png', 1, 1, 1);
INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived, pinned)
VALUES ('chat-of-doris', 'doris', 'chat of Doris',
        '{{"history": {{"messages": {{"m": {{"id": "m", "role": "user", "content": "shells of Doris"}}}},
          "currentId": "m"}}}}', 1, 1, false, false);
INSERT INTO file (id, user_id, filename, path, hash, data, meta, created_at, updated_at)
VALUES ('file-of-doris', 'doris', 'shells.txt', '/app/backend/data/uploads/shells.txt', 'h', '{{}}', '{{}}', 1, 1);
ALTER TABLE document_chunk ALTER COLUMN vector TYPE vector({length});
INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata)
SELECT 'chunk-' || n, array_fill((n / 8.0)::real, ARRAY[{length}])::vector, 'file-file-of-doris', 'shell ' || n, '{{}}'
FROM generate_series(1, 700) n
"""
"""A person, a chat, a file, and more vectors than are fetched at once, in a database of its own."""


def test_a_foreign_postgresql_comes_with_its_vectors_and_stays_as_it_is(chat: ChatStage, tmp_path: Path) -> None:
    database = chat.stage.database
    database.superuser("CREATE ROLE abroad LOGIN SUPERUSER PASSWORD 'Password1'")
    database.superuser("CREATE DATABASE abroad OWNER abroad")
    login, place = "abroad:Password1", f"{database.program.address}:{database.program.port}"
    migrate_chat(tmp_path, f"postgresql://{login}@{place}/abroad?sslmode=require")
    length = chat.pods[0].environment["PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH"]
    for statement in FOREIGN.format(address=DORIS.address, length=length).split(";\n"):
        database.superuser(statement, "abroad")
    whole = "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM {} t"
    theirs = {one: database.superuser(whole.format(one), "abroad") for one in ("chat", "file", "document_chunk")}
    address = f"postgresql://postgres@/abroad?host={database.folder}&port={database.program.port}"

    def taken() -> Report:
        with Place.of("env:OLD", {"OLD": address}).open() as source:
            require_same_model(source, chat.pods[0].environment)
            found = Copying(source, "chat", inside(chat), {}, ("document_chunk",))
            tables: Report = found.take(lambda _table, _rows: None)["tables"]
            return tables

    report = taken()
    assert {one: report[one]["added"] for one in ("user", "chat", "file", "document_chunk")} == {
        "user": 1, "chat": 1, "file": 1, "document_chunk": 700,
    }  # fmt: skip
    mine = "SELECT md5(string_agg(t.vector::text || t.text, '' ORDER BY id)) FROM document_chunk t"
    assert ask(chat, f"{mine} WHERE id LIKE 'chunk-%'") == database.superuser(mine, "abroad")
    assert ask(chat, "SELECT role FROM \"user\" WHERE id = 'doris'") == "user", "nobody becomes administrator by a copy"
    nearest = "SELECT id FROM document_chunk ORDER BY vector <-> array_fill(1.0::real, ARRAY[{}])::vector, id LIMIT 1"
    assert ask(chat, nearest.format(length)).startswith("chunk-8")
    assert {table: found["added"] for table, found in taken().items() if found["added"]} == {}
    assert {one: database.superuser(whole.format(one), "abroad") for one in theirs} == theirs


def test_vectors_of_another_length_are_refused(chat: ChatStage) -> None:
    database = chat.stage.database
    address = f"postgresql://postgres@/abroad?host={database.folder}&port={database.program.port}"
    with Place.of("env:OLD", {"OLD": address}).open() as source, pytest.raises(OperatorError, match="numbers, those"):
        require_same_model(source, {**chat.pods[0].environment, "PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH": "7"})
