"""`llmctl models ask` and `warm`: one question from the chat's pod, and the answer alone on standard output."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.models import commands as models
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.fake_tools import CONTEXT, Tools, install


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    return install(tmp_path / "tools", monkeypatch)


def say(tools: Tools, status: int, said: str) -> None:
    folder = tools.folder / "exec-deployment"
    folder.mkdir(exist_ok=True)
    (folder / "open-webui").write_text(json.dumps({"status": status, "said": said}))


def run(*words: str) -> Result:
    command_tools = CommandTools(kubectl_of=lambda _environment: Kubectl(CONTEXT))
    return CliRunner().invoke(models.app, words, obj=command_tools)


def test_an_answer_is_printed_alone(tools: Tools) -> None:
    say(tools, 200, json.dumps({"choices": [{"message": {"content": "A span is\\na step."}}]}))
    result = run("ask", "phi3.5", "What is a span?", "dev", "--max-tokens", "50")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "A span is\\na step.\n")
    (call,) = (call for call in tools.calls if "exec" in call)
    assert call[-4:-2] == ["phi3.5", "What is a span?"]
    assert call[-1] == "50"


def test_a_model_is_started_by_a_short_question(tools: Tools) -> None:
    say(tools, 200, json.dumps({"choices": [{"message": {"content": "Yes."}}]}))
    result = run("warm", "gpt-oss", "dev")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")
    assert "gpt-oss answers" in result.stderr


@pytest.mark.parametrize(
    ("status", "says"), [(503, "phi3.5 answers 503: no GPU"), (0, "phi3.5 gives no answer: no GPU")]
)
def test_a_model_that_does_not_answer_ends_in_a_sentence(tools: Tools, status: int, says: str) -> None:
    say(tools, status, "no GPU")
    result = run("ask", "phi3.5", "Hello", "dev")
    assert isinstance(result.exception, OperatorError)
    assert (result.exception.message, result.exception.code) == (says, ExitCode.FAILED)


@pytest.mark.parametrize("words", [["ask", "nosuch", "Hello", "dev"], ["warm", "nosuch", "dev"]])
def test_a_model_that_is_not_served_is_refused_before_the_cluster_is_asked(tools: Tools, words: list[str]) -> None:
    result = run(*words)
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code is ExitCode.USAGE
    assert tools.calls == []
