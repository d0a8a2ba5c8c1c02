"""A pytest plugin: under `CI=true` a skipped test that `tests/skips.yaml` does not name fails the run.

A test that is skipped proves nothing, and a program that is missing on one machine skips a whole set without a word.
"""

import os
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ALLOWED = Path(__file__).parents[1] / "skips.yaml"


@dataclass(frozen=True)
class AllowedSkip:
    """Tests of `file` that may be skipped with `reason`; both are patterns. `because` says why none can run."""

    file: str
    reason: str
    because: str

    def covers(self, nodeid: str, reason: str) -> bool:
        """Tell whether a test skipped with `reason` is one of these."""
        return fnmatchcase(nodeid.partition("::")[0], self.file) and fnmatchcase(reason, self.reason)


def allowed_skips(path: Path = ALLOWED) -> list[AllowedSkip]:
    """Return the named list. Raises TypeError on an entry with a key missing, or one that is not known."""
    return [AllowedSkip(**entry) for entry in YAML(typ="safe").load(path.read_text("utf-8")) or []]


@dataclass(eq=False)
class SkipGate:
    """Collects what was skipped, and fails the session for what nobody allowed.

    Hashable, as pytest wants its plugins where a folder has a conftest.py of its own.
    """

    allowed: list[AllowedSkip]
    refused: dict[str, list[str]] = field(default_factory=dict)

    def note(self, nodeid: str, reason: str) -> None:
        """Take down a skipped test."""
        reason = reason.removeprefix("Skipped: ")
        if not any(entry.covers(nodeid, reason) for entry in self.allowed):
            self.refused.setdefault(reason, []).append(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test; an expected failure is reported as skipped too, and is none."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.note(report.nodeid, _reason(report.longrepr))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that is skipped whole."""
        if report.skipped:
            self.note(report.nodeid, _reason(report.longrepr))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a green run with skips that nobody allowed into a failed one."""
        if self.refused and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which skips failed the run, one line for each reason."""
        for reason, tests in self.refused.items():
            terminalreporter.write_line(
                f"SKIPPED IN CI: {len(tests)} tests, first {tests[0]}: {reason}. "
                f"Fix: bring what they need in .ci/run, or name them in tests/{ALLOWED.name}.",
                red=True,
            )


def _reason(longrepr: object) -> str:
    return longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)


def pytest_configure(config: pytest.Config) -> None:
    """Set the gate up where CI runs; workers of a parallel run report to the process that started them."""
    if os.environ.get("CI") == "true" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipGate(allowed_skips()), "skip_gate")
