"""The weekly maintenance window in UTC, as services without a time zone want it."""

from datetime import UTC, datetime

from constructs.postgresql_server import UtcWindow
from stacks.settings.cluster import MaintenanceSettings

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
HOURS_PER_DAY = 24
MINUTES_PER_DAY = HOURS_PER_DAY * 60


def in_utc(window: MaintenanceSettings) -> UtcWindow:
    """Return the start of `window` in UTC, which may lie on the day before or after."""
    start = DAYS.index(window.day) * MINUTES_PER_DAY + _minutes(window.start_time)
    ahead = _minutes(window.utc_offset[1:]) * (-1 if window.utc_offset[0] == "-" else 1)
    day, minutes = divmod((start - ahead) % (len(DAYS) * MINUTES_PER_DAY), MINUTES_PER_DAY)
    return UtcWindow(day, *divmod(minutes, 60))


def allowed_hours(window: MaintenanceSettings) -> dict[str, list[int]]:
    """Return the whole UTC hours inside `window`, by the day that they are on.

    Hour 1 means from 01:00 until 02:00, so a window that opens at half past loses its first and last half hour.
    """
    start = in_utc(window)
    whole_hours = window.duration_hours - (1 if start.minute else 0)
    first = start.day_of_week * HOURS_PER_DAY + start.hour + (1 if start.minute else 0)
    hours: dict[str, list[int]] = {}
    for hour in range(first, first + whole_hours):
        day, of_day = divmod(hour, HOURS_PER_DAY)
        hours.setdefault(DAYS[day % len(DAYS)], []).append(of_day)
    return hours


def minutes_until(window: MaintenanceSettings, now: datetime) -> int:
    """Return how many minutes after `now` the window opens; 0 while it is open."""
    opens = in_utc(window)
    start = opens.day_of_week * MINUTES_PER_DAY + opens.hour * 60 + opens.minute
    utc = now.astimezone(UTC)
    # Sunday is the first day of the window's week, Monday that of Python's.
    passed = (utc.weekday() + 1) % len(DAYS) * MINUTES_PER_DAY + utc.hour * 60 + utc.minute
    since = (passed - start) % (len(DAYS) * MINUTES_PER_DAY)
    return 0 if since < window.duration_hours * 60 else len(DAYS) * MINUTES_PER_DAY - since


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
