"""Which sets are kept: the newest of so many days, weeks and months, and always the newest verified one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from stacks.settings.data import BackupSettings

from .manifest import Manifest


@dataclass(frozen=True)
class Kept:
    """Why a set stays."""

    id: str
    why: str


def kept(sets: Sequence[Manifest], settings: BackupSettings) -> list[Kept]:
    """Return the sets that stay, newest first, each with the first reason for it. Pure: of the manifests alone."""
    newest_first = sorted(sets, key=lambda found: found.id, reverse=True)
    reasons: dict[str, str] = {}
    for found in newest_first[:1]:
        reasons[found.id] = "newest"
    for verified in [found for found in newest_first if found.verified][:1]:
        reasons.setdefault(verified.id, "newest verified")
    rules: tuple[tuple[str, int, Callable[[datetime], object]], ...] = (
        ("daily", settings.keep_daily, lambda moment: moment.date()),
        ("weekly", settings.keep_weekly, lambda moment: tuple(moment.isocalendar())[:2]),
        ("monthly", settings.keep_monthly, lambda moment: (moment.year, moment.month)),
    )
    for why, count, period in rules:
        seen: set[object] = set()
        for found in newest_first:
            if len(seen) < count and period(found.moment) not in seen:
                seen.add(period(found.moment))
                reasons.setdefault(found.id, why)
    return [Kept(found.id, reasons[found.id]) for found in newest_first if found.id in reasons]


def superfluous(sets: Sequence[Manifest], settings: BackupSettings) -> list[Manifest]:
    """Return the sets that `kept` does not name, oldest first."""
    stay = {found.id for found in kept(sets, settings)}
    return sorted((found for found in sets if found.id not in stay), key=lambda found: found.id)
