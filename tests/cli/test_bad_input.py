"""Wrong command lines and bad states: one clear sentence, the right exit code, no traceback, nothing asked outside."""

import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer._click.exceptions import UsageError
from typer.testing import CliRunner

from scripts.cli import app as cli
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.bad_states import STATES, tools_in

TABLE = Path(__file__).parents[1] / "support" / "cli" / "bad_input.yaml"
COMMANDS = {
    *("preflight", "cost", "status", "health", "logs", "follow", "events", "restart", "stop", "start", "scale"),
    *("shell", "opik", "db", "off-hours", "top", "doctor", "support", "webui", "gateway", "vllm", "ollama", "models"),
}
"""What operators type each day."""


@cache
def table() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = YAML(typ="safe").load(TABLE.read_text("utf-8"))
    return found


def answer(words: str, state: str = "") -> tuple[int, str]:
    """Return exit code and sentence of a command line, as `main` would print them."""
    result = CliRunner().invoke(cli.app, shlex.split(words), obj=tools_in(state))
    if isinstance(result.exception, OperatorError):
        error = result.exception
        return int(error.code), f"{error.message}. {error.fix}"
    # Click raises its own errors as the cause of the exit; `main` gives them the code of a wrong command line.
    wrong = result.exception and result.exception.__context__
    assert isinstance(wrong, UsageError), f"{words}: {result.exception!r}, {result.output}"
    return int(ExitCode.USAGE), wrong.format_message()


@pytest.mark.parametrize("case", table()["words"], ids=lambda case: case["words"])
def test_a_wrong_command_line_is_answered_before_anything_is_asked(case: dict[str, Any]) -> None:
    code, sentence = answer(case["words"])
    assert (code, case["says"] in sentence, "\n" in sentence) == (case["code"], True, False), sentence


@pytest.mark.parametrize("case", table()["states"], ids=lambda case: f"{case['state']}: {case['words']}")
def test_a_bad_state_is_one_sentence_with_its_way_out(case: dict[str, Any]) -> None:
    code, sentence = answer(case["words"], case["state"])
    assert (code, case["says"] in sentence, "\n" in sentence) == (case["code"], True, False), sentence
    assert sentence.rpartition(". ")[2], "a bad state has a way out"


def test_eighty_cases_and_every_command_of_the_day_are_there() -> None:
    cases = [*table()["words"], *table()["states"]]
    assert len(cases) == len({(case["words"], case.get("state")) for case in cases}) >= 80
    assert {shlex.split(case["words"])[0] for case in cases} >= COMMANDS
    assert {case["state"] for case in table()["states"]} == set(STATES)
