"""Whether the database that is about to be deleted has a backup that is recent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.core.azure import az
from scripts.core.errors import ExitCode, OperatorError

RECENT = timedelta(hours=36)
"""Azure makes a full backup every day, some hours later or earlier."""
_API = "2024-08-01"


def require_recent_backup(
    server_id: str, now: datetime | None = None, ask: Callable[..., dict[str, Any]] = az
) -> datetime:
    """Return when the last full backup of a server was made.

    Raises OperatorError (REFUSED) when it is not recent, or there is none: Azure could not bring the deleted server
    back.
    """
    answer = ask("rest", "--method", "GET", "--url", f"{server_id}/backups?api-version={_API}")
    made = [datetime.fromisoformat(backup["properties"]["completedTime"]) for backup in answer["value"]]
    name = server_id.rsplit("/", 1)[-1]
    last = max(made, default=None)
    if last is None or (now or datetime.now(UTC)) - last > RECENT:
        found = f"its last one is of {last:%Y-%m-%d %H:%M} UTC" if last else "there is none"
        raise OperatorError(
            f"{name} has no recent backup ({found}), so nothing was deleted",
            "wait for Azure's daily one (`llmctl db status`), or agree to that as well with --without-backup",
            ExitCode.REFUSED,
        )
    return last
