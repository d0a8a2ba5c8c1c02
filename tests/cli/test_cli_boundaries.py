"""Zero, the last value that counts, the first that does not, and names that only begin alike."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from scripts.cli.access import port_forward
from scripts.cli.database.commands import moment_of
from scripts.cli.deploy import deploy
from scripts.cli.llm_gateway.opened import DURATION
from scripts.core.consent import Consent, confirm_by_name
from scripts.core.errors import OperatorError
from scripts.core.schedule import Outcome, run_in_order
from scripts.deployment import image_step
from stacks.platform.common.image_lock import LockedImage
from tests.support.cli.terminals import answering

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def _shop(locked: LockedImage | None, digest: str | None) -> Any:
    image = SimpleNamespace(name="app", repository="mirror/app", tag="v1", digest=digest)
    return SimpleNamespace(images=(image,), locked=lambda: {"app": locked} if locked else {})


@pytest.mark.parametrize(
    ("locked", "digest", "lacking"),
    [
        (None, DIGEST, True),
        (LockedImage("mirror/app", "v1", DIGEST), DIGEST, False),
        (LockedImage("mirror/app", "v1", OTHER), DIGEST, True),
        (LockedImage("mirror/app", "v1", OTHER), None, False),
        (LockedImage("mirror/app", "v1.1", DIGEST), DIGEST, True),
        (LockedImage("mirror/app2", "v1", DIGEST), DIGEST, True),
    ],
    ids=["nothing", "same", "same-tag-other-digest", "any-digest", "tag-that-begins-alike", "other-repository"],
)
def test_an_image_is_there_only_by_repository_tag_and_digest(
    locked: LockedImage | None, digest: str | None, lacking: bool
) -> None:
    assert image_step.unlocked(_shop(locked, digest)) == (["app"] if lacking else [])


@pytest.mark.parametrize("confirm", ["p", "pro", "prod1", "PROD", " prod", "prod "])
def test_only_the_whole_name_agrees_to_a_destruction(confirm: str) -> None:
    with pytest.raises(OperatorError, match="nothing was destroyed"):
        confirm_by_name("prod", confirm, "?")
    confirm_by_name("prod", "prod", "?")


@pytest.mark.parametrize("typed", ["", "p", "pro", "prod2", "y", "yes"])
def test_only_the_whole_name_agrees_to_a_loss(typed: str) -> None:
    with pytest.raises(OperatorError, match="not confirmed"):
        Consent("prod", yes=True, terminal=answering(typed)).obtain("?", {"aks": ("a",)})


@pytest.mark.parametrize("text", ["1s", "9999mo", "30d", "1h"])
def test_a_time_of_one_to_four_digits_is_taken(text: str) -> None:
    assert re.fullmatch(DURATION, text)


@pytest.mark.parametrize("text", ["0d", "00d", "10000d", "d", "30", "30days", "-1d", "1.5h", ""])
def test_no_time_at_all_is_refused(text: str) -> None:
    assert not re.fullmatch(DURATION, text)


NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("offset", [timedelta(), timedelta(days=-7)], ids=["now", "oldest"])
def test_the_first_and_the_last_moment_with_a_backup_are_taken(offset: timedelta) -> None:
    assert moment_of((NOW + offset).isoformat(), 7, NOW)


@pytest.mark.parametrize("offset", [timedelta(seconds=1), timedelta(days=-7, seconds=-1)], ids=["ahead", "too-old"])
def test_a_second_beyond_them_is_refused(offset: timedelta) -> None:
    with pytest.raises(OperatorError, match="is not between"):
        moment_of((NOW + offset).isoformat(), 7, NOW)


def _exit_code(app: Any, *words: str) -> int:
    return CliRunner().invoke(app, words).exit_code


def test_zero_is_no_number_of_stacks_at_once() -> None:
    assert _exit_code(deploy.app, "--parallelism", "0") == 2
    assert _exit_code(deploy.app, "--parallelism", "-1") == 2


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_outside_its_range_is_refused(port: str) -> None:
    assert _exit_code(port_forward.app, "opik", "--port", port) == 2


def test_one_at_a_time_is_enough() -> None:
    done: list[str] = []
    needs = {"a": frozenset[str](), "b": frozenset({"a"})}

    def work(name: str) -> bool:
        done.append(name)
        return True

    outcomes = run_in_order(needs, work, parallelism=1)
    assert (done, set(outcomes.values())) == (["a", "b"], {Outcome.DONE})
