"""`llmctl upgrades`: one screen of what ends and what to do."""

import json
from datetime import UTC, datetime
from typing import Any

from typer.testing import CliRunner, Result

from scripts.cli.tools import Tools
from scripts.cli.upgrades.commands import app

STATE: dict[str, Any] = {"serial": 2, "outputs": {"one_way": {"value": {"cluster.kubernetes_version": "1.35"}}}}


def run(*words: str, day: str = "2027-01-15", deployed: bool = True) -> Result:
    tools = Tools(
        states_of=lambda _settings, _workspace: {"aks": STATE} if deployed else {},
        now=lambda: datetime.fromisoformat(day).replace(tzinfo=UTC),
    )
    return CliRunner().invoke(app, ["dev", *words], obj=tools)


def test_the_screen_says_how_long_is_left_and_what_to_do() -> None:
    lines = run().stdout.splitlines()
    first = lines.index("Kubernetes 1.35: until 2027-03-31, 75 days left")
    assert lines[first + 2] == "    1. llmctl backup create dev"
    assert lines[-1] == "Days are those of 2026-11-30."


def test_what_has_ended_and_a_list_that_is_old_are_said_so() -> None:
    lines = run(day="2027-08-01").stdout.splitlines()
    assert "Kubernetes 1.35: ended on 2027-03-31" in lines
    assert lines[-1] == "Days are those of 2026-11-30; it is old: take a newer release."


def test_only_what_ends_soon_on_request() -> None:
    said = run("--within", "90").stdout
    assert "Kubernetes 1.35" in said
    assert "PostgreSQL" not in said


def test_an_environment_that_is_not_deployed_is_judged_by_its_file() -> None:
    assert run(deployed=False).stdout.splitlines()[0] == "dev is not deployed; this is what its file asks for."


def test_a_program_gets_days_and_steps() -> None:
    said = json.loads(run("--json").stdout)
    assert said["dates_of"] == "2026-11-30"
    (kubernetes,) = [one for one in said["upgrades"] if one["what"] == "Kubernetes 1.35"]
    assert kubernetes["by"] == "2027-03-31"
    assert kubernetes["steps"][0] == "llmctl backup create dev"
