"""A restore asks for a time that has been."""

from datetime import UTC, datetime

import pytest

from scripts.core.notes.restore import restore_findings
from stacks.settings.database import DatabaseSettings

SERVER = (
    "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/r/providers"
    "/Microsoft.DBforPostgreSQL/flexibleServers/s"
)


def restore(moment: str) -> DatabaseSettings:
    return DatabaseSettings(restore_from_server_id=SERVER, restore_time_utc=moment, generation=2)


def test_a_time_in_the_future_is_refused() -> None:
    (finding,) = restore_findings(restore("2026-11-01T12:00:01Z"), datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert finding.key == ("database", "restore_time_utc")
    assert "is in the future" in finding.message


@pytest.mark.parametrize("moment", ["2026-11-01T12:00:00Z", "2024-01-01T00:00:00Z"])
def test_what_has_been_is_not(moment: str) -> None:
    assert list(restore_findings(restore(moment), datetime(2026, 11, 1, 12, tzinfo=UTC))) == []
