"""`llmctl off-hours` brings the cluster into the state of its schedule, once, and asks before it stops one by hand."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.off_hours import commands as off_hours
from scripts.cli.tools import Tools
from scripts.cluster.power import Power
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from scripts.cost.charges import Charge
from scripts.cost.estimate import with_off_hours
from stacks.settings import Settings, load_settings
from stacks.settings.off_hours import OffHoursSettings
from tests.support.cli.terminals import Nobody, answering

OFFICE = OffHoursSettings(enabled=True, time_zone="Europe/Berlin")
MIDDAY, NIGHT = (datetime(2026, 11, 30, hour, tzinfo=UTC) for hour in (11, 23))
PLACE = ("--subscription", "s", "--resource-group", "g", "--name", "n")


@dataclass
class Azure:
    """What Azure says of the cluster, and what it was asked to do."""

    power: str = "Running"
    doing: str = "Succeeded"
    told: list[str] = field(default_factory=list)

    def ask(self, *_arguments: str) -> dict[str, Any]:
        return {"power": self.power, "doing": self.doing}

    def tell(self, *arguments: str) -> str:
        assert arguments[2:] == (*PLACE, "--no-wait")
        self.told.append(arguments[1])
        return ""


def settings(hours: OffHoursSettings) -> Settings:
    dev = load_settings("dev")
    return dev.model_copy(update={"cluster": dev.cluster.model_copy(update={"off_hours": hours})})


def run(
    azure: Azure,
    *words: str,
    hours: OffHoursSettings = OFFICE,
    now: datetime = MIDDAY,
    terminal: Terminal | None = None,
) -> Result:
    power = Power(subscription="s", group="g", cluster="n", ask=azure.ask, tell=azure.tell)
    tools = Tools(
        load=lambda _name: settings(hours),
        outputs_of=lambda *_names: {"aks": {}},
        power_of=lambda _subscription, _aks: power,
        now=lambda: now,
        terminal=terminal or Nobody(),
    )
    return CliRunner().invoke(off_hours.app, words, obj=tools)


@pytest.mark.parametrize(
    ("power", "now", "told"),
    [
        ("Running", MIDDAY, []),
        ("Stopped", MIDDAY, ["start"]),
        ("Running", NIGHT, ["stop"]),
        ("Stopped", NIGHT, []),
    ],
)
def test_the_cluster_follows_its_schedule_and_is_told_once(power: str, now: datetime, told: list[str]) -> None:
    azure = Azure(power)
    assert run(azure, "now", "dev", now=now).exit_code == 0
    assert azure.told == told


def test_a_stop_by_hand_asks_and_a_start_does_not() -> None:
    azure = Azure()
    refused = run(azure, "now", "dev", "--stop", terminal=answering("n")).exception
    assert isinstance(refused, OperatorError)
    assert (refused.code, azure.told) == (ExitCode.REFUSED, [])
    assert run(azure, "now", "dev", "--stop", "--yes").exit_code == 0
    assert run(Azure("Stopped"), "now", "dev", "--start", now=NIGHT).output.startswith("dev: starting")


@pytest.mark.parametrize(
    ("words", "hours", "code"),
    [
        (["--stop", "--start"], OFFICE, ExitCode.USAGE),
        ([], OffHoursSettings(), ExitCode.REFUSED),
    ],
)
def test_what_means_nothing_changes_nothing(words: list[str], hours: OffHoursSettings, code: ExitCode) -> None:
    azure = Azure("Stopped")
    refused = run(azure, "now", "dev", *words, hours=hours).exception
    assert isinstance(refused, OperatorError)
    assert (refused.code, azure.told) == (code, [])


def test_a_cluster_on_its_way_is_left_alone() -> None:
    azure = Azure("Running", "Stopping")
    refused = run(azure, "now", "dev", "--start").exception
    assert isinstance(refused, OperatorError)
    assert (refused.message, azure.told) == ("n is stopping", [])


def test_the_status_says_what_the_schedule_says_and_when_it_changes() -> None:
    said = run(Azure("Stopped"), "status", "dev").output
    assert "dev: the cluster is stopped\nBy the schedule it runs now" in said
    assert "stops on Monday, 2026-11-30 at 20:00 Europe/Berlin" in said
    assert "Runs 39% of the time" in said
    found = json.loads(run(Azure(), "status", "dev", "--json").output)
    assert (found["runs"], found["planned"], found["share"]) == (True, True, 0.3869)


def test_nodes_and_api_cost_for_the_hours_that_they_run() -> None:
    assert with_off_hours(Charge("pool t4: nodes", None, 1, 4), 0.25).high == 1
    assert with_off_hours(Charge("Kubernetes API, Standard", None), 0.25).low == 0.25
    assert with_off_hours(Charge("registry Premium", None), 0.25).low == 1
