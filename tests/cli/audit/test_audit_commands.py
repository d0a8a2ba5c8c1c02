"""`llmctl audit`: what is asked of Log Analytics, and how the answer is shown."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.applications.audit.log import queries
from scripts.cli.audit.commands import What, app
from scripts.cli.tools import Tools
from scripts.core.errors import ExitCode, OperatorError
from stacks.aks.logs import CONTROL_PLANE_LOGS, VAULT_LOGS
from stacks.platform.common.catalogue import fixed_values
from stacks.platform.components.chat import names as chat
from stacks.platform.components.llm_gateway import address as gateway
from tests.support.cli.fake_tools import install

WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
COLUMNS = ["Time", "Who", "Did", "On", "Came", "Result"]
AZ = """
import json, pathlib, sys
folder = pathlib.Path(FOLDER)
words = sys.argv[1:]
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps(["az", *words]) + "\\n")
query = json.loads(words[words.index("--body") + 1])["query"]
for name in ("ContainerLogV2", "AzureDiagnostics", "AKSAuditAdmin"):
    if name in query:
        path = folder / name
        if not path.exists():
            sys.exit("ERROR: Bad Request SEM0100: 'where' operator: Failed to resolve table expression named " + name)
        sys.stdout.write(path.read_text())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tools = install(tmp_path / "tools", monkeypatch)
    program = tools.bin / "az"
    program.write_text(f"{program.read_text().splitlines()[0]}\nFOLDER = {str(tools.folder)!r}\n{AZ}")
    return tools.folder


def answer(folder: Path, table: str, *rows: tuple[str | None, ...]) -> None:
    columns = [{"name": name, "type": "string"} for name in COLUMNS]
    (folder / table).write_text(json.dumps({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}))


def run(*words: str) -> Result:
    outputs = {"aks": {"log_analytics_workspace_id": WORKSPACE}}
    return CliRunner().invoke(app, ["dev", *words], obj=Tools(outputs_of=lambda *_words: outputs))


def test_deeds_of_all_places_are_told_in_order(folder: Path) -> None:
    answer(
        folder,
        "AzureDiagnostics",
        ("2026-11-02T10:00:00Z", "ada@example.com", "SecretGet", "/secrets/a", "192.0.2.1", "OK"),
    )
    answer(folder, "AKSAuditAdmin", ("2026-11-01T10:00:00Z", "ada@example.com", "delete", "chat/pods x", None, "200"))
    answer(folder, "ContainerLogV2")
    result = run("--since", "7d")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "2026-11-01T10:00:00Z cluster: ada@example.com delete chat/pods x: 200",
        "2026-11-02T10:00:00Z vault: ada@example.com SecretGet /secrets/a from 192.0.2.1: OK",
    ]


def test_the_time_and_the_workspace_stand_in_the_request(folder: Path) -> None:
    answer(folder, "AzureDiagnostics")
    assert run("--what", "vault", "--since", "36h").exit_code == 0
    (call,) = [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
    assert call[:4] == ["az", "rest", "--method", "POST"]
    assert f"https://api.loganalytics.io/v1{WORKSPACE}/query" in call
    assert json.loads(call[call.index("--body") + 1])["timespan"] == "PT36H"


@pytest.mark.usefixtures("folder")
def test_a_table_that_nothing_was_written_to_is_no_failure() -> None:
    result = run("--what", "cluster", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == []
    assert "cluster: nothing has been logged yet" in result.stderr


@pytest.mark.parametrize("since", ["0h", "24", "1w", "-1d", "", "31d"])
def test_a_time_that_nothing_is_kept_for_is_refused(folder: Path, since: str) -> None:
    result = run("--since", since)
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code == ExitCode.USAGE
    assert not (folder / "calls").exists()


def test_every_place_has_a_query_with_the_same_columns() -> None:
    assert set(queries()) == {one.value for one in What}
    for query in queries().values():
        last = query.rpartition("| project")[2]
        assert [name for name in COLUMNS if not re.search(rf"\b{name}\b", last)] == []


def test_queries_ask_for_what_is_collected_under_its_own_names() -> None:
    assert f'PodNamespace == "{chat.NAMESPACE}" and ContainerName == "{chat.RELEASE}"' in queries()["chat"]
    assert f'PodNamespace == "{gateway.NAMESPACE}" and ContainerName == "proxy"' in queries()["gateway"]
    assert f'Category == "{VAULT_LOGS[0]}"' in queries()["vault"]
    assert "kube-audit-admin" in CONTROL_PLANE_LOGS


def test_the_chat_writes_who_changed_what_to_its_log_and_no_texts() -> None:
    given = fixed_values(chat.RELEASE)["extraEnvVars"]
    assert (given["AUDIT_LOG_LEVEL"], given["ENABLE_AUDIT_STDOUT"]) == ("METADATA", "True")
    logged = set(given["AUDIT_INCLUDED_PATHS"].split(","))
    assert {"users", "groups", "configs", "functions", "tools", "models"} <= logged
    assert not logged & {"chats", "chat", "memories", "notes", "channels", "evaluations"}
