"""The maintenance window in the form of AKS's oldest, planned maintenance setting."""

from stacks.common.maintenance import DAYS, in_utc
from stacks.settings.cluster import MaintenanceSettings

HOURS_PER_DAY = 24


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
