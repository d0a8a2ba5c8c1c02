"""`llmctl models ask`, `warm` and `bench`: what runs in the chat's pod asks a server here, by streams."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.applications.chat.asking import Measured, summed
from scripts.cli.app import COMMANDS
from scripts.cli.models import ask
from scripts.cli.models import commands as models
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pod_program import START, ByCommand
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.environment_folder import use_environments
from tests.support.cli.fake_tools import CONTEXT, Tools, install
from tests.support.cli.terminals import Nobody, answering
from tests.support.ingress.nginx import free_port
from tests.support.llm_gateway.cloud_settings import FILE
from tests.support.serving.model_server import ModelServer, serving_models

KEY = "sk-of-the-chat"
POD = "ollama-t4-5d9c7f6b8-x2x4z"


@dataclass
class Stage:
    """The chat's pod and an engine behind it, and kubectl."""

    engine: ModelServer
    tools: Tools
    address: str
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def in_pod(self, _kubectl: Kubectl, *where: str) -> ByCommand:
        self.asked.append(where)
        variables = {"OPENAI_API_BASE_URLS": f"{self.address};http://other", "OPENAI_API_KEYS": f"{KEY};other"}
        return ByCommand([sys.executable, "-c", START], "the chat", {"PATH": os.environ["PATH"], **variables})

    def command_tools(self, terminal: Any = None) -> CommandTools:
        return CommandTools(
            kubectl_of=lambda _environment: Kubectl(CONTEXT),
            in_pod=self.in_pod,
            terminal=terminal or Nobody(),
            now=lambda: datetime(2026, 12, 1, tzinfo=UTC),
        )

    def run(self, *words: str, terminal: Any = None) -> Result:
        return CliRunner().invoke(models.app, words, obj=self.command_tools(terminal))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    tools = install(tmp_path / "tools", monkeypatch)
    owner = {"kind": "ReplicaSet", "name": POD.rpartition("-")[0]}
    ready = {"containerStatuses": [{"ready": True, "restartCount": 0, "state": {}}]}
    tools.items("pods", {"metadata": {"name": POD, "ownerReferences": [owner]}, "spec": {}, "status": ready})
    port = free_port()
    with serving_models("127.0.0.1", port) as engine:
        yield Stage(engine, tools, f"http://127.0.0.1:{port}/v1")


def refused(result: Result) -> OperatorError:
    assert isinstance(result.exception, OperatorError), result.output
    return result.exception


