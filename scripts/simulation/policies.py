"""Ways to run a model: how many replicas stay loaded at which time."""

from enum import StrEnum

from .assumptions import Schedule
from .traffic import DAY_S, HOUR_S


class Policy(StrEnum):
    """How many replicas are there while nobody asks."""

    ALWAYS_ON = "always-on"
    SCHEDULED = "scheduled"
    SCHEDULED_ON_DEMAND = "scheduled-on-demand"
    SCALE_TO_ZERO = "scale-to-zero"


def floor(policy: Policy, min_replicas: int, schedule: Schedule, at_s: float) -> int | None:
    """Return the replicas that stay loaded at a moment; None while the model is suspended and nothing wakes it.

    `scheduled` suspends it outside working hours; `scheduled-on-demand` lets requests wake it there.
    """
    loaded = max(1, min_replicas)
    if policy is Policy.ALWAYS_ON:
        return loaded
    if policy is Policy.SCALE_TO_ZERO:
        return 0
    if working(schedule, at_s):
        return loaded
    return None if policy is Policy.SCHEDULED else 0


def working(schedule: Schedule, at_s: float) -> bool:
    """Tell whether a moment is in working hours."""
    day, hour = int(at_s // DAY_S) % 7, at_s % DAY_S / HOUR_S
    return day in schedule.days and schedule.start_hour <= hour < schedule.end_hour
