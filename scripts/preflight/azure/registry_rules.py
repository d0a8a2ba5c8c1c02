"""Whether the registry takes as many address rules as the file has ranges."""

from collections.abc import Iterator

from scripts.azure import operations
from scripts.azure.errors import MissingError
from scripts.azure.shape import Shape
from stacks.settings import Settings

from ..findings import Finding
from ..surroundings import Surroundings

MOST_RULES = 200
"""Public address rules of a Premium registry
(https://learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks)."""


class Limit(Shape):
    """A limit of a registry that exists."""

    name: str
    limit: int | None = None


class Limits(Shape):
    """All of them."""

    value: list[Limit] = []


def concerns(settings: Settings) -> bool:
    """Tell whether the registry gets address rules."""
    registry = settings.registry
    return registry.tier == "Premium" and registry.public_access and bool(settings.operators.ip_ranges)


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield a finding where there are more ranges than rules. Raises AnswerError."""
    name = asked.settings.azure_names.container_registry
    registry = f"{asked.group('acr')}/providers/Microsoft.ContainerRegistry/registries/{name}"
    most = MOST_RULES
    try:
        limits = asked.azure.ask(operations.REGISTRY_USAGES, Limits, id=registry).value
        most = next((one.limit for one in limits if one.name.lower() == "iprules" and one.limit), most)
    except MissingError:
        pass  # There is none yet, and no limit of its own.
    given = len(asked.settings.operators.ip_ranges)
    if given > most:
        yield Finding(
            f"operators.ip_ranges holds {given} ranges, the registry takes {most} address rules",
            "Azure refuses the registry, and nothing after it is deployed",
            "merge neighbouring ranges, or write registry.public_access: false",
        )
