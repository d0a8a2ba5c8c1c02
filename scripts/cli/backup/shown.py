"""Backup sets in words, for people."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from scripts.backup import cost, retention
from scripts.backup.cost import PricesOf
from scripts.backup.manifest import Manifest
from stacks.settings.data import BackupSettings

BILLED = (
    "A snapshot of a disk is billed for what has changed since the one before, so usually far less; share snapshots"
    " likewise, and have no price here."
)


def rows(sets: Sequence[Manifest], settings: BackupSettings, now: datetime, prices: PricesOf) -> Iterator[str]:
    """Yield a line for each set, newest first, and what they cost together."""
    stay = {one.id: one.why for one in retention.kept(sets, settings)}
    for one in sorted(sets, key=lambda found: found.id, reverse=True):
        hours = (now - one.moment).total_seconds() / 3600
        age = f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"
        verified = "verified" if one.verified else "not verified"
        kept = f"kept: {stay[one.id]}" if one.id in stay else "prune deletes it"
        price = cost.in_words(cost.most(one, prices))
        yield f"{one.id}  {age:>5}  {one.size_gib} GiB of disks, {price}  {verified}, {kept}; {counted(one)}"
    if not sets:
        yield "There is no backup set; `llmctl backup create` makes one."
    else:
        yield f"Together {cost.in_words(cost.together(sets, prices))} ({prices(sets[0].region)}). {BILLED}"


def lines(one: Manifest, prices: PricesOf) -> Iterator[str]:
    """Yield what a set consists of."""
    yield f"Set {one.id} of {one.environment}, made without writes to Opik for {one.quiesced_seconds:.0f} s"
    for snapshot in one.snapshots:
        copied = f", copy {snapshot.copy_id.rsplit('/', 1)[-1]}" if snapshot.copy_id else ""
        yield f"  disk {snapshot.store}: {snapshot.disk}, {snapshot.size_gib} GiB, snapshot {snapshot.name}{copied}"
    if one.database:
        yield f"  database: {one.database.server} at {one.database.moment}"
    if one.uploads:
        yield f"  uploads: share {one.uploads.share}, snapshot of {one.uploads.moment}"
    if one.vault:
        yield f"  vault: {len(one.vault.secrets)} versions of secrets in {one.vault.vault}"
    yield f"  ran: {len(one.releases)} Helm releases, {len(one.images)} images"
    if one.code.revision:
        yield f"  checkout: {one.code.revision[:12]}{' with changes' if one.code.changed else ''}"
    for part in one.left_out:
        yield f"  without: {part}"
    if one.snapshots:
        yield f"  costs {cost.in_words(cost.most(one, prices))} ({prices(one.region)})"
    yield f"  held: {counted(one)}"
    yield f"  {f'verified {one.verified}' if one.verified else f'not verified: llmctl backup verify {one.environment}'}"


def counted(one: Manifest) -> str:
    """Return what a set held, in one line."""
    return ", ".join(f"{count} {kind}" for kind, count in one.counts.items()) or "nothing was counted"
