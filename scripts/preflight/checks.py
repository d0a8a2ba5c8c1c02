"""A check: its name, what it looks at, the stacks that it is for, and the function that looks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stacks.settings import Settings

from .findings import Finding

if TYPE_CHECKING:
    # Azure's library, which no other command waits for.
    from .surroundings import Surroundings


def always(_settings: Settings) -> bool:
    """Tell that a check concerns every environment."""
    return True


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of the catalogue."""

    name: str
    """As people and `--json` name it."""
    looks_at: str
    """What is compared with what, for the page of checks."""
    why: str
    """What happens to a deployment without it, for the page of checks."""
    stacks: tuple[str, ...]
    """The stacks that would fail."""
    look: "Callable[[Surroundings], Iterable[Finding]]"
    """Yields what is wrong. Raises NotCheckedError, AnswerError where it cannot look."""
    concerns: Callable[[Settings], bool] = always
    """Whether the environment file asks for what it is about."""
    limit_s: float = 60.0
    """Seconds after which its answer is not waited for any more."""
