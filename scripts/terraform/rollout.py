"""Plans and applies the stacks of one environment, in order, in parallel where the order allows."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from scripts.bootstrap.terraform import Terraform
from scripts.core.console import err
from scripts.core.processes import Processes
from scripts.core.progress import Board
from scripts.core.schedule import PARALLELISM, Outcome, reversed_order, run_in_order
from scripts.core.workspace import Stack, Workspace
from scripts.review.changes import Kind, ResourceChange
from scripts.review.plan import Changes, Plan

from .job_waits import JobName, JobWaits, end_jobs
from .judged import losses_of, taken_back
from .stack import InterruptedRunError, NotDeployedError, StackRunner, TerraformError

_CLUSTER = "azurerm_kubernetes_cluster"
_CLUSTER_STACK, IN_THE_CLUSTER = "aks", "platform"


@dataclass
class Report:
    """What became of one stack."""

    outcome: Outcome
    changes: Changes = field(default_factory=Changes)
    seconds: float = 0.0
    error: TerraformError | None = None
    refused: tuple[str, ...] = ()
    """What the stack would lose or take back and nobody agreed to."""
    unreviewed: str = ""
    """Why what would be done is not what was reviewed; empty when it is."""


@dataclass
class Rollout:
    """One run over the stacks of a workspace."""

    workspace: Workspace
    stacks: Mapping[str, Stack]
    terraform: Terraform
    processes: Processes
    parallelism: int = PARALLELISM
    destroy: bool = False
    """Whether the stacks are destroyed, in reverse order, instead of deployed."""
    plans: dict[str, Plan] = field(default_factory=dict)
    """Plans made so far; a stack that reads one which is not deployed yet has none until its turn comes."""
    failures: dict[str, TerraformError] = field(default_factory=dict)
    """Stacks whose plan failed."""
    reports: dict[str, Report] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    """Stacks that were synthesized again after their plan was made, and are planned again when their turn comes."""
    read_unchanged: bool = False
    """Whether plans that change nothing are read too, for what is secret in them."""
    read_only: bool = False
    """Whether planning takes no lock and reads no secret, as an identity that may only read can."""
    may_go_back: Callable[[str, ResourceChange], bool] = lambda _stack, _change: False
    """Whether somebody has agreed that a stack takes a deployed value back."""
    reviewed: bool = False
    """Whether `plans` were made and reviewed before; then nothing else is applied."""
    cluster_variables: Mapping[str, str] = field(default_factory=dict)
    """Variables by which Terraform's providers reach the cluster (`scripts.cluster.reach`)."""
    end_jobs: Callable[[str, Sequence[JobName]], str] = end_jobs
    """Ends what Terraform would go on waiting for after an interruption."""
    _applied: set[str] = field(default_factory=set)
    _waits: JobWaits = field(default_factory=JobWaits)

    def plan(self) -> None:
        """Plan all stacks at once, into `plans` and `failures`. Raises KeyboardInterrupt when interrupted."""

        def work(name: str, board: Board) -> bool:
            board.phase(name, "planning")
            try:
                plan = self.runner(name).plan(
                    destroy=self.destroy, read_unchanged=self.read_unchanged, read_only=self.read_only
                )
            except NotDeployedError:
                waits_for = ", ".join(need for need in self.stacks if need in self.stacks[name].dependencies)
                board.end(name, f"planned once deployed: {waits_for}")
                return True
            except TerraformError as error:
                self.failures[name] = error
                board.end(name, "plan failed", "failed")
                return False
            self.plans[name] = plan
            board.end(name, str(plan.changes))
            return True

        self._run({name: frozenset() for name in self.stacks}, work, "plan")
        if IN_THE_CLUSTER in self.failures and self.cluster_is_gone and not self.destroy:
            del self.failures[IN_THE_CLUSTER]
            err.print(
                "The cluster is gone, and what ran in it with it: platform is planned once aks has made a new one."
            )
        self.failures = {name: self.failures[name] for name in self.stacks if name in self.failures}
        if self.processes.interrupted:
            raise KeyboardInterrupt

    @property
    def cluster_is_gone(self) -> bool:
        """Whether Azure, asked for the plans, has no cluster; False where it was not asked."""
        if (plan := self.plans.get(_CLUSTER_STACK)) is None:
            return False
        kinds = {change.kind for change in plan.resources if change.type == _CLUSTER}
        return not kinds if self.destroy else kinds == {Kind.CREATE}

    @property
    def lost(self) -> dict[str, tuple[str, ...]]:
        """Resources that the plans destroy, replace, or make again where they hold data, by stack."""
        losses = {name: self._losses(name, self.plans[name]) for name in self.stacks if name in self.plans}
        return {name: lost for name, lost in losses.items() if lost}

    def _losses(self, name: str, plan: Plan) -> tuple[str, ...]:
        return losses_of(plan, self.stacks[name], destroy=self.destroy)

    def apply(self, names: Iterable[str], *, any_loss: bool) -> bool:
        """Apply the plans of `names` and return whether all went well; `reports` tells the rest.

        What is lost by the plans made before is agreed to; `any_loss` says that so is what later plans lose.
        """
        chosen = [name for name in self.stacks if name in set(names)]
        needs = {name: self.stacks[name].dependencies for name in chosen}
        order = reversed_order(needs) if self.destroy else needs
        agreed = dict(self.lost)

        def work(name: str, board: Board) -> bool:
            started = time.monotonic()
            report = self._apply_one(name, board, None if any_loss else agreed.get(name, ()))
            report.seconds = time.monotonic() - started
            self.reports[name] = report
            return report.outcome == Outcome.DONE

        outcomes = self._run(order, work, "destroy" if self.destroy else "deploy")
        for name, outcome in outcomes.items():
            self.reports.setdefault(name, Report(outcome))
        return all(outcome == Outcome.DONE for outcome in outcomes.values())

    def _apply_one(self, name: str, board: Board, agreed: tuple[str, ...] | None) -> Report:
        runner = self.runner(name)
        plan = self.plans.get(name)
        try:
            if self.reviewed and (reason := self._unreviewed(name, board)):
                board.end(name, "not as reviewed", "failed")
                return Report(Outcome.FAILED, unreviewed=reason)
            if plan is None or (not self.reviewed and self._outdated(name)):
                board.phase(name, "planning")
                plan = runner.plan(destroy=self.destroy)
            if agreed is not None and (refused := tuple(sorted(set(self._losses(name, plan)) - set(agreed)))):
                board.end(name, f"refused: would lose {len(refused)} resources", "failed")
                return Report(Outcome.FAILED, refused=refused)
            if back := () if self.reviewed else taken_back(plan, partial(self.may_go_back, name)):
                board.end(name, f"refused: would take back {len(back)} values", "failed")
                return Report(Outcome.FAILED, refused=back)
            if not plan.changes.empty:
                board.phase(name, "applying")
                runner.on_activity = self._waits.followed(board, name, plan)
                runner.apply()
                self._applied.add(name)
        except InterruptedRunError as error:
            board.end(name, "interrupted", "failed")
            return Report(Outcome.FAILED, error=error)
        except TerraformError as error:
            board.end(name, f"{error.action} failed", "failed")
            return Report(Outcome.FAILED, error=error)
        board.end(name, plan.changes.past)
        return Report(Outcome.DONE, plan.changes)

    def _outdated(self, name: str) -> bool:
        """Tell whether a plan made before may no longer fit."""
        return name in self.stale or (not self.destroy and bool(self.stacks[name].dependencies & self._applied))

    def _unreviewed(self, name: str, board: Board) -> str:
        """Return why applying this stack now would not do what was reviewed; empty when it would.

        A plan that was made before the outputs that it reads changed is made again, and has to be the same.
        """
        reviewed = self.plans.get(name)
        if reviewed is None:
            return "it could not be planned when the others were reviewed"
        news = [
            need
            for need in self.stacks
            if need in self.stacks[name].dependencies & self._applied and self.plans[need].changes.outputs
        ]
        if not news:
            return ""
        board.phase(name, "planning again")
        if self.runner(name).plan().effect == reviewed.effect:
            return ""
        return f"it would now do something else, because outputs of {', '.join(news)} changed"

    def discard_plans(self) -> None:
        """Remove saved plans that were not applied."""
        for name in self.stacks:
            self.runner(name).plan_file.unlink(missing_ok=True)

    def runner(self, name: str) -> StackRunner:
        """Return what runs Terraform for one stack."""
        variables = self.cluster_variables if name == IN_THE_CLUSTER else {}
        return StackRunner(self.stacks[name], self.workspace, self.terraform, self.processes, variables=variables)

    @property
    def runners(self) -> dict[str, StackRunner]:
        """What runs Terraform for each stack."""
        return {name: self.runner(name) for name in self.stacks}

    def by_runner(self, errors: Mapping[str, TerraformError]) -> list[tuple[StackRunner, TerraformError]]:
        """Return errors by stack as pairs of what ran Terraform and its error."""
        return [(self.runner(name), error) for name, error in errors.items()]

    def _run(
        self, order: Mapping[str, frozenset[str]], work: Callable[[str, Board], bool], title: str
    ) -> dict[str, Outcome]:
        with Board(err, list(order), title, beats=True) as board, self.processes.forwarding_signals():
            end = partial(self.end_jobs, self.workspace.environment)
            self.processes.on_interrupt = lambda times: self._waits.interrupted(board, times, end)

            def guarded(name: str) -> bool:
                try:
                    return work(name, board)
                except KeyboardInterrupt:
                    board.end(name, "not started", "skipped")
                    return False

            return run_in_order(
                order, guarded, lambda name: board.end(name, "not started", "skipped"), parallelism=self.parallelism
            )
