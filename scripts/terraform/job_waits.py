"""Jobs that Terraform waits for, and what an interruption does about them.

The kubernetes provider goes on waiting for a Job after Terraform was asked to stop, until its own timeout: minutes, for
a download two hours. When the Job is gone it stops at once and takes it for done
(resource_kubernetes_job_v1.go:282-300 at v2.38.0); Terraform, which is stopping, begins nothing after it, and the next
run finds no Job and makes it again. A Job keeps nothing that would be lost with it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.markup import escape

from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import OperatorError
from scripts.core.progress import Board
from scripts.review.plan import Plan

from .activity import Activity, shown_on
from .outputs import kubectl_of

TYPE = "kubernetes_job_v1"


@dataclass(frozen=True)
class JobName:
    """A Job in the cluster."""

    namespace: str
    name: str

    @property
    def deletion(self) -> str:
        """The command that ends it."""
        return f"kubectl delete job {self.name} --namespace {self.namespace}"


_INTERRUPTED = {
    1: "[yellow]Interrupted:[/] Terraform finishes what it has begun and writes its state. Once more stops it at once, "
    "and what it is creating may be lost to the state.",
    2: "[red]Stopping at once.[/]",
}


@dataclass
class JobWaits:
    """The Jobs that the Terraform of each stack waits for at the moment."""

    jobs: dict[str, tuple[JobName, ...]] = field(default_factory=dict)

    def followed(self, board: Board, name: str, plan: Plan) -> Callable[[Activity], None]:
        """Return what shows a stack's progress on the board and remembers its Jobs."""
        show = shown_on(board, name, plan.changes.resources)

        def follow(activity: Activity) -> None:
            self.jobs[name] = planned_jobs(plan.document, activity.running)
            show(activity)

        return follow

    def interrupted(self, board: Board, times: int, end: Callable[[Sequence[JobName]], str]) -> None:
        """Say what happens now; the first time, end the Jobs that Terraform would go on waiting for."""
        board.say(_INTERRUPTED[min(times, 2)])
        jobs = [job for waited in self.jobs.values() for job in waited]
        if times == 1 and jobs:
            # Not in the handler of the signal: asking the cluster takes seconds.
            threading.Thread(target=lambda: board.say(escape(end(jobs))), daemon=True).start()


def planned_jobs(document: Mapping[str, Any], addresses: Iterable[str]) -> tuple[JobName, ...]:
    """Return the Jobs among `addresses` as a plan's JSON form names them."""
    chosen = {address for address in addresses if address.startswith(f"{TYPE}.")}
    found = []
    for resource in document.get("resource_changes", []):
        if resource["address"] in chosen:
            for metadata in (resource["change"].get("after") or {}).get("metadata") or []:
                if metadata.get("name") and metadata.get("namespace"):
                    found.append(JobName(metadata["namespace"], metadata["name"]))
    return tuple(found)


def end_jobs(environment: str, jobs: Sequence[JobName], connect: Callable[[str], Kubectl] = kubectl_of) -> str:
    """End the Jobs so that Terraform stops waiting for them; return the line to print. Raises nothing."""
    names = ", ".join(job.name for job in jobs)
    try:
        kubectl = connect(environment)
        for job in jobs:
            kubectl.run("delete", "job", job.name, "--namespace", job.namespace, "--ignore-not-found")
    except OperatorError as error:
        commands = "; ".join(job.deletion for job in jobs)
        return f"Terraform goes on waiting for {names}, which cannot be ended from here ({error.message}): {commands}"
    return f"Ended {names}, since Terraform would go on waiting for it; the next deployment makes it anew."
