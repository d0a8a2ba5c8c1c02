"""One thing to be done in HCP Terraform, and the ids that later things need of earlier ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Ids = dict[str, str]
"""Ids of what is there or has been created meanwhile, by kind and name."""


@dataclass(frozen=True)
class Step:
    """One thing to be done."""

    text: str
    """What, for people: `create workspace llm-dev-acr`."""
    act: Callable[[], object]
    """Does it. Raises pytfe's TFEError; steps have to be taken in order, as later ones use the ids of earlier ones."""


def creating(ids: Ids, key: str, what: str, create: Callable[[], Any]) -> Step:
    """Return the step that creates something and notes its id as `key`."""

    def act() -> None:
        ids[key] = str(create().id)

    return Step(f"create {what}", act)
