"""`llmctl privacy`: counts before it asks, asks for the address, and keeps names and texts off command lines."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner, Result

from scripts.applications.privacy.person import Person, Places, rules
from scripts.cli.privacy import commands as privacy
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.fake_tools import CONTEXT, Tools, install
from tests.support.cli.terminals import Nobody, answering
from tests.support.web_servers import QuietHandler, port_of, served

EMAIL = "rosa@example.com"
SECRET_TEXT = "the pearl lies under the stair"
CHAT = {
    "account": True,
    "ids": ["u-1"],
    "related": {"chat": ["c-1", "c-2"]},
    "deleted": {"chat": 2, "memory": 1},
    "handed_over": {"model": 1},
    "shared": [{"kind": "knowledge", "title": "handbook", "becomes": "kept"}],
    "mentions": {"chat.chat": 3},
    "files": {"removed": 1, "elsewhere": []},
}
GATEWAY = {"account": False, "ids": [], "related": {}, "deleted": {"LiteLLM_SpendLogs": 4}, "mentions": {}}


class Opik:
    """Opik's interface with two traces of one chat and one of another person."""

    def __init__(self) -> None:
        self.traces = {"t-1": "c-1", "t-2": "c-2", "t-3": "c-9"}
        self.deleted: list[tuple[str, Any]] = []

    def get(self, path: str, query: Mapping[str, list[str]]) -> Any:
        if path.endswith("/projects"):
            return {"content": [{"id": "p-1"}], "total": 1}
        if path.endswith("/traces"):
            (asked,) = json.loads(query["filters"][0])
            found = [
                one for one, chat in self.traces.items() if (asked["field"], asked["value"]) == ("thread_id", chat)
            ]
            return {"content": [{"id": one} for one in found], "total": len(found)}
        if path.endswith("/spans"):
            return {"content": [{"id": "s", "input": SECRET_TEXT}], "total": 1}
        return {"id": path.rpartition("/")[2], "input": SECRET_TEXT}


@pytest.fixture
def opik() -> Iterator[tuple[Opik, int]]:
    found = Opik()

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.answer_json(200, found.get(parts.path, parse_qs(parts.query)))

        def do_POST(self) -> None:
            found.deleted.append((self.path, json.loads(self.body())))
            self.answer(200, b"{}")

    with served(Handler) as address:
        yield found, port_of(address)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opik: tuple[Opik, int]) -> Iterator[Tools]:
    found = install(tmp_path / "tools", monkeypatch)
    (found.folder / "exec-deployment").mkdir()
    found.write("exec-deployment/open-webui", json.dumps({"report": CHAT}) + "\n")
    found.write("exec-deployment/litellm", "a greeting\n" + json.dumps({"report": GATEWAY}) + "\n")
    found.write("forward-port", str(opik[1]))
    yield found
    for call in found.calls:
        assert not any(EMAIL in word or "u-1" in word or "c-1" in word for word in call)


def run(*words: str, terminal: Terminal | None = None) -> Result:
    given = CommandTools(kubectl_of=lambda _environment: Kubectl(CONTEXT), terminal=terminal or Nobody())
    return CliRunner().invoke(privacy.app, words, obj=given)


def places_of(tools: Tools) -> list[str]:
    return [call[6] for call in tools.calls if call[3] == "exec"]


@pytest.mark.usefixtures("tools")
def test_a_dry_run_counts_names_what_others_use_and_asks_nothing(opik: tuple[Opik, int]) -> None:
    result = run("erase", "dev", EMAIL, "--dry-run")
    assert result.exit_code == 0, result.output
    said = result.stdout
    assert "chat: 3 rows would be erased" in said
    assert "used by others: knowledge 'handbook': kept" in said
    assert "chat.chat: 3 rows of others mention the person and stay" in said
    assert "gateway: no account; 4 rows would be erased" in said
    assert "traces: 2 would be erased" in said
    assert "stays: PostgreSQL's backups: 7 days. After a restore, erase again." in said
    assert opik[0].deleted == []
    assert "once more" not in said


@pytest.mark.usefixtures("tools", "opik")
def test_an_erasure_says_that_it_has_to_be_repeated_after_a_call() -> None:
    result = run("erase", "dev", EMAIL, terminal=answering(EMAIL))
    assert result.exit_code == 0, result.output
    assert "again: the LLM gateway writes what it has counted up to some minutes later" in result.stdout


