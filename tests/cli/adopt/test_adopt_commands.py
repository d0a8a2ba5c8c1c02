"""`llmctl adopt`: counts first, asks for the environment's name, and keeps rows and addresses off command lines."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.adopt import commands as adopt
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core import environment_file
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.fake_tools import CONTEXT, Tools, install
from tests.support.cli.terminals import Nobody, answering

SCHEMA = """
CREATE TABLE user (id TEXT, email TEXT);
CREATE TABLE chat (id TEXT, user_id TEXT, chat JSON);
CREATE TABLE file (id TEXT, path TEXT);
CREATE TABLE api_key (id TEXT, key TEXT);
CREATE TABLE alembic_version (version_num TEXT);
INSERT INTO user VALUES ('u', 'rosa@example.com');
INSERT INTO chat VALUES ('c', 'u', '{"text": "the pearl lies under the stair"}');
INSERT INTO file VALUES ('f', '/app/backend/data/uploads/f_lost.txt');
INSERT INTO api_key VALUES ('k', 'sk-1');
INSERT INTO alembic_version VALUES ('abc');
"""
TAKEN = {"source": 1, "to_take": 1, "added": 1, "there": 0, "other_value_there": 0, "without_parent": 0, "left": 0,
         "before": 0, "after": 1}  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "webui.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
    return path


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tools]:
    found = install(tmp_path / "tools", monkeypatch)
    (found.folder / "exec-deployment").mkdir()
    report = {"there": {"chat": 0}, "matched": 1, "tables": {"chat": TAKEN}}
    found.write("exec-deployment/open-webui", json.dumps({"report": report}) + "\n")
    yield found
    for call in found.calls:
        assert not any("pearl" in word or "rosa" in word or "postgresql://" in word for word in call)


def run(*words: str, terminal: Terminal | None = None) -> Result:
    given = CommandTools(
        kubectl_of=lambda _environment: Kubectl(CONTEXT),
        entra_logins=lambda emails: {email: "an-object-id" for email in emails if "rosa" in email},
        terminal=terminal or Nobody(),
    )
    return CliRunner().invoke(adopt.app, words, obj=given)


@pytest.mark.usefixtures("tools")
def test_a_dry_run_shows_counts_and_asks_nothing(database: Path) -> None:
    result = run("chat", "dev", "--from", f"sqlite:{database}", "--dry-run")
    assert result.exit_code == 0, result.output
    for line in (
        "accounts: 1, of which 1 are here already",
        "chat: 1 in the source, 0 here",
        "stays behind: api_key, 1 rows: keys; people make new ones",
        "vectors: Documents are searchable after an administrator has chosen",
    ):
        assert line in " ".join(result.stdout.split())
    assert "pearl" not in result.output


@pytest.mark.usefixtures("tools")
def test_accounts_that_nobody_logs_in_to_are_named(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO user VALUES ('v', 'left@example.com')")
        connection.commit()
    result = run("chat", "dev", "--from", f"sqlite:{database}", "--dry-run", "--json")
    assert json.loads(result.stdout)["accounts_without_login"] == ["left@example.com"]


@pytest.mark.parametrize("typed", ["", "y", "yes", "DEV", "prod"])
def test_only_the_environments_name_agrees(tools: Tools, database: Path, typed: str) -> None:
    result = run("chat", "dev", "--from", f"sqlite:{database}", terminal=answering(typed))
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code == ExitCode.REFUSED
    assert "nothing was written" in result.exception.message
    assert len(tools.calls) == 1


def test_what_was_taken_is_told_by_table(tools: Tools, database: Path) -> None:
    result = run("chat", "dev", "--from", f"sqlite:{database}", "--json", terminal=answering("dev"))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["tables"]["chat"]["added"] == 1
    assert len(tools.calls) == 2


def test_a_refusal_in_the_pod_is_told_in_one_sentence(tools: Tools, database: Path) -> None:
    tools.write("exec-deployment/open-webui", json.dumps({"refused": "the source is newer"}))
    result = run("chat", "dev", "--from", f"sqlite:{database}", "--confirm", "dev")
    assert isinstance(result.exception, OperatorError)
    assert result.exception.message == "the source is newer; nothing was taken"


def test_files_that_the_database_names_and_the_folder_lacks_are_counted(
    tools: Tools, database: Path, tmp_path: Path
) -> None:
    (tmp_path / "uploads").mkdir()
    tools.write(
        "exec-deployment/open-webui",
        json.dumps({"report": {"there": {}, "matched": 0, "free": 1}}) + "\n",
    )
    words = ("chat", "dev", "--from", f"sqlite:{database}", "--uploads", str(tmp_path / "uploads"), "--dry-run")
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert "1 files that the database names are not in the folder" in result.stdout


@pytest.mark.parametrize("command", ["chat", "keys"])
def test_an_address_on_the_command_line_is_refused(tools: Tools, command: str) -> None:
    result = run(command, "dev", "--from", "postgresql://me@host/db")
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code == ExitCode.USAGE
    assert tools.calls == []


def test_keys_come_from_postgresql_alone(tools: Tools, database: Path) -> None:
    result = run("keys", "dev", "--from", f"sqlite:{database}")
    assert isinstance(result.exception, OperatorError)
    assert "LiteLLM keeps its keys in PostgreSQL" in result.exception.message
    assert tools.calls == []


@pytest.fixture
def ollama_list(tmp_path: Path) -> Path:
    path = tmp_path / "list"
    path.write_text(
        "NAME ID SIZE MODIFIED\n"
        "phi3.5:latest    61819fb370a3    2.2 GB    now\n"
        "smollm2:135m    61819fb370a4    271 MB    now\n"
        "llama3.1:405b    61819fb370a5    243 GB    now\n"
    )
    return path


def test_models_that_fit_are_entries_and_others_are_named_with_the_rule(ollama_list: Path) -> None:
    before = environment_file.file_of("dev").read_text()
    result = run("models", "dev", "--from", f"list:{ollama_list}", "--pool", "t4", "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["there"] == ["phi3.5"]
    assert report["added"] == [
        {"name": "smollm2-135m", "engine": "ollama", "id": "smollm2:135m", "pool": "t4", "weights_gib": "0.3"}
    ]
    assert "GiB" in report["refused"]["llama3.1:405b"]
    assert environment_file.file_of("dev").read_text() == before


def test_models_are_written_only_with_the_name(ollama_list: Path) -> None:
    before = environment_file.file_of("dev").read_text()
    result = run("models", "dev", "--from", f"list:{ollama_list}", "--pool", "t4", terminal=answering("no"))
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code == ExitCode.REFUSED
    assert environment_file.file_of("dev").read_text() == before
