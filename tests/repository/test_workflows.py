"""The workflows: what they may do, in which order, and how their jobs end."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.cli.app import COMMANDS, load
from tests.support.ci.workflows import FOLDER, steps, workflow

ROOT = Path(__file__).parents[2]
FILES = sorted(FOLDER.glob("workflows/*.yml"))


def test_every_foreign_action_is_pinned_by_its_hash_and_says_its_version() -> None:
    for file in [*FILES, *FOLDER.glob("actions/*/action.yml")]:
        for line in file.read_text().splitlines():
            if (used := re.search(r"uses: (\S+)(.*)", line)) and not used[1].startswith("./"):
                assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", used[1]), (file.name, line)
                assert re.fullmatch(r" # v\d+\.\d+\.\d+", used[2]), (file.name, line)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_job_has_the_least_rights_and_an_end(file: Path) -> None:
    found = YAML(typ="safe").load(file.read_text())
    assert found["permissions"] in ({}, {"contents": "read"})
    for job in found["jobs"].values():
        rights = job.get("permissions", {})
        assert "uses" in job or job["timeout-minutes"] <= 180
        # Only what acts on an environment may log in to Azure, and nothing that logs in may write to the repository.
        if rights.get("id-token") == "write":
            assert "environment" in job or "uses" in job
            assert rights["contents"] == "read"
            assert set(rights) <= {"contents", "id-token", "issues", "actions"}
            assert rights.get("actions", "read") == "read"
        assert all(step["with"]["persist-credentials"] is False for step in job.get("steps", []) if
                   "actions/checkout" in step.get("uses", ""))  # fmt: skip


def test_no_workflow_puts_foreign_text_into_a_script() -> None:
    for file in FILES:
        for job in YAML(typ="safe").load(file.read_text())["jobs"].values():
            assert "${{" not in "".join(step.get("run", "") for step in job.get("steps", [])), file.name


def test_a_fork_gets_no_identity() -> None:
    assert "pull_request_target" not in "".join(file.read_text() for file in FILES)
    assert "head.repo.full_name == github.repository" in workflow("diff")["jobs"]["diff"]["if"]


def test_a_deployment_brings_images_then_plans_then_applies_what_was_approved() -> None:
    jobs = workflow("deploy-environment")["jobs"]
    order = ("images", "plan", "review", "apply")
    assert [jobs[name].get("needs") for name in order] == [None, "images", "plan", "review"]
    assert "llmctl images ensure" in steps(jobs["images"])
    assert "--out plans" in steps(jobs["plan"])
    assert "--plans plans --yes" in steps(jobs["apply"])
    # Only the last one is the environment that asks its reviewers.
    assert [jobs[name]["environment"] for name in ("images", "plan", "apply")] == [
        "${{ inputs.environment }}-images",
        "${{ inputs.environment }}-plan",
        "${{ inputs.environment }}",
    ]
    assert workflow("deploy-environment")["concurrency"]["cancel-in-progress"] is False


def test_plans_of_an_earlier_run_are_applied_on_its_commit_and_nothing_is_made_anew() -> None:
    jobs = workflow("deploy-environment")["jobs"]
    assert jobs["images"]["if"] == "inputs.plans == ''"
    assert jobs["review"]["if"] == "${{ !cancelled() && (inputs.plans != '' || needs.plan.result == 'success') }}"
    assert jobs["apply"]["if"] == "${{ !cancelled() && needs.review.result == 'success' }}"
    settings = {step["uses"].partition("@")[0]: step["with"] for step in jobs["apply"]["steps"] if "uses" in step}
    assert settings["actions/checkout"]["ref"] == "${{ needs.review.outputs.commit }}"
    assert settings["actions/download-artifact"]["run-id"] == "${{ needs.review.outputs.run }}"


@pytest.mark.parametrize(("file", "job"), [("diff", "diff"), ("drift", "drift"), ("deploy-environment", "plan")])
def test_a_job_with_the_plan_identity_takes_no_lock_and_reads_no_secret(file: str, job: str) -> None:
    found = workflow(file)["jobs"][job]
    assert found["environment"].endswith("-plan")
    assert "--read-only" in steps(found)
    # It could not take the lock that an option of Terraform would wait for.
    assert "TF_CLI_ARGS_plan" not in found.get("env", {}) | workflow(file).get("env", {})


@pytest.mark.parametrize(
    ("file", "job", "name", "ends"),
    [
        ("diff", "diff", "Diff", {0: 0, 1: 1, 2: 0, 3: 1}),
        ("deploy-environment", "plan", "Plan every stack", {0: 0, 1: 1, 3: 3}),
        ("drift", "drift", "Diff", {0: 0, 1: 0, 2: 0, 3: 0}),
    ],
)
def test_a_job_ends_as_its_diff_says(file: str, job: str, name: str, ends: dict[int, int], tmp_path: Path) -> None:
    (script,) = (step["run"] for step in workflow(file)["jobs"][job]["steps"] if step.get("name") == name)
    command = tmp_path / "scripts" / "llmctl"
    command.parent.mkdir()
    for status, ending in ends.items():
        command.write_text(f"#!/bin/sh\necho 'what would change'\nexit {status}\n")
        command.chmod(0o755)
        variables = {"PLATFORM_ENV": "dev", "GITHUB_STEP_SUMMARY": "summary", "GITHUB_OUTPUT": "output"}
        # As GitHub starts a step that names no shell.
        done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=os.environ | variables, check=False)
        assert done.returncode == ending, status
        assert (tmp_path / "summary").read_text().endswith("what would change\n")
        if file == "diff":
            assert (tmp_path / "diff-dev.md").read_text() == "what would change\n"
        if file == "drift":
            assert (tmp_path / "output").read_text().splitlines()[-1] == f"status={status}"


def test_every_call_of_the_command_line_names_options_that_exist() -> None:
    called = re.findall(r"\./scripts/llmctl ([^\n>|]+)", "".join(file.read_text() for file in FILES))
    called += re.findall(r"llmctl ((?:diff|deploy|images|env|policy|setup) [^\n`>|]+)", pipelines())
    assert len(called) >= 5
    for call in called:
        words = [word for word in call.split() if word not in ("||", "status=$?", "--")]
        command: Any = load(COMMANDS[words[0]], words[0])
        if COMMANDS[words[0]].group:
            command = command.commands[words[1]]
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, call


def pipelines() -> str:
    return (ROOT / "docs" / "how-to" / "pull-requests.md").read_text()


def test_deployments_of_one_environment_wait_for_each_other_whatever_branch_they_come_from() -> None:
    text = (ROOT / ".github" / "workflows" / "deploy-environment.yml").read_text("utf-8")
    assert "\nconcurrency:\n  group: deploy-${{ inputs.environment }}\n  cancel-in-progress: false" in text
