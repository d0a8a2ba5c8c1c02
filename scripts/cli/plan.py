"""What a Terraform plan would do, from its JSON form.

Format: https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Changes:
    """How many resources a plan, or several, would touch."""

    create: int = 0
    update: int = 0
    replace: int = 0
    destroy: int = 0
    outputs: int = 0
    """Outputs that change."""

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

    @property
    def resources(self) -> int:
        """Resource operations in all; a replacement is two."""
        return self.create + self.update + 2 * self.replace + self.destroy

    @property
    def empty(self) -> bool:
        """Whether nothing at all would change."""
        return self == Changes()

    def __str__(self) -> str:
        return self._told(_FUTURE)

    @property
    def past(self) -> str:
        """The changes, after they have been made."""
        return self._told(_PAST)

    def _told(self, words: Mapping[str, str]) -> str:
        counted = ((getattr(self, item.name), words[item.name]) for item in fields(self))
        told = ", ".join(f"{count} {word}" for count, word in counted if count) or "no changes"
        return told.replace("1 outputs", "1 output") if self.outputs == 1 else told


_FUTURE = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "destroy": "to destroy",
    "outputs": "outputs to change",
}
_PAST = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "destroy": "destroyed",
    "outputs": "outputs changed",
}


@dataclass(frozen=True)
class Plan:
    """A stack's plan."""

    changes: Changes
    lost: tuple[str, ...] = ()
    """Addresses of resources that the plan destroys, for good or to replace them."""


def read_plan(document: Mapping[str, Any]) -> Plan:
    """Return what `terraform show -json PLAN` says."""
    counted: dict[str, int] = {}
    lost = []
    for resource in document.get("resource_changes", []):
        kind = _kind(resource["change"]["actions"])
        if kind is None:
            continue
        counted[kind] = counted.get(kind, 0) + 1
        if kind in ("destroy", "replace"):
            lost.append(resource["address"] + (" (replaced)" if kind == "replace" else ""))
    outputs = sum(
        change["actions"] not in (["no-op"], ["read"]) for change in document.get("output_changes", {}).values()
    )
    return Plan(Changes(**counted, outputs=outputs), tuple(sorted(lost)))


def _kind(actions: Iterable[str]) -> str | None:
    """Return the field of `Changes` that counts these actions, None when nothing is touched.

    `forget` removes a resource from the state only; it is counted with what is destroyed because Terraform will no
    longer look after it.
    """
    match frozenset(actions) - {"no-op", "read"}:
        case found if {"delete", "create"} <= found:
            return "replace"
        case found if "delete" in found or "forget" in found:
            return "destroy"
        case found if "create" in found:
            return "create"
        case found if "update" in found:
            return "update"
    return None


def total(plans: Iterable[Plan]) -> Changes:
    """Return the changes of all plans together."""
    return sum((plan.changes for plan in plans), Changes())
