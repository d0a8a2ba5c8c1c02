"""The schedule of a cluster: working days in a time zone, with daylight saving time, and its share of the week."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from stacks.settings.off_hours import OffHoursSettings

OFFICE = OffHoursSettings(enabled=True, time_zone="Europe/Berlin", start="07:00", stop="20:00")
NIGHT = OffHoursSettings(enabled=True, days=("Friday",), start="22:00", stop="06:00")


@pytest.mark.parametrize(
    ("hours", "moment", "runs"),
    [
        (OFFICE, datetime(2026, 11, 30, 5, 59, tzinfo=UTC), False),
        (OFFICE, datetime(2026, 11, 30, 6, 0, tzinfo=UTC), True),
        (OFFICE, datetime(2026, 7, 1, 4, 59, tzinfo=UTC), False),
        (OFFICE, datetime(2026, 7, 1, 5, 0, tzinfo=UTC), True),
        (OFFICE, datetime(2026, 11, 30, 18, 59, tzinfo=UTC), True),
        (OFFICE, datetime(2026, 11, 30, 19, 0, tzinfo=UTC), False),
        (OFFICE, datetime(2026, 11, 28, 12, 0, tzinfo=UTC), False),
        (NIGHT, datetime(2026, 11, 27, 23, 0, tzinfo=UTC), True),
        (NIGHT, datetime(2026, 11, 28, 5, 59, tzinfo=UTC), True),
        (NIGHT, datetime(2026, 11, 28, 6, 0, tzinfo=UTC), False),
        (NIGHT, datetime(2026, 11, 28, 23, 0, tzinfo=UTC), False),
    ],
)
def test_the_cluster_runs_in_the_hours_of_its_time_zone(hours: OffHoursSettings, moment: datetime, runs: bool) -> None:
    assert hours.runs_at(moment) is runs


def test_the_next_change_is_after_the_weekend() -> None:
    change = OFFICE.next_change(datetime(2026, 11, 27, 21, 0, 30, tzinfo=UTC))
    assert change == datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
    always = OffHoursSettings(
        enabled=True,
        days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        start="00:00",
        stop="00:00",
    )
    assert always.next_change(datetime(2026, 11, 27, tzinfo=UTC)) is None
    assert always.share() == 1


def test_the_share_of_the_week_is_that_of_the_hours() -> None:
    assert OFFICE.share() == pytest.approx(65 / 168)
    assert NIGHT.share() == pytest.approx(8 / 168)
    assert OffHoursSettings().share() == 1


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../etc/passwd", "Mars"])
def test_a_time_zone_that_nobody_knows_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError, match="must be a time zone of the tz database"):
        OffHoursSettings(time_zone=zone)
