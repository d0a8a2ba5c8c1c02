"""One issue while an environment differs from its configuration: scripts/ci/drift-issue against a fake gh."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.ci.programs import Programs

ISSUES = """
if words[:2] == ["issue", "list"]:
    import subprocess
    jq = ["jq", "--raw-output", words[words.index("--jq") + 1]]
    sys.exit(subprocess.run(jq, input=(folder / "issues.json").read_text(), text=True).returncode)
"""
OPEN = [{"number": 4, "title": "Drift: prod differs from its configuration"}, {"number": 5, "title": "else"}]


@pytest.mark.parametrize(
    ("issues", "status", "call"),
    [
        ([], "0", None),
        ([], "2", ["gh", "issue", "create"]),
        (OPEN, "2", ["gh", "issue", "edit", "4"]),
        (OPEN, "3", ["gh", "issue", "edit", "4"]),
        (OPEN, "0", ["gh", "issue", "close", "4"]),
        (OPEN[1:], "0", None),
    ],
)
def test_drift_is_one_issue_while_it_lasts(issues: Any, status: str, call: list[str] | None, tmp_path: Path) -> None:
    programs = Programs(tmp_path, gh=ISSUES)
    (tmp_path / "issues.json").write_text(json.dumps(issues))
    done = programs.run("drift-issue", "prod", status, "diff.md")
    assert done.returncode == 0, done.stderr
    changing = programs.calls[1:]
    assert [words[: len(call)] for words in changing] == [call] if call else changing == []


def test_a_plan_that_failed_neither_opens_nor_closes_an_issue(tmp_path: Path) -> None:
    programs = Programs(tmp_path, gh=ISSUES)
    (tmp_path / "issues.json").write_text(json.dumps(OPEN))
    done = programs.run("drift-issue", "prod", "1", "diff.md")
    assert done.returncode == 1
    assert len(programs.calls) == 1
