"""Nothing that is deployed goes back: what plans would take back is refused unless somebody has named it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from scripts.cluster.kubectl import Kubectl
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import Stack
from scripts.opik.migrations import Changelogs, changelogs
from scripts.opik.way_back import require_older_can_run
from scripts.review.changes import ResourceChange
from scripts.review.going_back import settings_back
from scripts.review.guard import Allowance, Refusal, stake
from scripts.terraform.outputs import kubectl_of
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import StackRunner, TerraformError
from stacks.common.one_way_record import every_mark
from stacks.settings.file.errors import dotted

from .losses import allowed_losses, refuse

OPIK = "opik.version"
OPIK_IMAGES = ("images.opik/", "images.opik-guardrails/")
ONE_WAY = "one_way"
_NOTHING = "\0"
"""Begins no key."""

Step = tuple[str, ResourceChange]
"""A deployed value that would go back, with the stack that records it."""


@dataclass(frozen=True)
class GoingBack:
    """What a command has checked itself, and how it asks about the rest."""

    checked: tuple[str, ...] = ()
    """Keys, or beginnings of them, that may go back."""
    allowances: Callable[[str], list[Allowance]] = lambda environment: allowed_losses(environment, ())
    """Gives the losses that the file of an environment agrees to."""
    connect: Callable[[str], Kubectl] = kubectl_of
    """Gives kubectl for the cluster of an environment."""
    changelogs: Changelogs = changelogs
    """Gives the schema migrations that a release of Opik brings."""
    require_older_opik: Callable[[str, str, Callable[[str], Kubectl], Changelogs], None] = require_older_can_run
    """Asks the databases whether an older Opik can live with their schema."""

    def refuse(self, run: Rollout) -> None:
        """Return when the plans of a run take nothing back that nobody has agreed to; `run` then knows what may.

        Raises OperatorError (REFUSED) that says what is deployed, what this checkout has, and what to do.
        """
        environment, steps = run.workspace.environment, steps_of(run)
        listed = self.allowances(environment)
        allowances = [*listed, *self.opik_may(environment, steps, listed)]

        def may(stack: str, change: ResourceChange) -> bool:
            return self._checked(change) or not refusals([(stack, change)], allowances)

        run.may_go_back = may
        refuse(environment, refusals([step for step in steps if not self._checked(step[1])], allowances))

    def opik_may(self, environment: str, steps: Iterable[Step], allowances: Sequence[Allowance]) -> list[Allowance]:
        """Return the consent to an older Opik where a plan lowers it and its databases can live with that.

        Raises OperatorError (REFUSED) where they cannot, or cannot be asked, and nobody has agreed to it.
        """
        steps = list(steps)
        lowered = [step for step in steps if step[1].address == OPIK and not self._checked(step[1])]
        if not refusals(lowered, allowances):
            return []
        deployed, asked = lowered[0][1].versions
        what = f"Opik {deployed} is deployed, this checkout asks for {asked}"
        try:
            self.require_older_opik(environment, asked, self.connect, self.changelogs)
        except OperatorError as error:
            stay = f"to stay: git pull, or write opik.version: {deployed} into environments/{environment}.yaml"
            raise OperatorError(
                f"{what}: {error.message}", "; ".join(filter(None, [stay, error.fix])), ExitCode.REFUSED
            ) from None
        err.print(f"{what}, which its databases can live with.", markup=False)
        # Its images follow the version.
        images = [change.address for _, change in steps if change.address.startswith(OPIK_IMAGES)]
        return [Allowance("", address) for address in (OPIK, *images)]

    def _checked(self, change: ResourceChange) -> bool:
        return change.address.startswith(self.checked or _NOTHING)


def refusals(steps: Iterable[Step], allowances: Sequence[Allowance]) -> list[Refusal]:
    """Return what goes back and nobody has agreed to."""
    return [
        Refusal(stack, change.address, change.kind.value, stake(stack, change), change.final)
        for stack, change in steps
        if change.final or not any(allowance.covers(stack, change.address) for allowance in allowances)
    ]


def steps_of(run: Rollout) -> list[Step]:
    """Return what the plans of a run take back, also in stacks that only record what the selected ones deploy.

    Raises OperatorError where such a stack records something older: then they have to be deployed together.
    """
    planned = [(name, change) for name, plan in run.plans.items() for change in plan.back]
    return planned if run.destroy else [*planned, *_beside(run)]


def _beside(run: Rollout) -> list[Step]:
    keys = {dotted(marked.key): marked.mark.stack for marked in every_mark() if marked.mark.effect in run.stacks}
    known = run.workspace.stacks()
    found: list[Step] = []
    for name in sorted(set(keys.values()) - run.stacks.keys()):
        ours: Mapping[str, str] = (known[name].output(ONE_WAY) if name in known else None) or {}
        deployed = _recorded(run, known[name]) if ours else {}
        back = [change for change in settings_back(deployed, ours) if keys.get(change.address) == name]
        found += [(name, change) for change in back]
        # What would go back the other way round is newer than what is recorded.
        newer = [change for change in settings_back(ours, deployed) if keys.get(change.address) == name]
        if newer and not back:
            raise _unrecorded(run, name, newer[0])
    return found


def _recorded(run: Rollout, stack: Stack) -> Mapping[str, str]:
    try:
        output = StackRunner(stack, run.workspace, run.terraform, run.processes).outputs().get(ONE_WAY, {})
    except TerraformError as error:
        lines = [line for line in error.output.splitlines() if line.strip()]
        raise OperatorError(
            f"what is deployed cannot be read from the state of {stack.name}: {lines[0] if lines else 'no message'}",
            f"llmctl diff {run.workspace.environment} {stack.name}",
            ExitCode.NOT_READY,
        ) from None
    return dict(output.get("value") or {})


def _unrecorded(run: Rollout, recorder: str, change: ResourceChange) -> OperatorError:
    ours, deployed = change.versions
    together = " ".join(["llmctl deploy", run.workspace.environment, recorder, *run.stacks])
    return OperatorError(
        f"{change.address}: {deployed or 'nothing'} is deployed, this checkout has {ours or 'nothing'}, and the stack"
        f" {recorder}, which records it, is not selected",
        f"deploy them together: `{together}`",
        ExitCode.REFUSED,
    )