@pytest.mark.parametrize("typed", ["", "y", "yes", "ROSA@example.com", "rosa"])
def test_only_the_whole_address_agrees_to_an_erasure(tools: Tools, opik: tuple[Opik, int], typed: str) -> None:
    result = run("erase", "dev", EMAIL, terminal=answering(typed))
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code == ExitCode.REFUSED
    assert opik[0].deleted == []
    assert places_of(tools) == ["deployment/open-webui", "deployment/litellm"]


@pytest.mark.usefixtures("tools")
def test_without_a_person_at_the_terminal_nothing_is_erased(opik: tuple[Opik, int]) -> None:
    result = run("erase", "dev", EMAIL)
    assert isinstance(result.exception, OperatorError)
    assert "nothing was erased" in result.exception.message
    assert opik[0].deleted == []


def test_the_chat_is_erased_last_since_it_names_the_rest(tools: Tools, opik: tuple[Opik, int], tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    result = run("erase", "dev", EMAIL, "--report", str(file), "--json", terminal=answering(EMAIL))
    assert result.exit_code == 0, result.output
    counted, erased = ["deployment/open-webui", "deployment/litellm"], ["deployment/litellm", "deployment/open-webui"]
    assert places_of(tools) == [*counted, "deployment/open-webui", *erased]
    assert opik[0].deleted == [
        ("/api/v1/private/traces/delete", {"ids": ["t-1", "t-2"], "project_id": "p-1"}),
        ("/api/v1/private/traces/threads/delete", {"project_id": "p-1", "thread_ids": ["c-1", "c-2"]}),
    ]
    assert json.loads(file.read_text())["chat"]["deleted"] == {"chat": 2, "memory": 1}
    assert "run the same command once more" in json.loads(file.read_text())["again"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_refusal_inside_the_pod_changes_nothing_anywhere(tools: Tools, opik: tuple[Opik, int]) -> None:
    tools.write("exec-deployment/open-webui", json.dumps({"refused": "this is the last administrator's account"}))
    result = run("erase", "dev", EMAIL, terminal=answering(EMAIL))
    assert isinstance(result.exception, OperatorError)
    assert "last administrator" in result.exception.message
    assert opik[0].deleted == []
    assert places_of(tools) == ["deployment/open-webui"]


def test_an_export_is_for_its_owner_alone_and_prints_no_text(tools: Tools, tmp_path: Path) -> None:
    lines = (
        {"table": "chat", "row": {"title": SECRET_TEXT}},
        {"file": "../../f-1-etc/passwd", "part": "cGVhcmw="},
        {"report": CHAT | {"rows": {"chat": 1}}},
    )
    tools.write("exec-deployment/open-webui", "".join(json.dumps(line) + "\n" for line in lines))
    folder = tmp_path / "out"
    result = run("export", "dev", EMAIL, "--output", str(folder))
    assert result.exit_code == 0, result.output
    assert SECRET_TEXT not in result.output
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert set(files) == {
        "chat/chat.jsonl",
        "chat/files/_.._f-1-etc_passwd",
        "traces/traces.jsonl",
        "traces/spans.jsonl",
        "report.json",
    }
    assert SECRET_TEXT in files["traces/spans.jsonl"].read_text()
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_export_writes_over_nothing(tools: Tools, tmp_path: Path) -> None:
    result = run("export", "dev", EMAIL, "--output", str(tmp_path))
    assert isinstance(result.exception, OperatorError)
    assert places_of(tools) == []


@pytest.mark.parametrize("person", ["rosa", "@example.com", "rosa@", "rosa @example.com", ""])
def test_what_is_no_address_is_refused(tools: Tools, person: str) -> None:
    result = run("erase", "dev", person, "--dry-run")
    assert isinstance(result.exception, OperatorError)
    assert places_of(tools) == []


def test_a_program_that_ends_without_a_report_is_no_success() -> None:
    places = Places(chat=lambda _program, _parameters: iter(()), gateway=None, opik=None)
    with pytest.raises(OperatorError, match="without a report"):
        Person(EMAIL, places).erase()


@pytest.mark.parametrize("place", ["chat", "gateway"])
def test_parents_come_before_their_children(place: str) -> None:
    """Rows of a child are chosen by the ids of its parent's."""
    tables = list(rules(place)["tables"])
    for table, rule in rules(place)["tables"].items():
        parents = {*rule.get("with", {}).values(), *(one for named in rule.get("named", {}).values() for one in named)}
        for parent in parents - {"person"}:
            assert tables.index(parent) < tables.index(table), f"{table} before {parent}"
