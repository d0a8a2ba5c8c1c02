"""What sets one fake service apart from another; the common behaviour of all of them is in ``provider.py``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scripts.lab.rehearsal.cloud import Cloud, CloudObject

from .rules.checks import Rule

Facts = Mapping[str, Any]


class RefusedError(Exception):
    """The service refuses a call; the text is what Terraform shows."""


class Service:
    """A service that refuses nothing and adds nothing. Each fake service overrides what it does otherwise."""

    rules: tuple[Rule, ...] = ()

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def configure(self, config: Facts) -> None:
        """Take the provider block; values in it may be unknown."""

    def check_reachable(self) -> None:
        """Raise RefusedError where the service cannot answer at all."""

    def imported(self, type_name: str, object_id: str) -> CloudObject | None:
        """Return what `terraform import` means by an id that is none of the object's own; None where it is."""
        del type_name, object_id
        return None

    def scope(self) -> str:
        """Return the cluster the provider works in, empty where there is none."""
        return ""

    def base_facts(self, type_name: str, attributes: Facts) -> dict[str, Any]:
        """Return facts for templates beside the object's own attributes."""
        del type_name, attributes
        return {"tenant": "", "subscription": "", "group": ""}

    def templates(self, type_name: str) -> Mapping[str, str]:
        """Return templates for computed attributes, by attribute name."""
        del type_name
        return {}

    def computed_blocks(self, type_name: str) -> tuple[str, ...]:
        """Return the blocks the service fills in when the configuration leaves them out."""
        del type_name
        return ()

    def recomputed(self, type_name: str, prior: Facts, planned: Facts) -> Iterable[str]:
        """Return the computed attributes that get new values with a change."""
        del type_name, prior, planned
        return ()

    def unique_key(self, type_name: str, facts: Facts) -> str | None:
        """Return what there can only be one of; None where any number may exist."""
        del type_name, facts
        return None

    def made_up(self, type_name: str, facts: Facts, seed: str) -> dict[str, Any]:
        """Return attributes the service chooses at creation and others are built from, ``id`` among them.

        Raises RefusedError: a service without resources of its own makes none.
        """
        del facts, seed
        raise RefusedError(f"{type_name}: this fake provider makes no resources")

    def settle(self, type_name: str, state: dict[str, Any], planned: Facts) -> dict[str, Any]:
        """Return the state after an apply, with what no template can say."""
        del type_name, planned
        return state

    def observed(self, type_name: str, state: dict[str, Any]) -> dict[str, Any]:
        """Return what a read shows: the state, and what the service has set beside the configuration."""
        del type_name
        return state

    def untold(self, type_name: str) -> Iterable[str]:
        """Return the arguments that a read does not tell: what the state has of them stays, and an import has none."""
        del type_name
        return ()

    def check_plan(self, type_name: str, planned: Facts) -> None:
        """Raise RefusedError where the provider refuses to plan a new object, because it looks for it meanwhile."""

    def check_create(self, type_name: str, object_id: str, facts: Facts) -> None:
        """Raise RefusedError where the object cannot be created now, other than because it exists."""

    def check_delete(self, existing: CloudObject) -> None:
        """Raise RefusedError where the object cannot be deleted now."""

    def gone_with(self, existing: CloudObject) -> list[CloudObject]:
        """Return what disappears together with an object."""
        del existing
        return []

    def exists_message(self, type_name: str, object_id: str, existing: CloudObject | None) -> str:
        """Return what the real provider says when an object exists that it was to create.

        `existing` is what is there; it may have another id than the new one would have had.
        """
        del existing
        return (
            f'a resource with the ID "{object_id}" already exists - to be managed via Terraform this resource needs'
            " to be imported into the State. Please see the resource documentation for"
            f' "{type_name}" for more information.'
        )

    def lost_message(self, address: str) -> str:
        """Return what the real provider says when it got no answer to what it asked for."""
        return f"{address}: connection reset by peer, after the request was sent"

    def read_data(self, type_name: str, config: Facts) -> dict[str, Any] | None:
        """Return attributes of a data source beside its generic ones; None where what it asks for does not exist."""
        del type_name, config
        return {}
