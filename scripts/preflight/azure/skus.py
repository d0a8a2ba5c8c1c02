"""What Azure offers in a region to this subscription: machines and disks, with restrictions and abilities."""

from scripts.azure import operations
from scripts.azure.shape import Shape

from ..surroundings import Surroundings


class Ability(Shape):
    """What a size can do, by name."""

    name: str
    value: str = ""


class Place(Shape):
    """Where a size is."""

    zones: list[str] | None = None


class Limited(Shape):
    """To what a restriction applies."""

    zones: list[str] | None = None


class Restriction(Shape):
    """Something that this subscription may not use, though the region has it."""

    type: str = ""
    reason_code: str = ""
    restriction_info: Limited | None = None


class Sku(Shape):
    """A size of machines, or a kind of disks."""

    resource_type: str
    name: str
    family: str | None = None
    location_info: list[Place] | None = None
    capabilities: list[Ability] | None = None
    restrictions: list[Restriction] | None = None

    @property
    def refused(self) -> str:
        """Why the subscription may not use it in the region at all; empty where it may."""
        return next((one.reason_code for one in self.restrictions or () if one.type == "Location"), "")

    @property
    def zones(self) -> set[int]:
        """Zones in which the subscription may use it."""
        there = {int(zone) for place in self.location_info or () for zone in place.zones or ()}
        limits = [one.restriction_info for one in self.restrictions or () if one.type == "Zone"]
        return there - {int(zone) for limit in limits if limit for zone in limit.zones or ()}

    def ability(self, name: str) -> str:
        """Return the value of an ability, empty where Azure names none."""
        return next((one.value for one in self.capabilities or () if one.name == name), "")

    def number(self, name: str) -> float:
        """Return an ability that is a number, 0 where Azure names none."""
        try:
            return float(self.ability(name))
        except ValueError:
            return 0.0


def skus(asked: Surroundings, resource_type: str) -> dict[str, Sku]:
    """Return what the region offers of a kind, by name. Raises AnswerError."""
    found = asked.azure.ask_all(operations.COMPUTE_SKUS, Sku, region=asked.region)
    return {sku.name: sku for sku in found if sku.resource_type == resource_type}
