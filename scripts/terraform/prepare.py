"""What every command that runs Terraform does first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scripts.cluster.reach.choice import chosen as way_of
from scripts.cluster.reach.through import provider_variables
from scripts.core.console import err, working
from scripts.core.environment_lock import environment_lock
from scripts.core.processes import Processes
from scripts.core.remote_runs import runs_elsewhere
from scripts.core.schedule import PARALLELISM
from scripts.core.targets import Targets, load_environment
from scripts.core.workspace import CACHE, Workspace

from .program import require_terraform
from .rollout import IN_THE_CLUSTER, Rollout
from .synthesis import synthesize


@dataclass(frozen=True)
class Job:
    """What a command does to which stacks."""

    action: str
    targets: Targets
    workspace: Workspace
    parallelism: int = PARALLELISM
    destroy: bool = False
    current: bool = True
    """Whether what is synthesized has to follow what others have deployed; not so for plans that were saved."""


Renewed = Callable[[Rollout], bool]
"""Brings what every checkout shares, and tells whether that changed what is synthesized from it."""


@contextmanager
def rollout(job: Job, renewed: Renewed = lambda _run: False) -> Iterator[Rollout]:
    """Check the environment file, lock the environment, synthesize it, and give the run over its chosen stacks.

    What `renewed` has brought is synthesized again. Saved plans that were not applied are removed at the end. Raises
    OperatorError.
    """
    terraform = require_terraform()
    settings = load_environment(job.targets.environment)
    processes = Processes()
    workspace = job.workspace
    with environment_lock(CACHE / "locks", workspace.lock_name, job.action):
        warnings = _synthesized(workspace, processes)
        if job.current and not job.destroy:
            everything = Rollout(workspace, workspace.stacks(), terraform, processes, job.parallelism)
            if renewed(everything):
                warnings = _synthesized(workspace, processes)
        for warning in warnings:
            err.print(f"Warning: {warning}", markup=False)
        stacks = workspace.stacks()
        chosen = {name: stacks[name] for name in job.targets.select(stacks)}
        # Before anything is planned: a way that cannot be had ends the command, and ssh may ask something.
        here = IN_THE_CLUSTER in chosen and not runs_elsewhere(settings.state)
        variables = provider_variables(way_of(settings)) if here else {}
        run = Rollout(
            workspace, chosen, terraform, processes, job.parallelism, job.destroy, cluster_variables=variables
        )
        try:
            yield run
        finally:
            run.discard_plans()


def _synthesized(workspace: Workspace, processes: Processes) -> list[str]:
    with working(f"Synthesizing {workspace.environment}"), processes.forwarding_signals():
        return synthesize(workspace, processes)
