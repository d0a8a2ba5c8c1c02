"""Whether a restore of PostgreSQL asks for a time that has been."""

from collections.abc import Iterator
from datetime import UTC, datetime

from stacks.settings.database import DatabaseSettings
from stacks.settings.rules.base import Finding


def restore_findings(database: DatabaseSettings, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the time of a restore; one long ago may be that of a server that stands."""
    moment = database.restore_time_utc
    if moment and datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) > now:
        yield Finding(
            ("database", "restore_time_utc"), "is in the future; Azure restores what was, up to a few minutes ago"
        )
