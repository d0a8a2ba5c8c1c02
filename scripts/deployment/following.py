"""A deployment of what follows a server or disks that took others' places, agreed to before, and to that alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scripts.cluster.kubectl import Kubectl
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets
from scripts.terraform.rollout import Rollout

from .bring_up import bring_up, failure_code
from .going_back import GoingBack


@dataclass(frozen=True)
class AgreedLoss(Consent):
    """Consent to losing `expected` and nothing else, given before."""

    expected: tuple[str, ...] = ()
    """Beginnings of addresses."""

    def obtain(self, question: str, lost: Mapping[str, tuple[str, ...]]) -> None:  # noqa: ARG002
        """Return when nothing else is lost. Raises OperatorError (REFUSED) otherwise."""
        others = [address for found in lost.values() for address in found if not address.startswith(self.expected)]
        if others:
            raise OperatorError(
                f"beside what follows, the plan would destroy or replace {', '.join(others)}",
                f"`llmctl deploy {self.environment}` shows it and asks; then run this again",
                ExitCode.REFUSED,
            )


@dataclass(frozen=True, kw_only=True)
class Following:
    """What follows in one environment."""

    environment: str
    checked: tuple[str, ...]
    """Settings that may go back: whoever changes them has looked at what was before."""
    connect: Callable[[str], Kubectl]
    again: str
    """What to do when it failed."""

    def deploy(self, run: Rollout, stacks: tuple[str, ...], expected: tuple[str, ...], problem: str) -> None:
        """Deploy `stacks`, whose loss of `expected` is agreed to. Raises OperatorError that begins with `problem`."""
        consent = AgreedLoss(self.environment, yes=True, expected=expected)
        back = GoingBack(checked=self.checked, connect=self.connect)
        try:
            if bring_up(run, Targets(self.environment, stacks), consent, back=back):
                return
        except OperatorError as error:
            raise OperatorError(f"{problem}: {error.message}", error.fix or self.again, error.code) from None
        raise OperatorError(problem, self.again, failure_code(run))
