"""The maintenance window arrives at services that know only UTC at the same moment."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs.postgresql_server import UtcWindow
from stacks.common.maintenance import DAYS, in_utc
from stacks.settings.cluster import MaintenanceSettings


@pytest.mark.parametrize(
    ("day", "start", "offset", "expected"),
    [
        ("Sunday", "01:00", "+00:00", UtcWindow(0, 1, 0)),
        ("Sunday", "01:00", "+02:00", UtcWindow(6, 23, 0)),
        ("Saturday", "23:30", "-05:30", UtcWindow(0, 5, 0)),
        ("Monday", "12:15", "+05:45", UtcWindow(1, 6, 30)),
    ],
)
def test_known_windows(day: str, start: str, offset: str, expected: UtcWindow) -> None:
    window = MaintenanceSettings.model_validate({"day": day, "start_time": start, "utc_offset": offset})
    assert in_utc(window) == expected


@given(
    day=st.sampled_from(DAYS),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    offset=st.from_regex(r"\+(0[0-9]|1[0-3]):(00|30|45)|\+14:00|-(0[0-9]|1[01]):(00|30)|-12:00", fullmatch=True),
)
def test_every_window_agrees_with_the_calendar(day: str, hour: int, minute: int, offset: str) -> None:
    window = MaintenanceSettings.model_validate(
        {"day": day, "start_time": f"{hour:02}:{minute:02}", "utc_offset": offset}
    )
    # 2026-11-01 is a Sunday.
    local = datetime.fromisoformat(f"2026-11-01T{hour:02}:{minute:02}:00{offset}") + timedelta(days=DAYS.index(day))
    utc = local - (local.utcoffset() or timedelta())
    assert in_utc(window) == UtcWindow((utc.weekday() + 1) % 7, utc.hour, utc.minute)
