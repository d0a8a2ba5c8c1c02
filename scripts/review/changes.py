"""The changes of one plan, resource by resource, as differences that can be shown.

Format: https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .cost import Billed, billed_of
from .differences import Difference, differences_of, path_text
from .helm_values import values_diff
from .masking import Masks, masks_of

_POOL = "azurerm_kubernetes_cluster_node_pool"
_GPU_LABEL = "nvidia.com/gpu.present"
"""Label by which engines find their nodes (`stacks.platform.components.gpu.nodes`)."""

_REPORTED = {"helm_release": {"metadata", "status", "manifest", "resources", "values"}}
"""Attributes left out: what the provider reports back, and what is shown in another form."""


class Kind(StrEnum):
    """What becomes of a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DESTROY = "destroy"
    FORGET = "forget"
    """Stays where it is, but Terraform no longer looks after it."""
    MOVE = "move"
    """Only its address changes."""
    BACK = "back"
    """A deployed value, no resource, that goes back (`going_back`)."""

    @property
    def loses(self) -> bool:
        """Whether the resource as it stands is given up."""
        return self in (Kind.REPLACE, Kind.DESTROY, Kind.FORGET, Kind.BACK)


@dataclass(frozen=True)
class ResourceChange:
    """What a plan does to one resource; nothing in it is secret."""

    address: str
    type: str
    kind: Kind
    because: tuple[str, ...] = ()
    """Attributes whose change forces the replacement; why a value cannot go back."""
    differences: tuple[Difference, ...] = ()
    values: tuple[str, ...] = ()
    """Lines of the difference in a Helm release's values."""
    moved_from: str = ""
    outside: bool = False
    """Whether it was changed or deleted outside Terraform since the last run."""
    serves_models: bool = False
    """Whether it is a node pool that models run on."""
    billed: Billed | None = None
    """None when nothing of the bill changes."""
    final: bool = False
    """Whether nobody can agree to it, because it could not be done."""
    versions: tuple[str, str] = ("", "")
    """Of a value that goes back: what is deployed, and what would be."""


def serves_models(type_: str, before: Mapping[str, Any]) -> bool:
    """Tell whether a resource as deployed is a node pool that models run on: one with GPUs."""
    return type_ == _POOL and (before.get("node_labels") or {}).get(_GPU_LABEL) == "true"


def read_kind(actions: Sequence[str]) -> Kind | None:
    """Return what Terraform's list of actions means; None when nothing is touched."""
    match frozenset(actions) - {"no-op", "read"}:
        case found if {"delete", "create"} <= found:
            return Kind.REPLACE
        case found if "delete" in found:
            return Kind.DESTROY
        case found if "forget" in found:
            return Kind.FORGET
        case found if "create" in found:
            return Kind.CREATE
        case found if "update" in found:
            return Kind.UPDATE
    return None


def resource_changes(document: Mapping[str, Any], others: Masks) -> tuple[ResourceChange, ...]:
    """Return the changes of a plan's JSON form, those that lose something first, else by address.

    `others` is what is secret in other stacks.
    """
    masks = masks_of(document) | others
    outside = {resource["address"] for resource in document.get("resource_drift", [])}
    found = []
    for resource in document.get("resource_changes", []):
        kind = read_kind(resource["change"]["actions"])
        moved_from = resource.get("previous_address", "")
        if kind is None and moved_from:
            kind = Kind.MOVE
        if kind is not None:
            found.append(_resource_change(resource, kind, moved_from, masks, resource["address"] in outside))
    return tuple(sorted(found, key=lambda change: (not change.kind.loses, change.address)))


def _resource_change(
    resource: Mapping[str, Any], kind: Kind, moved_from: str, masks: Masks, outside: bool
) -> ResourceChange:
    change = resource["change"]
    type_ = resource.get("type", resource["address"].split(".")[0])
    before, after = change.get("before") or {}, change.get("after") or {}
    differences: list[Difference] = []
    values: tuple[str, ...] = ()
    if kind in (Kind.UPDATE, Kind.REPLACE):
        differences = list(differences_of(change, masks, _REPORTED.get(type_, set())))
        if type_ == "helm_release":
            values = values_diff(change, masks)
    return ResourceChange(
        resource["address"],
        type_,
        kind,
        tuple(path_text(path) for path in change.get("replace_paths", [])) if kind is Kind.REPLACE else (),
        tuple(differences),
        values,
        moved_from,
        outside,
        serves_models(type_, before),
        billed_of(type_, before, after),
    )