def test_an_answer_is_printed_alone_with_its_cost_and_its_pod_beside_it(stage: Stage) -> None:
    result = stage.run("ask", "phi3.5", "What is a span?", "dev", "--max-tokens", "50")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "It works as it was deployed . \n")
    (asked,) = stage.engine.asked
    assert (asked.path, asked.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert (asked.body["model"], asked.body["stream"], asked.body["max_tokens"]) == ("phi3.5", True, 50)
    assert asked.body["messages"] == [{"role": "user", "content": "What is a span?"}]
    assert stage.asked == [("chat", "deployment/open-webui", "open-webui")]
    told = " ".join(result.stderr.split())
    # 19 tokens at 2 USD a million.
    assert "12 tokens in, 7 out, the first after" in told
    assert "0.000038 USD" in told
    assert told.endswith(f"Answered by {POD}.")


def test_an_answer_is_printed_while_it_is_written(stage: Stage) -> None:
    """The engine waits after its first word until somebody lets it go on."""
    stage.engine.held.clear()
    run = stage.in_pod(Kubectl(CONTEXT))
    given = {"model": "phi3.5", "question": "?", "most_tokens": 9, "people": 1, "each": 1, "patience_s": 300}
    program = Path("scripts/applications/chat/asking_in_pod.py").read_text("utf-8")
    lines = run(program, given | {"texts": True})
    assert next(lines) == {"text": "It "}
    stage.engine.held.set()
    assert "".join(line.get("text", "") for line in lines) == "works as it was deployed . "


def test_a_model_is_started_by_a_short_question(stage: Stage) -> None:
    result = stage.run("warm", "gpt-oss", "dev")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")
    assert "gpt-oss answers" in result.stderr
    assert stage.engine.asked[0].body["max_tokens"] == 16


@pytest.mark.parametrize("command", [("ask", "phi3.5", "Hello"), ("warm", "phi3.5"), ("bench", "phi3.5", "--yes")])
def test_a_model_that_does_not_answer_ends_in_a_sentence(stage: Stage, command: tuple[str, ...]) -> None:
    stage.engine.status = 503
    error = refused(stage.run(*command[:2], *command[2:]))
    assert error.code is ExitCode.FAILED
    assert "phi3.5" in error.message
    assert "503" in error.message
    assert "out of memory" in error.message


@pytest.mark.parametrize(
    "words", [["ask", "nosuch", "Hello", "dev"], ["warm", "nosuch", "dev"], ["bench", "nosuch", "dev"]]
)
def test_a_model_that_is_not_served_is_refused_before_the_cluster_is_asked(stage: Stage, words: list[str]) -> None:
    assert refused(stage.run(*words)).code is ExitCode.USAGE
    assert (stage.tools.calls, stage.asked) == ([], [])


def test_people_at_once_are_measured_level_by_level(stage: Stage) -> None:
    result = stage.run("bench", "qwen2-5-7b", "dev", "--people", "1,3", "--each", "2", "--yes", "--json")
    assert result.exit_code == ExitCode.OK, result.output
    found = json.loads(result.stdout)
    assert (found["model"], found["gpu"], found["date"]) == ("qwen2-5-7b", "1 x T4", "2026-12-01")
    assert [(one["people"], one["answers"], one["failed"]) for one in found["levels"]] == [(1, 2, 0), (3, 6, 0)]
    assert all(one["first_s"] > 0 and one["tokens_per_s"] > 0 for one in found["levels"])
    # One to start it, then 2 and 6; no two begin alike, or the second would be answered from a cache.
    questions = [asked.body["messages"][0]["content"] for asked in stage.engine.asked]
    assert (len(questions), len({question[:25] for question in questions})) == (9, 9)


def test_the_table_has_a_line_for_each_number_of_people(stage: Stage) -> None:
    lines = stage.run("bench", "qwen2-5-7b", "dev", "--people", "1,2", "--each", "1", "--yes").stdout.splitlines()
    assert [line.split()[0] for line in lines if line.strip()[:1].isdigit()] == ["1", "2"]
    assert [line.split()[-3:] for line in lines if line.strip()[:1].isdigit()] == [["0", "of", "1"], ["0", "of", "2"]]


def test_nothing_is_measured_before_somebody_agrees_to_the_estimate(stage: Stage) -> None:
    unseen = stage.run("bench", "qwen2-5-7b", "dev")
    assert refused(unseen).code is ExitCode.REFUSED
    declined = stage.run("bench", "qwen2-5-7b", "dev", terminal=answering("n"))
    assert refused(declined).code is ExitCode.REFUSED
    for result in (unseen, declined):
        assert "At most" in result.stderr
        assert "Standard_NC4as_T4_v3" in result.stderr
    assert (stage.engine.asked, stage.asked) == ([], [])


@pytest.mark.parametrize("people", ["0", "1,x", "", "1,257"])
def test_people_are_counted_by_numbers(stage: Stage, people: str) -> None:
    assert refused(stage.run("bench", "phi3.5", "dev", "--people", people)).code is ExitCode.USAGE


def test_sums_of_a_level_are_medians_and_leave_out_what_failed() -> None:
    good: Mapping[str, Any] = {"status": 200, "problem": ""}
    found = [
        Measured(**good, seconds=3.0, first_s=1.0, tokens_in=10, tokens_out=21),
        Measured(**good, seconds=6.0, first_s=2.0, tokens_in=10, tokens_out=21),
        Measured(**good, seconds=5.0, first_s=3.0, tokens_in=10, tokens_out=41),
        Measured(503, "no GPU", 2.0),
    ]
    level = summed(2, 2, found)
    assert (level.people, level.answers, level.failed, level.problem) == (2, 4, 1, "503: no GPU")
    assert (level.first_s, level.first_p95_s) == (2.0, 3.0)
    assert level.person_tokens_per_s == 10.0
    # 83 tokens while each of the two was busy for eight seconds.
    assert level.tokens_per_s == 83 / 8


@pytest.fixture
def cloud(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The same pod, in an environment with models outside the network."""
    use_environments(tmp_path, monkeypatch)
    (tmp_path / "dev.yaml").write_text(FILE.read_text("utf-8"))
    return stage


def test_an_answer_of_a_cloud_model_says_that_it_left_the_network_and_counts_its_own_prices(cloud: Stage) -> None:
    result = cloud.run("ask", "gpt-4.1", "What is a span?", "dev")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "It works as it was deployed . \n")
    told = " ".join(result.stderr.split())
    assert "GPU" not in told
    # 12 tokens at 2 and 7 at 8 USD a million.
    assert told.endswith(
        "0.000080 USD at the price of the file. Left the network: answered by gpt-4.1 at acme-sweden.openai.azure.com,"
        " processed in swedencentral."
    )


def test_an_answer_of_a_fall_back_says_that_it_left_the_network_and_whom_it_stands_for(cloud: Stage) -> None:
    cloud.engine.answers_as = "gpt-4.1"
    told = " ".join(cloud.run("ask", "qwen3-8b", "What is a span?", "dev").stderr.split())
    assert "0.000080 USD" in told
    assert "Left the network, as qwen3-8b failed: answered by gpt-4.1 at acme-sweden.openai.azure.com" in told
    assert POD not in told


def test_a_model_whose_fall_back_answers_is_neither_warm_nor_measured(cloud: Stage) -> None:
    cloud.engine.answers_as = "gpt-4.1"
    for words in (("warm", "qwen3-8b", "dev"), ("bench", "qwen3-8b", "dev", "--yes")):
        error = refused(cloud.run(*words))
        assert error.code is ExitCode.FAILED
        assert "gpt-4.1, outside the network, answered instead" in error.message


def test_a_cloud_model_that_the_chat_may_not_use_is_refused_with_the_key_that_keeps_it_out(cloud: Stage) -> None:
    error = refused(cloud.run("ask", "mistral-large", "Hello", "dev"))
    assert error.code is ExitCode.REFUSED
    assert "it leaves the network" in error.message
    assert "chat: true" in error.fix
    assert (cloud.engine.asked, cloud.asked) == ([], [])


@pytest.mark.parametrize("command", ["warm", "bench"])
def test_no_engine_is_started_and_no_gpu_measured_for_a_cloud_model(cloud: Stage, command: str) -> None:
    error = refused(cloud.run(command, "gpt-4.1", "dev"))
    assert error.code is ExitCode.REFUSED
    assert "outside the network" in error.message
    assert (cloud.engine.asked, cloud.asked) == ([], [])


def test_llmctl_ask_is_the_same_question(stage: Stage) -> None:
    result = CliRunner().invoke(ask.app, ["phi3.5", "What is a span?", "dev"], obj=stage.command_tools())
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "It works as it was deployed . \n")
    assert COMMANDS["ask"].module == ask.__name__
