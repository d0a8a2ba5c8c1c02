"""Sources of an adoption: one sentence for each that cannot be read, and the source as it was."""

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.applications.adoption.copying import Copying
from scripts.applications.adoption.source import Place
from scripts.applications.adoption.sqlite_source import open_sqlite
from scripts.applications.adoption.vectors import embedding_model, require_same_model
from scripts.core.errors import ExitCode, OperatorError

SCHEMA = """
CREATE TABLE user (id TEXT, email TEXT, api_key TEXT, oauth TEXT);
CREATE TABLE chat (id TEXT, user_id TEXT, chat JSON);
CREATE TABLE file (id TEXT, path TEXT);
CREATE TABLE auth (id TEXT, password TEXT);
CREATE TABLE surprise (id TEXT);
CREATE TABLE alembic_version (version_num TEXT);
INSERT INTO user VALUES ('u', 'rosa@example.com', 'sk-1', 'token');
INSERT INTO chat VALUES ('c', 'u', '{"text": "a\\u0000b \\\\u0000"}');
INSERT INTO auth VALUES ('u', 'hash');
INSERT INTO surprise VALUES ('s');
INSERT INTO alembic_version VALUES ('abc');
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "webui.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
    return path


def opened(words: str, **environment: str) -> None:
    with Place.of(words, environment).open() as source:
        source.tables()


def nothing(*_arguments: object, **_more: object) -> Iterator[dict[str, object]]:
    raise AssertionError("nothing may be started")


Opener = Callable[[Path], Copying]


@pytest.fixture
def copying() -> Iterator[Opener]:
    """Open sources until the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda path: Copying(stack.enter_context(Place("sqlite", str(path)).open()), "chat", nothing)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("postgresql://me@host/db", "a command line shows to everybody"),
        ("webui.db", "names no source"),
        ("sqlite:", "names no source"),
        ("env:NOWHERE", "the variable NOWHERE holds no address"),
        ("file:/does/not/exist", "cannot be read"),
        ("sqlite:/does/not/exist", "cannot be read"),
    ],
)
def test_a_source_that_is_none_is_refused_in_one_sentence(words: str, sentence: str) -> None:
    with pytest.raises(OperatorError, match=sentence) as caught:
        opened(words)
    assert caught.value.code == ExitCode.USAGE
    assert "\n" not in caught.value.message


def test_a_password_in_an_address_is_never_told() -> None:
    with pytest.raises(OperatorError, match="does not answer") as caught:
        opened("env:OLD", OLD="postgresql://me{}@127.0.0.1:9/db".format(":hidden-word"))
    assert "hidden-word" not in f"{caught.value.message} {caught.value.fix}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\x13\x07encrypted pages" * 50, "is encrypted"),
        (b"SQLite format 3\0" + b"\0" * 84, "cannot be opened|damaged"),
    ],
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "webui.db"
    path.write_bytes(content)
    with pytest.raises(OperatorError, match=sentence):
        opened(f"sqlite:{path}")


def test_a_half_copy_is_refused(database: Path) -> None:
    content = database.read_bytes()
    database.write_bytes(content[: len(content) - 4096])
    with pytest.raises(OperatorError, match="half or damaged copy"):
        opened(f"sqlite:{database}")


def test_a_file_that_its_writer_holds_is_refused(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OperatorError, match="locked by its writer"), open_sqlite(database, busy_s=0.05):
            pass
        writer.execute("ROLLBACK")


def test_another_program_s_database_is_refused(copying: Opener, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE user (id TEXT)")
    with pytest.raises(OperatorError, match="no database of Open WebUI: it has no table chat"):
        copying(path)


def test_secret_columns_and_tables_are_not_read_and_unknown_tables_are_named(copying: Opener, database: Path) -> None:
    found = copying(database)
    assert found.tables["user"] == ["id", "email"]
    assert "auth" not in found.tables
    assert found.left() == {
        "auth": "1 rows: passwords; people log in by Entra",
        "surprise": "1 rows: nothing that this version knows",
        "alembic_version": "1 rows: the schema's revision",
    }
    text = b"".join(found._lines()).decode()
    assert "sk-1" not in text
    assert "hash" not in text


def test_what_postgresql_cannot_hold_is_left_out_of_texts(copying: Opener, database: Path) -> None:
    lines = b"".join(copying(database)._lines()).decode()
    # The one character goes; the words that only look like it stay.
    assert r"ab \\\\u0000" in lines


@pytest.mark.parametrize("revisions", [[], ["a", "b"]])
def test_a_schema_without_a_single_revision_is_refused(copying: Opener, database: Path, revisions: list[str]) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM alembic_version")
        connection.executemany("INSERT INTO alembic_version VALUES (?)", [(one,) for one in revisions])
        connection.commit()
    with pytest.raises(OperatorError, match="no single revision"):
        copying(database).revision()


def test_two_accounts_with_one_address_are_refused(copying: Opener, database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO user VALUES ('v', 'Rosa@example.com', NULL, NULL)")
        connection.commit()
    with pytest.raises(OperatorError, match=r"two accounts have one e-mail address: rosa@example\.com"):
        copying(database).people()


def test_the_source_is_only_read(copying: Opener, database: Path) -> None:
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    found = copying(database)
    assert found.counts() == {"user": 1, "chat": 1, "file": 0}
    assert found.revision() == "abc"
    list(found._lines())
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        found.source.connection.execute("DELETE FROM chat")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("config (key TEXT, value JSON)", ("rag.embedding_model", '"all-MiniLM"')),
        ("config (id INTEGER, data JSON)", (1, '{"rag": {"embedding_model": "all-MiniLM"}}')),
    ],
)
def test_the_embedding_model_is_read_from_old_and_new_settings(
    database: Path, table: str, row: tuple[object, ...]
) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(f"CREATE TABLE {table}")
        connection.execute("INSERT INTO config VALUES (?, ?)", row)
        connection.commit()
    with Place("sqlite", str(database)).open() as source:
        assert embedding_model(source) == "all-MiniLM"
        with pytest.raises(OperatorError, match="no vectors in PostgreSQL"):
            require_same_model(source, {})
