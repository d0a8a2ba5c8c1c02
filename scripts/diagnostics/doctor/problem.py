"""What a known problem is, and what it is called by those who have it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scripts.cluster.kubectl import Kubectl

Repair = Callable[[Kubectl], str]
"""Mends one finding and returns what was done, in a sentence. Raises OperatorError."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One known problem. The page of symptoms is made from these, and so is what the command shows."""

    id: str
    """Stays the same, for scripts that read the JSON."""
    title: str
    symptoms: tuple[str, ...]
    """What somebody sees or searches for, as programs write it."""
    why: str
    """What it means."""
    fix: str
    """What to do; `{ENV}` and the fields of a finding are filled in."""
    repairs: bool = False
    """Whether `llmctl doctor --fix` can do it, after asking."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem that is there now."""

    problem: Problem
    where: str
    """What has it: namespace and name, or a node."""
    detail: str
    """In the words of the program that reports it."""
    values: Mapping[str, str] = field(default_factory=dict)
    """For the places in the problem's fix."""
    repair: Repair | None = field(default=None, compare=False)
    deed: str = ""
    """What the repair does, asked before it is done."""

    def fix(self, environment: str) -> str:
        """Return the fix, filled in."""
        text = self.problem.fix.replace("{ENV}", environment)
        for name, value in self.values.items():
            text = text.replace(f"{{{name}}}", value)
        return text
