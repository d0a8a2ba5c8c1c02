"""So many days, weeks and months are kept, and never less than the newest and the newest verified set."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts.backup.manifest import Code, Manifest, new_id
from scripts.backup.prune import doomed
from scripts.backup.retention import kept, superfluous
from stacks.settings.data import BackupSettings

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)


def a_set(moment: datetime, *, verified: bool = False) -> Manifest:
    return Manifest(
        id=new_id(moment),
        environment="dev",
        subscription_id="s",
        region="westeurope",
        quiesced_seconds=60,
        code=Code(revision="", changed=False, settings=""),
        verified="2026-11-30T04:00:00Z" if verified else None,
    )


def daily(days: int) -> list[Manifest]:
    return [a_set(NOW - timedelta(days=age)) for age in range(days)]


def whys(sets: list[Manifest], **settings: Any) -> dict[str, str]:
    return {one.id[:8]: one.why for one in kept(sets, BackupSettings(**settings))}


def test_days_weeks_and_months_of_a_year_of_sets() -> None:
    stay = whys(daily(365), keep_daily=3, keep_weekly=3, keep_monthly=4)
    assert stay == {
        "20261130": "newest",
        "20261129": "daily",
        "20261128": "daily",
        "20261122": "weekly",
        "20261031": "monthly",
        "20260930": "monthly",
        "20260831": "monthly",
    }


def test_several_sets_of_one_day_count_once() -> None:
    sets = [a_set(NOW - timedelta(hours=age)) for age in range(0, 40, 2)]
    stay = whys(sets, keep_daily=2, keep_weekly=0, keep_monthly=0)
    assert list(stay) == ["20261130", "20261129"]
    assert len(kept(sets, BackupSettings(keep_daily=2, keep_weekly=0, keep_monthly=0))) == 2


def test_the_newest_verified_set_stays_however_old() -> None:
    sets = [*daily(5), a_set(NOW - timedelta(days=400), verified=True), a_set(NOW - timedelta(days=401), verified=True)]
    stay = whys(sets, keep_daily=1, keep_weekly=0, keep_monthly=0)
    assert stay == {"20261130": "newest", "20251026": "newest verified"}


def test_nothing_goes_while_there_is_one_set() -> None:
    (one,) = daily(1)
    assert superfluous([one], BackupSettings(keep_daily=1, keep_weekly=0, keep_monthly=0)) == []
    assert superfluous([], BackupSettings()) == []


@pytest.mark.parametrize("count", [1, 2, 30])
def test_kept_and_superfluous_together_are_all(count: int) -> None:
    sets, settings = daily(count), BackupSettings(keep_daily=2, keep_weekly=1, keep_monthly=1)
    ids = [one.id for one in kept(sets, settings)] + [one.id for one in superfluous(sets, settings)]
    assert sorted(ids) == sorted(one.id for one in sets)


def test_snapshots_without_a_manifest_go_when_no_run_can_be_making_them_any_more() -> None:
    def snapshot(moment: datetime) -> dict[str, Any]:
        set_id = new_id(moment)
        return {"id": f"/snapshots/{set_id}", "tags": {"backup-set": set_id}}

    whole = a_set(NOW - timedelta(days=3))
    found: list[dict[str, Any]] = [
        snapshot(NOW - timedelta(hours=23)),
        snapshot(NOW - timedelta(hours=24)),
        snapshot(whole.moment),
        {"id": "/snapshots/x", "tags": {"backup-set": "by hand"}},
    ]
    gone = doomed([], found, [whole.id], NOW)
    assert [(one.id, one.manifest, one.snapshots) for one in gone] == [
        ("20261129t030000z", None, ("/snapshots/20261129t030000z",))
    ]
