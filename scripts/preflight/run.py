"""Runs the checks in parallel, each with a time limit of its own, and collects what they found."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from scripts.azure.errors import AnswerError, NoLoginError
from scripts.core.errors import OperatorError

from .checks import Check
from .findings import Finding, NotCheckedError, Outcome

if TYPE_CHECKING:
    from .surroundings import Surroundings

LOGIN = "login"
"""Name of the check that says what is wrong with the login; the others only say that they depend on it."""


@dataclass(frozen=True)
class Result:
    """How one check ended."""

    check: Check
    findings: tuple[Finding, ...] = ()
    not_checked: str = ""
    """Why it could not look, or not at everything; empty where it could."""
    needs_login: bool = False
    """Whether it could not look for want of a login."""
    seconds: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """The worst of what it found."""
        found = {finding.outcome for finding in self.findings}
        if Outcome.FAILED in found:
            return Outcome.FAILED
        if Outcome.WARNING in found:
            return Outcome.WARNING
        return Outcome.NOT_CHECKED if self.not_checked else Outcome.PASSED


@dataclass(frozen=True)
class Report:
    """How all checks ended, in the order of the catalogue."""

    environment: str
    stacks: tuple[str, ...]
    results: tuple[Result, ...]

    def of(self, outcome: Outcome) -> list[Result]:
        """Return the checks that ended in this way."""
        return [result for result in self.results if result.outcome is outcome]

    @property
    def failed(self) -> bool:
        """Whether a deployment would stop halfway."""
        return bool(self.of(Outcome.FAILED))


Told = Callable[[Sequence[str]], None]
"""Hears the names of the checks that are still waited for, each time that one has ended."""


def nobody(_waiting: Sequence[str]) -> None:
    """Hear nothing."""


def run(checks: Sequence[Check], asked: "Surroundings", told: Told = nobody) -> Report:
    """Run the checks that concern the environment and its stacks, all at once.

    A check that is late counts as not checked; its thread goes on without holding anybody up.
    """
    chosen = [
        check for check in checks if check.concerns(asked.settings) and not set(check.stacks).isdisjoint(asked.stacks)
    ]
    ended: SimpleQueue[Result] = SimpleQueue()
    began = time.monotonic()
    for check in chosen:
        # Daemons, so that one that hangs does not keep the process from ending.
        threading.Thread(target=lambda one=check: ended.put(look(one, asked)), daemon=True).start()
    results: dict[str, Result] = {}
    waiting = {check.name: check for check in chosen}
    while waiting:
        told(list(waiting))
        try:
            result = ended.get(timeout=_until(waiting.values(), began))
        except Empty:
            result = None
        if result and result.check.name in waiting:
            results[result.check.name] = result
            del waiting[result.check.name]
        for check in [check for check in waiting.values() if time.monotonic() - began >= check.limit_s]:
            results[check.name] = Result(
                check, not_checked=f"no answer in {check.limit_s:.0f} s", seconds=check.limit_s
            )
            del waiting[check.name]
    return Report(asked.settings.name, asked.stacks, tuple(results[check.name] for check in chosen))


def _until(waiting: Iterable[Check], began: float) -> float:
    return max(0.0, min(check.limit_s for check in waiting) - (time.monotonic() - began))


def look(check: Check, asked: "Surroundings") -> Result:
    """Return how one check ends, here and now. Raises nothing that a check is known to raise."""
    found: list[Finding] = []
    why, needs_login = "", False
    began = time.monotonic()
    try:
        for finding in check.look(asked):
            found.append(finding)
    except NoLoginError as error:
        why, needs_login = str(error), check.name != LOGIN
    except (NotCheckedError, AnswerError) as error:
        why = str(error)
    except OperatorError as error:
        why = error.message
    except Exception as error:  # noqa: BLE001 - a fault in one check takes no other one's answer away
        why = f"the check itself failed: {type(error).__name__}: {error}"
    return Result(check, tuple(found), why, needs_login, time.monotonic() - began)
