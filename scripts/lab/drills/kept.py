"""What has to survive everything: the durable objects of the fake cloud with their sizes, and every secret's value."""

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from scripts.core.tiers import DURABLE
from scripts.lab.rehearsal.cloud import Cloud, CloudObject
from scripts.lab.rehearsal.leaks import VAULT

_GIB, _MIB = 2**30, 2**20
_SIZES = {
    "azurerm_managed_disk": ("disk_size_gb", _GIB),
    "azurerm_postgresql_flexible_server": ("storage_mb", _MIB),
    "azurerm_storage_share": ("quota", _GIB),
}
"""Attribute that says how much an object holds, and its unit in bytes."""

_REMADE = frozenset({"azurerm_role_assignment"})
"""Durable objects that hold nothing: another one with the same content is as good."""


@dataclass(frozen=True)
class Kept:
    """What holds data at one moment."""

    objects: dict[str, tuple[str, int, int]]
    """Key to id, life of that key, and bytes."""
    secrets: frozenset[tuple[str, str, str]]
    """Holder, name, and a digest of the newest value."""

    @classmethod
    def of(cls, folder: Path) -> "Kept":
        """Return what the fake cloud of a rehearsal folder holds."""
        cloud = Cloud(folder)
        found = {
            item.key: (item.id, item.generation, _bytes(item))
            for item in cloud.objects()
            if item.stack in DURABLE and item.type not in _REMADE
        }
        cloud.close()
        return cls(found, frozenset(_secrets(folder)))

    def lost(self, now: "Kept") -> tuple[list[str], int]:
        """Return what was there and is no longer the same thing, and how many bytes it held."""
        gone = [key for key, (id_, life, _) in self.objects.items() if now.objects.get(key, ("", 0))[:2] != (id_, life)]
        secrets = {(holder, name) for holder, name, _ in self.secrets - now.secrets}
        shown = [*gone, *(f"secret {name} of {holder}" for holder, name in sorted(secrets))]
        return shown, sum(self.objects[key][2] for key in gone)

    @property
    def bytes(self) -> int:
        """Everything that could be lost."""
        return sum(size for _, _, size in self.objects.values())


def _bytes(item: CloudObject) -> int:
    attribute, unit = _SIZES.get(item.type, ("", 0))
    return int(item.state.get(attribute) or 0) * unit


def _secrets(folder: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(f"file:{folder / VAULT}?mode=ro", uri=True) as vault:
        rows = vault.execute(
            "SELECT holder, name, value FROM secrets WHERE holder != 'generated' GROUP BY holder, name"
            " HAVING sequence = max(sequence)"
        ).fetchall()
    # Values are compared and never kept.
    return [(holder, name, hashlib.sha256(value.encode()).hexdigest()) for holder, name, value in rows]
