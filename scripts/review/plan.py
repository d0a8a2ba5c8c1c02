"""What a Terraform plan would do, from its JSON form.

Format: https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from scripts.review.changes import Kind, ResourceChange, read_kind, resource_changes
from scripts.review.going_back import going_back
from scripts.review.masking import Masks


@dataclass(frozen=True)
class Changes:
    """How many resources a plan, or several, would touch."""

    create: int = 0
    update: int = 0
    replace: int = 0
    destroy: int = 0
    move: int = 0
    """Resources that only get another address in the state."""
    outputs: int = 0
    """Outputs that change."""

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

    @property
    def resources(self) -> int:
        """Operations on resources in all; a replacement is two, a move none."""
        return self.create + self.update + 2 * self.replace + self.destroy

    @property
    def empty(self) -> bool:
        """Whether nothing at all would change."""
        return self == Changes()

    def __str__(self) -> str:
        return self._counted(_FUTURE)

    @property
    def past(self) -> str:
        """The changes, after they have been made."""
        return self._counted(_PAST)

    def _counted(self, words: Mapping[str, str]) -> str:
        counted = ((getattr(self, item.name), words[item.name]) for item in fields(self))
        text = ", ".join(f"{count} {word}" for count, word in counted if count) or "no changes"
        return text.replace("1 outputs", "1 output") if self.outputs == 1 else text


_FUTURE = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "destroy": "to destroy",
    "move": "to move",
    "outputs": "outputs to change",
}
_PAST = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "destroy": "destroyed",
    "move": "moved",
    "outputs": "outputs changed",
}


@dataclass(frozen=True)
class Plan:
    """A stack's plan."""

    changes: Changes
    lost: tuple[str, ...] = ()
    """Addresses of resources that the plan destroys, for good or to replace them."""
    vanished: tuple[str, ...] = ()
    """Addresses of resources that were deleted outside Terraform, and that the plan makes anew."""
    recovery: tuple[str, ...] = field(default=(), compare=False)
    """Commands that bring vanished resources back as they were."""
    resources: tuple[ResourceChange, ...] = field(default=(), compare=False)
    """What changes, in a form that holds no secret."""
    effect: str = field(default="", compare=False)
    """Digest of what the plan does; equal digests do the same."""
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Terraform's JSON form, secrets included; never shown."""

    @property
    def back(self) -> tuple[ResourceChange, ...]:
        """Deployed values that would go back."""
        return tuple(change for change in self.resources if change.kind is Kind.BACK)

    @property
    def exists(self) -> bool:
        """Whether the stack had resources when it was planned; what is only read is none of them."""
        module = self.document.get("prior_state", {}).get("values", {}).get("root_module", {})
        return any(resource.get("mode") != "data" for resource in module.get("resources", []))


def read_plan(document: Mapping[str, Any], others: Masks = Masks()) -> Plan:  # noqa: B008 - immutable
    """Return what `terraform show -json PLAN` says; `others` is what is secret in other stacks."""
    back = tuple(going_back(document))
    resources = (*back, *resource_changes(document, others))
    counted: dict[str, int] = {}
    for resource in resources[len(back) :]:
        name = _COUNTED_AS.get(resource.kind, resource.kind.value)
        counted[name] = counted.get(name, 0) + 1
    lost = [
        resource.address + (" (replaced)" if resource.kind is Kind.REPLACE else "")
        for resource in resources
        if resource.kind.loses and resource.kind is not Kind.BACK and resource.type not in _RUN_ONCE
    ]
    outputs = sum(
        change["actions"] not in (["no-op"], ["read"]) for change in document.get("output_changes", {}).values()
    )
    vanished = sorted(resource.address for resource in resources if resource.kind is Kind.CREATE and resource.outside)
    return Plan(
        Changes(**counted, outputs=outputs),
        tuple(sorted(lost)),
        tuple(vanished),
        _recovery(document, vanished),
        resources,
        _effect(document),
        document,
    )


def _recovery(document: Mapping[str, Any], vanished: Iterable[str]) -> tuple[str, ...]:
    """Return how to get back what Azure keeps after a deletion: secrets of a vault, which soft-deletes them."""
    before = {item["address"]: item["change"].get("before") or {} for item in document.get("resource_drift", [])}
    secrets = [before[address] for address in vanished if address.startswith("azurerm_key_vault_secret.")]
    return tuple(
        f"az keyvault secret recover --name {secret.get('name')}"
        f" --vault-name {str(secret.get('key_vault_id')).rpartition('/')[2]}"
        for secret in secrets
    )


_RUN_ONCE = frozenset({"kubernetes_job_v1"})
"""What keeps nothing once it has run: replaced by every change of what it does, and no loss."""
_COUNTED_AS = {Kind.FORGET: "destroy"}
"""Terraform no longer looks after what it forgets, so it is counted with what is destroyed."""


def _effect(document: Mapping[str, Any]) -> str:
    """Return a digest over what is done to which resource, and over the outputs.

    What the provider reports back about a resource before it is changed is left out: it may differ between two plans
    that do the same.
    """
    done = [
        [resource["address"], resource.get("previous_address", ""), change["actions"]]
        + [change.get(key) for key in ("after", "after_unknown")]
        for resource in document.get("resource_changes", [])
        if read_kind((change := resource["change"])["actions"]) or resource.get("previous_address")
    ]
    return hashlib.sha256(json.dumps(done, sort_keys=True).encode()).hexdigest()


def total(plans: Iterable[Plan]) -> Changes:
    """Return the changes of all plans together."""
    return sum((plan.changes for plan in plans), Changes())
