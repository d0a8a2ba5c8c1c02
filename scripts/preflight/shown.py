"""A report as people and programs read it."""

from collections.abc import Iterator
from typing import Any

from .findings import Outcome
from .run import Report


def summary(report: Report) -> str:
    """Return one sentence: how many checks ended in which way."""
    counts = {
        "failed": len(report.of(Outcome.FAILED)),
        "with a warning": len(report.of(Outcome.WARNING)),
        "not made": len(report.of(Outcome.NOT_CHECKED)),
    }
    passed = len(report.of(Outcome.PASSED))
    beside = ", ".join(f"{count} {how}" for how, count in counts.items() if count)
    return f"Preflight of {report.environment}: {passed} of {len(report.results)} checks passed" + (
        f", {beside}." if beside else "."
    )


def lines(report: Report) -> Iterator[str]:
    """Yield what is wrong and what could not be looked at: failures first, then warnings."""
    for outcome in (Outcome.FAILED, Outcome.WARNING):
        for result in report.results:
            for finding in result.findings:
                if finding.outcome is outcome:
                    yield f"{'FAILED' if outcome is Outcome.FAILED else 'Warning'} {result.check.name}: {finding.what}"
                    yield f"  why: {finding.why}"
                    yield f"  fix: {finding.fix}"
    waiting = [result.check.name for result in report.results if result.needs_login]
    if waiting:
        yield f"Not checked without a login: {', '.join(waiting)}"
    for result in report.results:
        if result.not_checked and not result.needs_login:
            yield f"Not checked: {result.check.name}: {result.not_checked}"


def as_json(report: Report) -> dict[str, Any]:
    """Return the report for a program."""
    return {
        "environment": report.environment,
        "stacks": list(report.stacks),
        "ok": not report.failed,
        "checks": [
            {
                "name": result.check.name,
                "outcome": result.outcome.value,
                "seconds": round(result.seconds, 3),
                "not_checked": result.not_checked or None,
                "findings": [
                    {
                        "outcome": finding.outcome.value,
                        "what": finding.what,
                        "why": finding.why,
                        "fix": finding.fix,
                    }
                    for finding in result.findings
                ],
            }
            for result in report.results
        ],
    }
