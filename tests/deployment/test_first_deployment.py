"""Before a stack is made for the first time its checks run; what failed is asked about, and nobody is asked twice."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from scripts.deployment.first_deployment import check_before
from scripts.preflight.checks import Check
from scripts.preflight.findings import Finding
from scripts.preflight.run import Report, Result, Told
from scripts.terraform.stack import TerraformError
from stacks.settings import Settings, load_settings
from tests.support.cli.terminals import Nobody, answering

SETTINGS = load_settings("dev")
CHECK = Check(name="quota", looks_at="", why="", stacks=("aks",), look=lambda _asked: [])
BAD = Result(CHECK, (Finding("too little quota", "AKS refuses nodes", "az quota update"),))


class Asked:
    """Stands in for the checks, and notes what they were asked for."""

    def __init__(self, *results: Result) -> None:
        self.results = results
        self.stacks: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def __call__(
        self, settings: Settings, stacks: Collection[str], told: Told, *, undeployed: Collection[str]
    ) -> Report:
        told(["quota"])
        self.stacks.append((tuple(stacks), tuple(undeployed)))
        return Report(settings.name, tuple(stacks), self.results)


def run(standing: dict[str, Any], *, reviewed: bool = False) -> Any:
    def runner(stack: str) -> Any:
        def pull() -> Any:
            if isinstance(standing[stack], Exception):
                raise standing[stack]
            return standing[stack]

        return SimpleNamespace(pull=pull, outputs=dict)

    return SimpleNamespace(stacks=list(standing), reviewed=reviewed, runner=runner, parallelism=4)


HELD: dict[str, Any] = {"resources": [{"mode": "managed", "type": "azurerm_managed_disk", "name": "a"}], "outputs": {}}
READ: dict[str, Any] = {"resources": [{"mode": "data", "type": "azuread_client_config", "name": "a"}], "outputs": {}}
GIVEN: dict[str, Any] = {"resources": [], "outputs": {"client_id": {"value": "x"}}}


def test_only_stacks_of_which_nothing_stands_are_checked() -> None:
    asked = Asked()
    check_before(run({"disks": HELD, "identity": GIVEN, "aks": READ, "platform": None}), SETTINGS,
                 ask=asked, terminal=Nobody())  # fmt: skip
    assert asked.stacks == [(("aks", "platform"), ("aks", "platform"))]


@pytest.mark.parametrize(
    "case",
    [
        {"standing": {"aks": HELD}},
        {"standing": {"aks": TerraformError("aks", "init", "no network")}},
        {"standing": {"aks": None}, "reviewed": True},
        {"standing": {"aks": None}, "skip": True},
    ],
    ids=["deployed", "unreadable", "reviewed", "skipped"],
)
def test_nothing_is_checked_where_it_is_deployed_reviewed_or_skipped(case: dict[str, Any]) -> None:
    asked = Asked(BAD)
    skip = case.pop("skip", False)
    check_before(run(**case), SETTINGS, ask=asked, terminal=Nobody(), skip=skip)
    assert asked.stacks == []


def test_checks_that_pass_ask_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    person = answering("n")
    check_before(run({"aks": None}), SETTINGS, ask=Asked(Result(CHECK)), terminal=person)
    assert person.asked == []
    assert "Preflight of dev: 1 of 1 checks passed." in capsys.readouterr().err


def test_a_failure_is_shown_with_its_command_and_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    person = answering("y")
    check_before(run({"aks": None}), SETTINGS, ask=Asked(BAD), terminal=person)
    assert person.asked == ["Failed: quota. Deploy all the same, and stop there? [y/N]"]
    shown = capsys.readouterr().err
    assert "FAILED quota: too little quota\n  why: AKS refuses nodes\n  fix: az quota update\n" in shown


@pytest.mark.parametrize(
    ("person", "yes", "message"),
    [
        (answering("n"), False, "not confirmed, so nothing was done"),
        (answering(""), False, "not confirmed, so nothing was done"),
        (Nobody(), False, "checks before a first deployment failed: quota; nothing was done"),
        (answering("y"), True, "checks before a first deployment failed: quota; nothing was done"),
    ],
    ids=["no", "return", "nobody", "--yes"],
)
def test_nothing_is_done_where_nobody_agrees(person: Terminal, yes: bool, message: str) -> None:
    with pytest.raises(OperatorError) as refusal:
        check_before(run({"aks": None}), SETTINGS, ask=Asked(BAD), terminal=person, yes=yes)
    assert (refusal.value.message, refusal.value.code) == (message, ExitCode.REFUSED)
    assert refusal.value.fix == ("put it right, then `llmctl preflight dev`; `--skip-preflight` deploys all the same")
