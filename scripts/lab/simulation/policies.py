"""Ways to run a model: how many replicas stay loaded at which time."""

from dataclasses import dataclass
from enum import StrEnum

from stacks.settings.serving import WarmHours

from .traffic import DAY_S, HOUR_S


class Policy(StrEnum):
    """How many replicas are there while nobody asks."""

    ALWAYS_ON = "always-on"
    """At least one, always."""
    SCHEDULED = "scheduled"
    """At least one in the warm hours; outside of them a request starts the model."""
    SUSPENDED = "suspended"
    """At least one in the warm hours; outside of them the model is suspended and nothing starts it."""
    SCALE_TO_ZERO = "scale-to-zero"
    """None; a request starts the model."""


@dataclass(frozen=True)
class Hours:
    """Hours of some weekdays; 0 is Monday."""

    days: frozenset[int]
    start_s: float
    end_s: float

    def __contains__(self, at_s: float) -> bool:
        """Tell whether a moment lies within."""
        return int(at_s // DAY_S) % 7 in self.days and self.start_s <= at_s % DAY_S < self.end_s


def hours_of(warm: WarmHours) -> Hours:
    """Return the hours of a setting, whose weekdays are cron's: 0 is Sunday."""
    days: set[int] = set()
    for part in warm.days.split(","):
        first, _, last = part.partition("-")
        days.update(range(int(first), int(last or first) + 1))
    return Hours(frozenset((day - 1) % 7 for day in days), _seconds(warm.start), _seconds(warm.end))


def floor(policy: Policy, min_replicas: int, warm: Hours, at_s: float) -> int | None:
    """Return the replicas that stay loaded at a moment; None while the model is suspended."""
    loaded = max(1, min_replicas)
    if policy is Policy.ALWAYS_ON:
        return loaded
    if policy is Policy.SCALE_TO_ZERO:
        return 0
    if at_s in warm:
        return loaded
    return None if policy is Policy.SUSPENDED else 0


def _seconds(time: str) -> float:
    hour, minute = (int(part) for part in time.split(":"))
    return hour * HOUR_S + minute * 60.0
