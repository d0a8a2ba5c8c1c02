"""`llmctl doctor`: what is found is shown with its fix, mended only when somebody agrees, and ends by result."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.doctor import commands as doctor
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from scripts.diagnostics.doctor.problems import PROBLEMS
from scripts.diagnostics.doctor.snapshot import KINDS
from tests.support.cli.operated_environment import Operated, deploy_once, operate
from tests.support.cli.terminals import answering

pytestmark = pytest.mark.programs
REFUSED = {"reason": "ImagePullBackOff", "message": "401 Unauthorized"}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        return deploy_once(tmp_path_factory.mktemp("deployed"), patch)


@pytest.fixture
def operated(deployed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operated:
    found = operate(deployed, tmp_path / "dev", monkeypatch)
    for kind in (*KINDS, "secrets,configmaps"):
        found.tools.items(kind)
    found.tools.write(
        "aks.json", {"name": "llm-dev", "resourceGroup": "llm-dev-aks", "powerState": {"code": "Running"}}
    )
    return found


def run(operated: Operated, *words: str, terminal: Terminal | None = None) -> Result:
    tools = operated.command_tools
    if terminal:
        object.__setattr__(tools, "terminal", terminal)
    return CliRunner().invoke(doctor.app, ["dev", *words], obj=tools)


def refuse_a_pull(operated: Operated) -> None:
    status = {"phase": "Pending", "containerStatuses": [{"name": "c", "state": {"waiting": REFUSED}}]}
    meta = {"name": "web-1", "namespace": "chat", "creationTimestamp": "2026-01-01T00:00:00Z"}
    operated.tools.items("pods", {"metadata": meta, "spec": {"nodeName": "n"}, "status": status})


def deletions(operated: Operated) -> list[Any]:
    return [call[3:] for call in operated.tools.calls if call[3:4] == ["delete"]]


def test_nothing_is_found_where_nothing_is_wrong(operated: Operated) -> None:
    result = run(operated)
    assert result.exit_code == 0, result.output
    assert f"None of {len(PROBLEMS)} known problems was found in dev" in " ".join(result.output.split())


def test_problem_is_shown_with_its_fix_and_the_code_says_so(operated: Operated) -> None:
    refuse_a_pull(operated)
    result = run(operated)
    assert result.exit_code == ExitCode.FAILED
    text = " ".join(result.output.split())
    assert "chat/web-1: 401 Unauthorized Fix: `llmctl deploy dev registry aks`" in text
    assert "1 problem; `llmctl doctor dev --fix` can mend 1 of them" in text
    assert deletions(operated) == []
    (found,) = json.loads(run(operated, "--json").stdout)["findings"]
    assert (found["id"], found["where"]) == ("image-pull-refused", "chat/web-1")


@pytest.mark.parametrize(("answer", "deleted"), [("y", True), ("n", False), ("", False)])
def test_repair_is_made_only_when_somebody_agrees(operated: Operated, answer: str, *, deleted: bool) -> None:
    refuse_a_pull(operated)
    terminal = answering([answer])
    run(operated, "--fix", terminal=terminal)
    assert terminal.asked == ["delete the pod chat/web-1, so that its image is pulled again at once? [y/N]"]
    assert [words[:5] for words in deletions(operated)] == (
        [["delete", "pod", "web-1", "-n", "chat"]] if deleted else []
    )


def test_repair_that_the_cluster_refuses_is_said_and_the_others_are_made(operated: Operated) -> None:
    refuse_a_pull(operated)
    operated.tools.write("refuse-delete", "you may not")
    result = run(operated, "--fix", "--yes")
    assert "chat/web-1: kubectl delete failed: error: you may not" in " ".join(result.output.split())


@pytest.mark.parametrize(("words", "code"), [(("--fix",), ExitCode.REFUSED), (("--fix", "--json"), ExitCode.USAGE)])
def test_nobody_there_to_ask_mends_nothing(operated: Operated, words: tuple[str, ...], code: ExitCode) -> None:
    refuse_a_pull(operated)
    error = run(operated, *words).exception
    assert isinstance(error, OperatorError)
    assert error.code == code
    assert operated.tools.calls == []


def test_expired_login_is_the_one_finding_and_the_cluster_is_not_asked(operated: Operated) -> None:
    (operated.tools.folder / "aks.json").unlink()
    told = json.loads(run(operated, "--json").stdout)
    assert [one["id"] for one in told["findings"]] == ["login-expired"]
    assert told["not_checked"] == ["the cluster was not asked"]
    assert not [call for call in operated.tools.calls if call[3:4] == ["get"]]


def test_stopped_cluster_is_the_one_finding(operated: Operated) -> None:
    operated.tools.write("aks.json", {"name": "llm", "resourceGroup": "rg", "powerState": {"code": "Stopped"}})
    text = " ".join(run(operated).output.split())
    assert "The cluster is stopped" in text
    assert "az aks start --name llm --resource-group rg" in text


def test_kind_that_may_not_be_read_is_named_and_the_rest_is_looked_at(operated: Operated) -> None:
    refuse_a_pull(operated)
    (operated.tools.folder / "get-events.json").unlink()
    told = json.loads(run(operated, "--json").stdout)
    assert [one["id"] for one in told["findings"]] == ["image-pull-refused"]
    assert any("events cannot be listed" in note for note in told["not_checked"])
