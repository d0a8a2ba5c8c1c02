"""The synthesized stacks of the last release, kept in the tree so that no history is needed to plan over them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[3]
ARCHIVE = Path(__file__).parents[2] / "last_release.zip"

KEPT = (
    "azurerm_kubernetes_cluster",
    "azurerm_kubernetes_cluster_node_pool",
    "azurerm_public_ip",
    "azurerm_subnet",
    "azurerm_user_assigned_identity",
    "azurerm_virtual_network",
    "kubernetes_namespace_v1",
    "kubernetes_persistent_volume_claim_v1",
    "kubernetes_persistent_volume_v1",
)
"""Types in disposable stacks whose replacement interrupts everybody: an upgrade never does that."""


@dataclass(frozen=True)
class Notice:
    """A line of the changelog: this stack destroys or replaces these resources."""

    stack: str
    pattern: str


def version() -> str:
    """Return the version of the last release."""
    with ZipFile(ARCHIVE) as archive:
        return archive.read("VERSION").decode().strip()


def stacks(variant: str) -> dict[str, dict[str, Any]]:
    """Return the released stacks of a variant by name."""
    with ZipFile(ARCHIVE) as archive:
        found = {
            path.name.removesuffix(".tf.json"): json.loads(archive.read(str(path)))
            for path in map(PurePosixPath, archive.namelist())
            if path.parent.name == variant
        }
    if not found:
        raise FileNotFoundError(f"no released stacks of {variant} in {ARCHIVE.name}: scripts/keep-release writes them")
    return found


def notices(changelog: str) -> list[Notice]:
    """Return what the section `Unreleased` announces: lines such as "- `platform` `kubernetes_job_v1.*`: why"."""
    section = re.search(r"^## Unreleased$(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^- `([a-z]+)` `([^`]+)`: \S", section[1] if section else "", re.MULTILINE)
    return [Notice(stack, pattern) for stack, pattern in lines]


def unannounced(lost: Mapping[str, Iterable[str]], announced: Iterable[Notice]) -> list[str]:
    """Return the lost resources, by stack and address, that no notice names."""
    known = list(announced)
    return [
        f"`{stack}` `{address}`"
        for stack, addresses in lost.items()
        for address in (entry.split(" ")[0] for entry in addresses)
        if not any(notice.stack == stack and fnmatchcase(address, notice.pattern) for notice in known)
    ]
