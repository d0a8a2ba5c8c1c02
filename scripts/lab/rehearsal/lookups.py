"""Ids that Azure and Entra make up, found in the fake cloud."""

from collections.abc import Callable, Mapping
from typing import Any

from scripts.terraform.adopting.lookups import NEEDED

from .cloud import Cloud

_ROLES = ("role_definition_name", "role_definition_id")


def found_in(cloud: Cloud) -> Callable[[str, Mapping[str, Any]], str | None]:
    """Return what finds the one object of a type that fits what is known of it."""

    def find(type_: str, known: Mapping[str, Any]) -> str | None:
        wanted = {name: known[name] for name in NEEDED[type_]}
        wanted |= {name: known[name] for name in _ROLES if known.get(name)}
        found = [
            it.id for it in cloud.objects(type_) if all(it.state.get(key) == value for key, value in wanted.items())
        ]
        return found[0] if len(found) == 1 else None

    return find
