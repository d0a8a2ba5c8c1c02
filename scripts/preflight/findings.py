"""What a check finds: what fails, why it matters, and the command that fixes it."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check, or one thing that it found, ended."""

    PASSED = "passed"
    WARNING = "warning"
    """The deployment works, but not all that the file asks for will."""
    FAILED = "failed"
    """The deployment would stop here."""
    NOT_CHECKED = "not checked"
    """It could not be looked at, so that nothing is known."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    what: str
    """What is wrong, with the setting or the name that it is about."""
    why: str
    """What happens to a deployment that goes on all the same."""
    fix: str
    """The command that puts it right, or what to write."""
    outcome: Outcome = Outcome.FAILED


class NotCheckedError(Exception):
    """A check cannot look at what it is about; the text says why."""


def warning(what: str, *, why: str, fix: str) -> Finding:
    """Return a finding that stops no deployment."""
    return Finding(what, why, fix, Outcome.WARNING)
