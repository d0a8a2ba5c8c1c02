"""Sets that are no longer wanted, and what failed attempts left: told, then removed part by part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scripts.azure.resources import Azure

from .manifest import SET_ID, Manifest, moment_of
from .parts import LOCK, SET_TAG, share_of
from .place import Place
from .store import Store

GRACE = timedelta(hours=24)
"""Age from which snapshots without a manifest count as left over: until then they may be a set that is being made."""


@dataclass(frozen=True)
class Doomed:
    """A set that goes."""

    id: str
    manifest: Manifest | None
    """None where no manifest was written."""
    snapshots: tuple[str, ...]
    """Ids, of copies too."""


def leftovers(snapshots: Iterable[Mapping[str, Any]], known: Iterable[str]) -> dict[str, list[str]]:
    """Return the ids of snapshots that belong to sets without a manifest, by set."""
    there = set(known)
    found: dict[str, list[str]] = {}
    for item in snapshots:
        set_id = str(item["tags"].get(SET_TAG, ""))
        if SET_ID.fullmatch(set_id) and set_id not in there:
            found.setdefault(set_id, []).append(item["id"])
    return found


def doomed(
    superfluous: Sequence[Manifest], snapshots: Sequence[Mapping[str, Any]], known: Iterable[str], now: datetime
) -> list[Doomed]:
    """Return what a pruning removes, oldest first. Pure: of what was read before."""
    by_set: dict[str, list[str]] = {}
    for item in snapshots:
        by_set.setdefault(str(item["tags"].get(SET_TAG, "")), []).append(item["id"])
    found = [Doomed(one.id, one, tuple(sorted(by_set.get(one.id, ())))) for one in superfluous]
    found += [
        Doomed(set_id, None, tuple(sorted(ids)))
        for set_id, ids in leftovers(snapshots, known).items()
        if now - moment_of(set_id) >= GRACE
    ]
    return sorted(found, key=lambda one: one.id)


def remove(one: Doomed, place: Place, azure: Azure, store: Store) -> None:
    """Remove a set: its snapshots, and its manifest last, so that what is interrupted can be repeated.

    Raises OperatorError.
    """
    for snapshot in one.snapshots:
        azure.locks.lift(snapshot, LOCK)
        azure.compute.delete_snapshot(snapshot)
    if one.manifest is None:
        return
    if uploads := one.manifest.uploads:
        share = share_of(uploads, place.disks_group)
        if uploads.moment in azure.shares.snapshots(share):
            azure.shares.delete_snapshot(share, uploads.moment)
    store.remove(one.id)
