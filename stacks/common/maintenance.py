"""The weekly maintenance window in UTC, as services without a time zone want it."""

from dataclasses import dataclass

from stacks.settings.cluster import MaintenanceSettings

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MINUTES_PER_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class UtcWindow:
    """Start of a weekly window."""

    day_of_week: int
    """0 is Sunday."""
    hour: int
    minute: int


def in_utc(window: MaintenanceSettings) -> UtcWindow:
    """Return the start of `window` in UTC, which may lie on the day before or after."""
    start = DAYS.index(window.day) * MINUTES_PER_DAY + _minutes(window.start_time)
    ahead = _minutes(window.utc_offset[1:]) * (-1 if window.utc_offset[0] == "-" else 1)
    day, minutes = divmod((start - ahead) % (len(DAYS) * MINUTES_PER_DAY), MINUTES_PER_DAY)
    return UtcWindow(day, *divmod(minutes, 60))


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
