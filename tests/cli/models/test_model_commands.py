"""Models changed from the command line, with the real Terraform, and what happens when a step fails."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.engines import vllm
from scripts.cli.models import commands as models
from scripts.cluster.job_log import JobLog
from scripts.cluster.kubectl import Kubectl
from scripts.core.environment_file import Edit
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.serving.ollama import pull_jobs
from stacks.settings import load_settings
from tests.support.cli.fake_tools import CONTEXT
from tests.support.cli.operated_environment import Operated, deploy_once, operate
from tests.support.llm_gateway.litellm_process import Upstream, upstream

pytestmark = pytest.mark.programs

NEW = ("qwen3-4b", "dev", "--engine", "ollama", "--id", "qwen3:4b", "--pool", "t4", "--weights-gib", "2.5")
BROKEN = {"lifecycle": {"postcondition": [{"condition": "${self.output == timestamp()}", "error_message": "no"}]}}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return deploy_once(tmp_path_factory.mktemp("deployed"), monkeypatch)


@pytest.fixture
def operated(deployed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operated:
    found = operate(deployed, tmp_path / "checkout", monkeypatch)
    found.tools.items("pods")
    key = base64.b64encode(b"key-of-vllm").decode()
    found.tools.write("get-secret.json", {"kind": "Secret", "data": {"VLLM_API_KEY": key}})
    return found


@pytest.fixture
def engine(operated: Operated) -> Iterator[Upstream]:
    with upstream() as served:
        operated.tools.write("forward-port", str(served.port))
        yield served


def run(operated: Operated, app: Any, *words: str) -> Result:
    return CliRunner().invoke(app, words, obj=operated.command_tools)


def refused(operated: Operated, app: Any, *words: str) -> OperatorError:
    result = run(operated, app, *words)
    assert isinstance(result.exception, OperatorError), result.output
    return result.exception


def test_list_shows_the_arithmetic_of_the_gpu_check(operated: Operated) -> None:
    (qwen,) = (
        line
        for line in json.loads(run(operated, models.app, "list", "dev", "--json").stdout)
        if line["engine"] == "vllm"
    )
    assert (qwen["needed_gib"], qwen["usable_gib"]) == (pytest.approx(7.075, abs=0.01), 13.1)


def test_added_model_is_deployed_and_stays_in_the_file(operated: Operated) -> None:
    result = run(operated, models.app, "add", *NEW, "--yes")
    assert result.exit_code == ExitCode.OK, result.output
    assert "name: qwen3-4b" in operated.text
    assert "qwen3-4b" in operated.deployed("platform")
    assert "qwen3-4b" not in operated.deployed("identity")


def test_model_that_does_not_fit_its_gpu_changes_nothing(operated: Operated) -> None:
    before, state = operated.text, operated.deployed("platform")
    error = refused(operated, models.app, "add", *NEW[:-1], "40", "--yes")
    assert error.code == ExitCode.SETTINGS
    assert "40 weights" in error.message
    assert (operated.text, operated.deployed("platform")) == (before, state)


def test_without_anybody_to_ask_nothing_is_changed(operated: Operated) -> None:
    before = operated.text
    assert refused(operated, models.app, "add", *NEW).code == ExitCode.REFUSED
    assert refused(operated, models.app, "pull", "dev").code == ExitCode.REFUSED
    assert operated.text == before
    assert not [call for call in operated.tools.calls if "delete" in call]


def test_removed_model_is_gone_from_file_and_platform(operated: Operated) -> None:
    assert run(operated, models.app, "remove", "phi3.5", "dev", "--yes").exit_code == ExitCode.OK
    assert "phi3.5" not in operated.text
    assert "phi3.5" not in operated.deployed("platform")


def test_failed_addition_stays_in_the_file_and_tells_how_to_go_on(operated: Operated) -> None:
    operated.broken = BROKEN
    error = refused(operated, models.app, "add", *NEW, "--yes")
    assert "llmctl deploy dev platform" in error.fix
    assert "qwen3-4b" in operated.text


def test_pull_runs_the_downloads_of_the_named_models_again(operated: Operated) -> None:
    assert run(operated, models.app, "pull", "dev", "--model", "llama3.1-8b", "--yes").exit_code == ExitCode.OK
    (call,) = (call for call in operated.tools.calls if "delete" in call)
    job = next(job.name for job in pull_jobs(load_settings("dev")) if job.arguments == ("llama3.1:8b",))
    assert call[3:6] == ["delete", "jobs", job]


def test_pull_of_a_vllm_model_runs_its_download_again(operated: Operated) -> None:
    result = run(operated, models.app, "pull", "dev", "--model", "qwen2-5-7b", "--yes")
    assert "In the store: Qwen/Qwen2.5-7B-Instruct-AWQ" in result.output


def test_reconfigured_engine_proves_itself_by_an_answer(operated: Operated, engine: Upstream) -> None:
    result = run(operated, vllm.app, "reconfigure", "qwen2-5-7b", "dev", "--set", "context_tokens=8192", "--yes")
    assert result.exit_code == ExitCode.OK, result.output
    assert "context_tokens: 8192" in operated.text
    assert "context_tokens: 8192" in operated.deployed("platform")
    (call,) = engine.calls
    assert call.path == "/vllm-qwen2-5-7b/v1/chat/completions"
    assert call.headers["authorization"] == "Bearer key-of-vllm"
    assert "key-of-vllm" not in result.output


def test_gpu_is_checked_before_anything_else(operated: Operated, engine: Upstream) -> None:
    before, state = operated.text, operated.deployed("platform")
    for value, said in (("weights_gib=15", "15 weights"), ("quantization=bf16", "vllm awq, ollama q4 alone")):
        error = refused(operated, vllm.app, "reconfigure", "qwen2-5-7b", "dev", "--set", value, "--yes")
        assert error.code == ExitCode.SETTINGS
        assert said in error.message
    assert (operated.text, operated.deployed("platform"), engine.calls) == (before, state, [])


def test_engine_that_gives_no_answer_gets_its_old_values_back(operated: Operated, engine: Upstream) -> None:
    before = operated.text
    engine.status, engine.text = 503, "model_starting"
    error = refused(operated, vllm.app, "reconfigure", "qwen2-5-7b", "dev", "--set", "revision=broken", "--yes")
    assert "answers 503" in error.message
    assert "as they were before" in error.message
    assert operated.text == before
    assert "broken" not in operated.deployed("platform")
    assert "name: qwen2-5-7b" in operated.deployed("platform")


def test_deployment_that_fails_is_undone(operated: Operated, engine: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    before = operated.text
    operated.broken = BROKEN
    undo = Edit.undo

    def repaired(edit: Edit) -> None:
        operated.broken = {}
        undo(edit)

    monkeypatch.setattr(Edit, "undo", repaired)
    error = refused(operated, vllm.app, "reconfigure", "qwen2-5-7b", "dev", "--set", "context_tokens=4096", "--yes")
    assert "the deployment failed; file and deployment are as they were before" in error.message
    assert operated.text == before
    assert "context_tokens: 4096" not in operated.deployed("platform")
    assert engine.calls == []


def test_values_that_it_has_already_deploy_nothing(operated: Operated) -> None:
    error = refused(operated, vllm.app, "reconfigure", "qwen2-5-7b", "dev", "--set", "context_tokens=16384", "--yes")
    assert error.code == ExitCode.REFUSED
    assert operated.tools.calls == []


def test_download_is_shown_while_it_is_waited_for(operated: Operated) -> None:
    lines: list[str] = []
    pod = {"metadata": {"name": "pull-a"}, "status": {"phase": "Running"}}
    old = {"metadata": {"name": "pull-old"}, "status": {"phase": "Succeeded"}}
    operated.tools.items("pods", old)
    operated.tools.write("logs-pull-a", "12:00:00 a: download, try 1 of 5\n")
    with JobLog(Kubectl(CONTEXT), "serving", "app.kubernetes.io/name=ollama-models", lines.append, poll_s=0.01) as log:
        operated.tools.items("pods", old, pod)
        while "pull-a" not in log._seen:
            log._thread.join(0.02)
    assert lines == ["12:00:00 a: download, try 1 of 5"]
