"""Whether a set can still be restored: each part asked of Azure, nothing of the manifest taken on trust."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from scripts.azure.resources import Azure
from scripts.core.checks import Check

from .manifest import Manifest, Snapshot
from .parts import SET_TAG, recovery_point, share_of, snapshots
from .place import Place


def checks(manifest: Manifest, place: Place, azure: Azure, now: datetime) -> list[Check]:
    """Return a check for every part of a set. Raises AzureError when Azure gives no answer."""
    there = {item["id"].lower(): item for item in snapshots(azure, place.sets_group)}
    locked = azure.locks.held(place.sets_group)
    found = [Check(f"disk {one.store}", _snapshot(manifest.id, one, there, locked)) for one in manifest.snapshots]
    found += [
        Check(f"copy of {one.store}", _copy(there.get(one.copy_id.lower())))
        for one in manifest.snapshots
        if one.copy_id is not None
    ]
    if manifest.database:
        found.append(Check("database", _database(manifest, place, azure, now)))
    if manifest.uploads:
        moments = azure.shares.snapshots(share_of(manifest.uploads, place.disks_group))
        problem = "" if manifest.uploads.moment in moments else f"no snapshot of {manifest.uploads.moment} is there"
        found.append(Check("uploads", problem))
    if manifest.vault:
        found.append(Check("vault", "; ".join(_secrets(manifest, azure))))
    return found


def _snapshot(set_id: str, one: Snapshot, there: Mapping[str, dict[str, Any]], locked: set[str]) -> str:
    item = there.get(one.id.lower())
    if item is None:
        return f"{one.name} is not there"
    if item["provisioningState"] != "Succeeded":
        return f"{one.name} is {item['provisioningState']}"
    if (item.get("tags") or {}).get(SET_TAG) != set_id:
        return f"{one.name} belongs to another set"
    source = item["creationData"]["sourceResourceId"].lower()
    if source != one.disk_id.lower():
        return f"{one.name} was made of {source.rsplit('/', 1)[-1]}, not of {one.disk}"
    if one.id.lower() not in locked:
        return f"{one.name} is not locked: whoever may delete snapshots may delete it"
    return ""


def _copy(item: Mapping[str, Any] | None) -> str:
    if item is None:
        return "is not there"
    done = item.get("completionPercent")
    if done is not None and done < 100:
        return f"{done:.0f} % copied"
    return "" if item["provisioningState"] == "Succeeded" else f"is {item['provisioningState']}"


def _database(manifest: Manifest, place: Place, azure: Azure, now: datetime) -> str:
    point = manifest.database
    assert point is not None
    group, server = point.server_id.split("/")[4], point.server
    earliest = recovery_point(azure, server, group or place.database_group, now).earliest
    if datetime.fromisoformat(earliest) > datetime.fromisoformat(point.moment):
        return f"{point.server} can be restored from {earliest} on only, the set is of {point.moment}"
    return ""


def _secrets(manifest: Manifest, azure: Azure) -> Iterator[str]:
    assert manifest.vault is not None
    for secret in manifest.vault.secrets:
        versions = dict(azure.vaults.versions(manifest.vault.vault, secret.name))
        if secret.version not in versions:
            yield f"{secret.name} has lost its version {secret.version[:8]}…"
        elif not versions[secret.version]:
            yield f"{secret.name}: version {secret.version[:8]}… is disabled"
