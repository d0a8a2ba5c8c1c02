"""Hours in which nobody works, so that the cluster may be stopped."""

from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from .types import Model, ObjectId, TimeOfDay, Unique

Day = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_DAYS: tuple[Day, ...] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEK_MINUTES = 7 * 24 * 60


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError("time_zone", "must be a time zone of the tz database such as Europe/Berlin") from None
    return name


class OffHoursSettings(Model):
    """When the cluster is stopped: then nodes and API cost nothing, and nothing answers. Data stays."""

    enabled: bool = False
    """Whether `llmctl off-hours now`, which a pipeline runs every half hour, stops and starts the cluster."""
    pipeline_object_id: ObjectId | None = None
    """Object id of the identity of that pipeline, which `llmctl pipeline bootstrap` creates: the stack `aks` gives it
    its role on the cluster, and again on each new one."""
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """Time zone of the times, by its name in the tz database; daylight saving time is its own."""
    days: Annotated[tuple[Day, ...], Unique] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    """Days on which the cluster runs."""
    start: TimeOfDay = "07:00"
    """Time at which it is started on these days."""
    stop: TimeOfDay = "20:00"
    """Time at which it is stopped; not after `start`, it is that of the next day."""

    def runs_at(self, moment: datetime) -> bool:
        """Whether the cluster runs at a moment, which has a time zone."""
        local = moment.astimezone(ZoneInfo(self.time_zone))
        today, now = local.weekday(), local.time().replace(second=0, microsecond=0)
        begin, end = time.fromisoformat(self.start), time.fromisoformat(self.stop)
        if begin < end:
            return self._works(today) and begin <= now < end
        return (self._works(today) and now >= begin) or (self._works(today - 1) and now < end)

    def next_change(self, moment: datetime) -> datetime | None:
        """Return when the cluster is stopped or started next, to the minute; None where that never happens."""
        before = self.runs_at(moment)
        minute = moment.replace(second=0, microsecond=0)
        for step in range(1, _WEEK_MINUTES + 1):
            later = minute + timedelta(minutes=step)
            if self.runs_at(later) != before:
                return later.astimezone(ZoneInfo(self.time_zone))
        return None

    def share(self) -> float:
        """Return the share of a week in which the cluster runs; 1 where it is never stopped."""
        if not self.enabled:
            return 1.0
        begin, end = time.fromisoformat(self.start), time.fromisoformat(self.stop)
        minutes = (end.hour - begin.hour) * 60 + end.minute - begin.minute
        return len(self.days) * (minutes if minutes > 0 else minutes + 24 * 60) / _WEEK_MINUTES

    def _works(self, weekday: int) -> bool:
        return _DAYS[weekday % 7] in self.days
