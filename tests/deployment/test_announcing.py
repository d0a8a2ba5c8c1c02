"""People are warned while a deployment changes what they use, and everything is undone however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scripts.applications.chat.banner import Banner
from scripts.applications.silences import Silences
from scripts.bootstrap.terraform import Terraform
from scripts.core.errors import OperatorError
from scripts.core.processes import Processes
from scripts.core.workspace import Workspace
from scripts.deployment.announcing import Announcing
from scripts.review.plan import Changes, Plan
from scripts.terraform.outputs import NotDeployedError
from scripts.terraform.rollout import Rollout
from stacks.settings import Settings
from tests.support.stacks.durable import settings

BOTH = {"chat_banner": "We are back soon", "silence_alerts": "warnings"}


@dataclass
class Platform:
    """What is asked of chat and Alertmanager, in order; a test may let something fail."""

    settings: Settings
    broken: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def ask(self, what: str) -> None:
        self.said.append(what)
        if what.split(" ", maxsplit=1)[0] in self.broken:
            raise OperatorError(f"{what} failed")

    @contextmanager
    def forwarded(self, namespace: str, service: str, port: int) -> Iterator[str]:
        assert (namespace, service, port) == ("monitoring", "prometheus-alertmanager", 9093)
        self.ask("forward")
        yield "http://alertmanager"

    def connect(self, _name: str) -> Any:
        self.ask("connect")
        return self

    @property
    def announcing(self) -> Announcing:
        platform = self

        class Told(Banner):
            def show(self, text: str) -> int:
                platform.ask(f"show {text}")
                return 2

            def remove(self) -> int:
                platform.ask("remove")
                return 2

        class Silenced(Silences):
            def begin(self, severities: str, who: str, comment: str, now: datetime) -> str:
                platform.ask(f"silence {severities} {who} {comment} {now:%H:%M}")
                return "id-1"

            def end(self, silence: str) -> None:
                platform.ask(f"end {silence}")

        return Announcing(
            load=lambda _name: self.settings,
            connect=self.connect,
            banner=lambda _settings, _kubectl: Told(list),
            silences=Silenced,
            who=lambda: "ada",
            now=lambda: datetime(2026, 11, 30, 20, 15, tzinfo=UTC),
            everywhere=True,
        )


def platform(**asked: object) -> Platform:
    return Platform(settings(deployments=asked))


def run(tmp_path: Path, **changes: int) -> Rollout:
    plans = {name: Plan(Changes(update=count)) for name, count in changes.items()}
    return Rollout(Workspace("dev", tmp_path), {}, Terraform("terraform", "1.11.0"), Processes(), plans=plans)


WHOLE = [
    "connect",
    "forward",
    "silence warning ada llmctl deploy dev 20:15",
    "show We are back soon",
    "apply",
    "remove",
    "forward",
    "end id-1",
]


def test_banner_and_silence_begin_before_the_change_and_end_after_it(tmp_path: Path) -> None:
    asked = platform(**BOTH)
    with asked.announcing.around(run(tmp_path, platform=1), ["aks", "platform"]):
        asked.said.append("apply")
    assert asked.said == WHOLE


@pytest.mark.parametrize("ending", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_both_are_undone_when_the_deployment_breaks_off(tmp_path: Path, ending: type[BaseException]) -> None:
    asked = platform(**BOTH)

    def deploy() -> None:
        with asked.announcing.around(run(tmp_path, platform=1), ["platform"]):
            asked.said.append("apply")
            raise ending

    with pytest.raises(ending):
        deploy()
    assert asked.said == WHOLE


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("connect", "Not announced to anybody: connect failed"),
        ("silence", "Alerts are not silenced: silence"),
        ("forward", "Alerts are not silenced: forward failed"),
        ("show", "The chat shows no banner: show"),
        ("remove", "The banner may still be there: remove failed; `llmctl webui remove-banner dev` takes it away"),
        ("end", "Alerts stay silenced for two hours at most (Grafana, Alerting, Silences): end id-1 failed"),
    ],
)
def test_what_cannot_be_announced_is_a_line_and_the_deployment_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: str, told: str
) -> None:
    asked = replace(platform(**BOTH), broken={broken})
    with asked.announcing.around(run(tmp_path, platform=1), ["platform"]):
        asked.said.append("apply")
    assert "apply" in asked.said
    assert told in capsys.readouterr().err


def test_a_banner_that_only_some_pods_have_is_taken_away_as_well(tmp_path: Path) -> None:
    asked = replace(platform(chat_banner="x"), broken={"show"})
    with asked.announcing.around(run(tmp_path, platform=1), ["platform"]):
        pass
    assert asked.said == ["connect", "show x", "remove"]


def test_before_the_first_deployment_there_is_nobody_to_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = platform(**BOTH)

    def not_yet(_name: str) -> Any:
        raise NotDeployedError("dev is not deployed")

    with replace(asked.announcing, connect=not_yet).around(run(tmp_path, platform=1), ["platform"]):
        pass
    assert (asked.said, capsys.readouterr().err) == ([], "")


@pytest.mark.parametrize(
    ("changes", "names", "told"),
    [
        ({"platform": 0, "aks": 0}, ["aks", "platform"], False),
        ({"identity": 1, "disks": 1}, ["identity", "disks"], False),
        ({"database": 1}, ["identity", "database"], True),
        ({}, ["platform"], True),
    ],
)
def test_only_changes_that_people_notice_are_announced(
    tmp_path: Path, changes: dict[str, int], names: list[str], told: bool
) -> None:
    asked = platform(**BOTH)
    with asked.announcing.around(run(tmp_path, **changes), names):
        pass
    assert bool(asked.said) is told


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"deployments": BOTH, "chat": {"enabled": False}, "monitoring": {"enabled": False}},
        {"deployments": {"silence_alerts": "all"}, "monitoring": {"metrics": "azure-monitor"}},
    ],
    ids=["not asked for", "nothing to tell by", "alerts of Azure"],
)
def test_nothing_is_asked_where_nobody_asked_for_it(tmp_path: Path, sections: dict[str, Any]) -> None:
    asked = Platform(settings(**sections))
    with asked.announcing.around(run(tmp_path, platform=1), ["platform"]):
        pass
    assert asked.said == []


def test_a_rehearsal_tells_nobody(tmp_path: Path) -> None:
    asked = platform(**BOTH)
    with replace(asked.announcing, everywhere=False).around(run(tmp_path, platform=1), ["platform"]):
        pass
    assert asked.said == []
