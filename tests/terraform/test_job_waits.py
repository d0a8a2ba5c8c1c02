"""Ctrl-C ends the Jobs that Terraform would go on waiting for: minutes for passwords, two hours for a download."""

import io
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import OperatorError
from scripts.core.progress import Board
from scripts.review.plan import read_plan
from scripts.terraform.activity import Activity
from scripts.terraform.job_waits import JobName, JobWaits, end_jobs, planned_jobs
from scripts.terraform.waits import Waits
from tests.support.cli.fake_tools import CONTEXT, install
from tests.support.patience import PATIENCE_S

PULL = "kubernetes_job_v1.pull-phi3-5"


def document() -> dict[str, Any]:
    """Return a plan that makes a Job, a release and a Job whose name is not known yet."""

    def item(address: str, after: Any) -> dict[str, Any]:
        change = {"actions": ["create"], "before": None, "after": after, "after_unknown": {}}
        return {"address": address, "type": address.split(".", maxsplit=1)[0], "mode": "managed", "change": change}

    return {
        "resource_changes": [
            item(PULL, {"metadata": [{"name": "pull-phi3-5-1a2b", "namespace": "serving"}]}),
            item("kubernetes_job_v1.later", {"metadata": [{"namespace": "serving"}]}),
            item("helm_release.vllm", {"name": "vllm", "namespace": "serving"}),
        ]
    }


def test_jobs_are_known_by_the_plan() -> None:
    running = (PULL, "kubernetes_job_v1.later", "helm_release.vllm", "kubernetes_job_v1.elsewhere")
    assert planned_jobs(document(), running) == (JobName("serving", "pull-phi3-5-1a2b"),)
    assert planned_jobs(document(), ()) == ()


def test_what_terraform_works_on_is_followed() -> None:
    waits = Waits()
    waits.line(f"{PULL}: Creating...")
    waits.line("helm_release.vllm: Creating...")
    waits.line("helm_release.vllm: Creation complete after 3s [id=vllm]")
    assert waits.running == (PULL,)


def interrupted(times: int, *running: str) -> tuple[list[JobName], str]:
    """Return which Jobs were ended, and what was said, when somebody interrupts while `running` are made."""
    waits, done, log = JobWaits(), threading.Event(), io.StringIO()
    ended: list[JobName] = []

    def end(jobs: Sequence[JobName]) -> str:
        ended.extend(jobs)
        return "Ended [them]"

    board = Board(Console(file=log, width=200), ["platform"], "deploy")
    said, board.say = board.say, lambda text: (said(text), done.set() if "Ended" in text else None)  # type: ignore[assignment,func-returns-value]
    waits.followed(board, "platform", read_plan(document()))(Activity(1, "", (), running))
    waits.interrupted(board, times, end)
    if times == 1 and PULL in running:
        assert done.wait(PATIENCE_S)
    return ended, log.getvalue()


def test_the_first_interruption_ends_the_jobs_that_are_waited_for() -> None:
    ended, said = interrupted(1, PULL, "helm_release.vllm")
    assert ended == [JobName("serving", "pull-phi3-5-1a2b")]
    assert "Terraform finishes what it has begun" in said
    assert "Ended [them]" in said


def test_without_a_job_nothing_is_ended() -> None:
    assert interrupted(1, "helm_release.vllm")[0] == []


def test_the_second_interruption_ends_nothing_more() -> None:
    assert interrupted(2, PULL)[0] == []


def test_jobs_are_ended_in_their_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = install(tmp_path / "tools", monkeypatch)
    jobs = [JobName("serving", "pull-1"), JobName("chat", "chat-passwords-2")]
    said = end_jobs("dev", jobs, lambda _environment: Kubectl(CONTEXT))
    assert [call[3:] for call in tools.calls] == [
        ["delete", "job", "pull-1", "--namespace", "serving", "--ignore-not-found"],
        ["delete", "job", "chat-passwords-2", "--namespace", "chat", "--ignore-not-found"],
    ]
    assert "the next deployment makes it anew" in said


def test_without_the_cluster_the_command_is_told() -> None:
    def nowhere(_environment: str) -> Kubectl:
        raise OperatorError("kubectl is not installed")

    said = end_jobs("dev", [JobName("serving", "pull-1")], nowhere)
    assert "kubectl is not installed" in said
    assert "kubectl delete job pull-1 --namespace serving" in said
