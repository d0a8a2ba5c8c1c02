"""Every table of both pinned schemas is classified: two people stand in each of their columns, and one is erased."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.applications.privacy.person import Person, Places, rules
from scripts.cluster.pod_program import START, ByCommand
from tests.support.chat.pods import OF_THE_IMAGE
from tests.support.llm_gateway import pods as gateway_pods
from tests.support.programs import processes
from tests.support.programs.postgresql import Postgresql, running_postgresql

pytestmark = pytest.mark.live
DATABASES = {"open_webui": "chat", "litellm": "gateway"}
ROSA, MIA = ("rosa-id", "rosa@example.com"), ("mia-id", "mia@example.com")
FILLED = {
    "bigint": "1", "integer": "1", "double precision": "1", "boolean": "true", "json": "'{}'", "jsonb": "'{}'",
    "ARRAY": "'{}'", "bytea": "''", "USER-DEFINED": "NULL",
    "timestamp without time zone": "now()", "timestamp with time zone": "now()",
}  # fmt: skip


@dataclass
class Schemas:
    """A PostgreSQL with both schemas, empty, and the two databases' programs."""

    database: Postgresql
    places: Places

    def sql(self, database: str, statement: str) -> str:
        return self.database.superuser(statement, database)


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Schemas]:
    folder = tmp_path_factory.mktemp("schemas")
    place = folder / "postgresql"
    place.mkdir()
    with running_postgresql(place, "127.0.0.1", 15432, names=["localhost"]) as database:
        for name in DATABASES:
            database.superuser(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD 'Password1'")
            database.superuser(f"CREATE DATABASE {name} OWNER {name}")
        login = "{name}:Password1"
        urls = {
            name: f"postgresql://{login.format(name=name)}@127.0.0.1:15432/{name}?sslmode=require" for name in DATABASES
        }
        migrate_chat(folder, urls["open_webui"])
        gateway_pods.migrate(urls["litellm"])
        python = {"open_webui": processes.open_webui_python(), "litellm": processes.litellm_python()}
        programs = {
            name: ByCommand(
                [str(python[name]), "-c", START], name, {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(folder)}
            )
            for name, url in urls.items()
        }
        for name in DATABASES:
            for ids in (ROSA, MIA):
                fill(database, name, *ids)
        database.superuser("UPDATE \"user\" SET role = 'user'", "open_webui")
        database.superuser(
            'INSERT INTO "user" (id, email, role, name, created_at, updated_at, last_active_at)'
            " VALUES ('admin-id', 'admin@example.com', 'admin', 'a', 1, 1, 1)",
            "open_webui",
        )
        yield Schemas(database, Places(chat=programs["open_webui"], gateway=programs["litellm"], opik=None))


def migrate_chat(folder: Path, url: str) -> None:
    """Make Open WebUI's tables as the pods' init container does, without Redis."""

    environment = {
        **OF_THE_IMAGE, "DATABASE_URL": url, "ENABLE_DB_MIGRATIONS": "True", "DATA_DIR": str(folder / "data"),
        "WEBUI_SECRET_KEY": "x", "OFFLINE_MODE": "True", "VECTOR_DB": "pgvector", "HOME": str(folder),
        "STATIC_DIR": str(folder / "static"), "PATH": gateway_pods.LOCAL_PATH,
    }  # fmt: skip
    (folder / "data").mkdir()
    lines = (
        "import open_webui.internal.db; from open_webui.retrieval.vector.dbs.pgvector import PgvectorClient as C; C()"
    )
    done = subprocess.run(
        [str(processes.open_webui_python()), "-c", lines], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def fill(database: Postgresql, name: str, person: str, email: str) -> None:
    """Put one row of a person into every table that has rules, the person in every column that the rules name."""
    classified = rules(DATABASES[name])["tables"]
    columns = database.superuser(
        "SELECT table_name, column_name, data_type,"
        " CASE WHEN is_nullable = 'NO' AND column_default IS NULL THEN 'NO' ELSE 'YES' END"
        " FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY 1, 2",
        name,
    )
    tables: dict[str, dict[str, tuple[str, str]]] = {}
    for line in columns.splitlines():
        table, column, kind, nullable = line.split("|")
        tables.setdefault(table, {})[column] = (kind, nullable)
    keys = database.superuser(
        "SELECT c.conrelid::regclass, a.attname, c.confrelid::regclass, b.attname FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1] WHERE c.contype = 'f'",
        name,
    )
    statements = ["SET session_replication_role = replica"]
    made: dict[str, dict[str, str]] = {}
    for table, rule in classified.items():
        if table in tables:
            made[table] = row_of(table, tables[table], rule, person, email)
    for line in keys.splitlines():
        table, column, parent, key = (part.strip('"') for part in line.split("|"))
        if column in made.get(table, {}):
            made[table][column] = made.get(parent, {}).get(key, "NULL")
    for table, row in made.items():
        if row:
            names = ", ".join(f'"{column}"' for column in row)
            statements.append(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(row.values())})')
    database.superuser(";\n".join(statements), name)


def row_of(
    table: str, columns: dict[str, tuple[str, str]], rule: dict[str, Any], person: str, email: str
) -> dict[str, str]:
    """Return column to SQL literal."""
    row = {}
    owners = [*rule.get("delete", ()), *rule.get("hand_over", ()), *rule.get("clear", ())]
    owners += [rule["shared"]] if "shared" in rule else []
    parents = {**rule.get("with", {}), **rule.get("forget", {})}
    for column, (kind, nullable) in columns.items():
        text = kind in ("text", "character varying")
        if "email" in column and text:
            row[column] = f"'{email}'"
        elif column in owners or (table in ("user", "auth") and column == "id"):
            row[column] = f"'{person}'"
        elif column == "collection_name":
            row[column] = f"'user-memory-{person}'"
        elif column in parents and text:
            row[column] = f"'{parents[column]}-{person[:3]}'"
        elif column == "id" and text:
            row[column] = f"'{table}-{person[:3]}'"
        elif kind in ("json", "jsonb") and nullable == "YES":
            row[column] = f"""'{{"by": "{person}"}}'"""
        elif nullable == "NO":
            row[column] = FILLED.get(kind, f"'{table}-{column}-{person[:3]}'")
    return row


def rows(schemas: Schemas, database: str, *names: str) -> dict[str, str]:
    """Return, by table, the rows in which one of these names stands."""
    found = {}
    tables = schemas.sql(database, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
    where = " OR ".join(f"strpos(lower(t::text), '{name}') > 0" for name in names)
    for table in tables.splitlines():
        if text := schemas.sql(database, f"SELECT t::text FROM {table} t WHERE {where} ORDER BY 1"):
            found[table] = text
    return found


@pytest.mark.parametrize("database", DATABASES)
def test_every_table_and_column_of_the_rules_is_there(schemas: Schemas, database: str) -> None:
    """A table that a new version renamed would leave its rule without effect."""
    found = schemas.sql(database, "SELECT table_name || '.' || column_name FROM information_schema.columns").split()
    named = {
        f"{table}.{column}"
        for table, rule in rules(DATABASES[database])["tables"].items()
        for key in ("delete", "hand_over", "clear", "keep", "anywhere", "with", "forget", "named")
        for column in rule.get(key, ())
    }
    assert named - set(found) == set()


@pytest.mark.parametrize("database", DATABASES)
def test_a_column_that_no_rule_knows_stops_everything(schemas: Schemas, database: str) -> None:
    schemas.sql(database, "CREATE TABLE diary (id text, user_id text)")
    before = rows(schemas, database, *ROSA)
    try:
        with pytest.raises(Exception, match=r"diary\.user_id"):
            Person(ROSA[1], schemas.places).erase()
    finally:
        schemas.sql(database, "DROP TABLE diary")
    assert rows(schemas, database, *ROSA) == before


def test_a_person_in_every_column_is_gone_and_the_other_one_untouched(schemas: Schemas) -> None:
    others = {database: rows(schemas, database, *MIA) for database in DATABASES}
    before = {database: rows(schemas, database, *ROSA) for database in DATABASES}
    counted = Person(ROSA[1], schemas.places).count()
    assert {database: rows(schemas, database, *ROSA) for database in DATABASES} == before
    report = Person(ROSA[1], schemas.places).erase()
    assert report["chat"]["deleted"] == counted["chat"]["deleted"]
    assert {database: rows(schemas, database, *ROSA) for database in DATABASES} == {
        "open_webui": {},
        "litellm": {},
    }
    assert {database: rows(schemas, database, *MIA) for database in DATABASES} == others
    assert "document_chunk" in report["chat"]["deleted"]
