"""Checks run at once, each with its own time limit, and none of them takes another one's answer away."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from scripts.preflight import page
from scripts.preflight.catalogue import CHECKS
from scripts.preflight.checks import Check
from scripts.preflight.findings import Finding, NotCheckedError, Outcome, warning
from scripts.preflight.run import Report, Result, run
from scripts.preflight.shown import as_json, lines, summary
from scripts.preflight.surroundings import Surroundings
from tests.support.patience import PATIENCE_S
from tests.support.preflight.surroundings import surroundings

ASKED = surroundings("http://127.0.0.1:9", stacks=("aks",))


def check(name: str, look: object, *, limit_s: float = 30, stacks: tuple[str, ...] = ("aks",)) -> Check:
    return Check(name=name, looks_at="", why="", stacks=stacks, look=look, limit_s=limit_s)  # type: ignore[arg-type]


def fails(_asked: Surroundings) -> Iterator[Finding]:
    yield Finding("it is wrong", "it stops", "mend it")


def warns(_asked: Surroundings) -> Iterator[Finding]:
    yield warning("it is odd", why="it limps", fix="mend it too")
    raise NotCheckedError("the rest is not known")


def breaks(_asked: Surroundings) -> Iterator[Finding]:
    raise ZeroDivisionError("a fault of ours")


def test_all_checks_run_at_once() -> None:
    together = threading.Barrier(8, timeout=PATIENCE_S)

    def waits(_asked: Surroundings) -> list[Finding]:
        together.wait()
        return []

    report = run([check(str(number), waits) for number in range(8)], ASKED)
    assert len(report.of(Outcome.PASSED)) == 8


def test_a_check_that_hangs_is_not_waited_for() -> None:
    forever = threading.Event()

    def hangs(_asked: Surroundings) -> list[Finding]:
        forever.wait()
        return []

    report = run([check("slow", hangs, limit_s=0.1), check("quick", fails)], ASKED)
    forever.set()
    assert [(result.check.name, result.outcome) for result in report.results] == [
        ("slow", Outcome.NOT_CHECKED),
        ("quick", Outcome.FAILED),
    ]
    assert report.results[0].not_checked == "no answer in 0 s"


def test_a_fault_of_a_check_is_its_own() -> None:
    report = run([check("broken", breaks), check("sound", lambda _asked: [])], ASKED)
    assert report.results[0].not_checked == "the check itself failed: ZeroDivisionError: a fault of ours"
    assert report.results[1].outcome is Outcome.PASSED
    assert not report.failed


def test_only_what_the_stacks_and_the_file_ask_for_is_checked() -> None:
    other = check("other", fails, stacks=("acr",))
    unasked = replace(check("unasked", fails), concerns=lambda _settings: False)
    assert run([other, unasked], ASKED).results == ()


def test_somebody_hears_which_checks_are_waited_for() -> None:
    heard: list[list[str]] = []
    run([check("one", lambda _asked: [])], ASKED, lambda waiting: heard.append(list(waiting)))
    assert heard == [["one"]]


@pytest.fixture
def report() -> Report:
    return run([check("passes", lambda _asked: []), check("warns", warns), check("fails", fails)], ASKED)


def test_people_read_failures_first_each_with_reason_and_command(report: Report) -> None:
    assert list(lines(report)) == [
        "FAILED fails: it is wrong",
        "  why: it stops",
        "  fix: mend it",
        "Warning warns: it is odd",
        "  why: it limps",
        "  fix: mend it too",
        "Not checked: warns: the rest is not known",
    ]
    assert summary(report) == "Preflight of dev: 1 of 3 checks passed, 1 failed, 1 with a warning."


def test_programs_read_the_same(report: Report) -> None:
    document = as_json(report)
    assert (document["environment"], document["stacks"], document["ok"]) == ("dev", ["aks"], False)
    assert [(one["name"], one["outcome"], one["not_checked"]) for one in document["checks"]] == [
        ("passes", "passed", None),
        ("warns", "warning", "the rest is not known"),
        ("fails", "failed", None),
    ]
    assert document["checks"][2]["findings"] == [
        {"outcome": "failed", "what": "it is wrong", "why": "it stops", "fix": "mend it"}
    ]


def test_a_missing_login_is_one_line_for_all_checks_that_need_it() -> None:
    waiting = tuple(Result(check(name, fails), not_checked="nobody", needs_login=True) for name in ("quota", "names"))
    assert list(lines(Report("dev", ("aks",), waiting))) == ["Not checked without a login: quota, names"]


def test_the_page_of_checks_is_made_from_the_catalogue() -> None:
    text = page.PAGE.read_text("utf-8")
    assert page.renewed(text) == text, "python -m scripts.preflight.page"


def test_every_check_says_what_it_looks_at_and_why() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS) == 23
    assert all(check.looks_at and check.why and check.stacks for check in CHECKS)
