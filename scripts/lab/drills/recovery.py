"""How a broken environment comes back: deployed again and again, with what exists taken over."""

from contextlib import suppress
from dataclasses import dataclass, field

from scripts.core.errors import OperatorError
from scripts.terraform.errors.diagnose import diagnose
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import TerraformError

from .stage import Stage, done

MOST_RUNS = 40
"""More runs than the longest chain of resources, each of which fails once."""


@dataclass
class Recovery:
    """What it took until everything was as configured again."""

    runs: int = 0
    """Deployments, the one that broke included."""
    taken_over: list[str] = field(default_factory=list)
    """Addresses of what existed already, was recognised and imported."""
    said: list[str] = field(default_factory=list)
    """First lines of the errors that were shown."""
    unexplained: list[str] = field(default_factory=list)
    """Errors about what exists already for which no way on was shown, and whatever else should not be."""
    set_aside: list[str] = field(default_factory=list)
    """Ids of what stays outside of every state on purpose, with what lies below them."""


def recover(stage: Stage, *stacks: str, first: Rollout | None = None) -> Recovery:
    """Deploy again and again, taking over what an error says is there, until every stack is deployed.

    Raises OperatorError when that does not end.
    """
    found = Recovery()
    run = first
    for _ in range(MOST_RUNS):
        run = run or stage.deploy(*stacks)
        found.runs += 1
        failed = _errors_of(run)
        if not failed and done(run):
            return found
        for stack, error in failed.items():
            _take_over(stage, run, stack, error, found)
        run = None
    raise OperatorError(f"not whole after {MOST_RUNS} runs: {'; '.join(found.said[-3:])}")


def _take_over(stage: Stage, run: Rollout, stack: str, error: TerraformError, found: Recovery) -> None:
    """Import what the errors say is there, and everything else of the stack that the dead run left behind."""
    folder, recognised = str(run.stacks[stack].folder), False
    for diagnosis in diagnose(error.output, folder, "again", run.stacks[stack].attributes):
        said = " ".join(diagnosis.text.split("\n", 1)[0].split())
        found.said.append(f"{stack}: {said}")
        if "state adopt" in diagnosis.fix:
            recognised = True
        elif "exist" in diagnosis.text:
            found.unexplained.append(f"no way on is shown for: {said}")
    if recognised:
        # What fails besides is met again, and shown, by the next deployment.
        with suppress(OperatorError):
            found.taken_over += stage.adopt(stage, stack)


def _errors_of(run: Rollout) -> dict[str, TerraformError]:
    applied = {name: report.error for name, report in run.reports.items() if report.error}
    return {**run.failures, **applied}
