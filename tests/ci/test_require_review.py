"""Only reviewed plans of merged code are applied: scripts/ci/require-review against a fake gh."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.ci.programs import Programs

# Answers two questions of the API from files, through the filter that it is given.
ASKED = """
import subprocess
name = "run.json" if "/actions/runs/" in words[1] else "environment.json"
jq = ["jq", "--raw-output", words[words.index("--jq") + 1]]
sys.exit(subprocess.run(jq, input=(folder / name).read_text(), text=True).returncode)
"""
REVIEWERS = {"type": "required_reviewers", "reviewers": [{"type": "Team", "reviewer": {"slug": "platform"}}]}
BRANCHES = {"type": "branch_policy"}
MERGED = {
    "path": ".github/workflows/deploy.yml",
    "head_branch": "main",
    "head_sha": "c0ffee",
    "event": "push",
    "head_repository": {"full_name": "o/r"},
}


def review(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], str]:
    programs = Programs(folder, gh=ASKED)
    (folder / "output").touch()
    done = programs.run(
        "require-review", *arguments, GITHUB_REPOSITORY="o/r", GITHUB_RUN_ID="77", GITHUB_SHA="abc123",
        GITHUB_OUTPUT=str(folder / "output"), DEFAULT_BRANCH="main", GH_TOKEN="none",
    )  # fmt: skip
    return done, (folder / "output").read_text()


@pytest.mark.parametrize(
    "rules",
    [[], [BRANCHES], [{"type": "required_reviewers", "reviewers": []}, BRANCHES], None],
    ids=["no-rules", "branches-only", "rule-without-people", "plan-without-rules"],
)
def test_a_merge_into_an_environment_without_reviewers_is_refused(rules: Any, tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text(
        json.dumps({"name": "prod"} | ({"protection_rules": rules} if rules is not None else {}))
    )
    done, output = review(tmp_path, "prod", "")
    assert done.returncode == 1
    assert "gh workflow run deploy.yml --field environment=prod --field plans=77" in done.stderr
    assert output == ""


def test_a_merge_into_an_environment_with_reviewers_waits_for_them(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text(json.dumps({"protection_rules": [BRANCHES, REVIEWERS]}))
    done, output = review(tmp_path, "prod", "")
    assert (done.returncode, output) == (0, "run=77\ncommit=abc123\n")


def test_by_hand_the_plans_of_merged_code_are_applied(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(MERGED))
    done, output = review(tmp_path, "prod", "41")
    assert (done.returncode, output) == (0, "run=41\ncommit=c0ffee\n")


@pytest.mark.parametrize(
    "changed",
    [
        {"head_branch": "feature"},
        {"path": ".github/workflows/check.yml"},
        {"event": "pull_request"},
        {"head_repository": {"full_name": "stranger/r"}},
    ],
    ids=["branch", "workflow", "pull-request", "fork"],
)
def test_plans_that_are_not_of_merged_code_are_refused(changed: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(MERGED | changed))
    done, output = review(tmp_path, "prod", "41")
    assert (done.returncode, output) == (1, "")
    assert "run 41 is no run of deploy.yml on main of this repository" in done.stderr


def test_the_number_of_a_run_is_a_number(tmp_path: Path) -> None:
    done, output = review(tmp_path, "prod", "41/artifacts")
    assert (done.returncode, output) == (1, "")
