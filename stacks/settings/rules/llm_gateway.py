"""Limits of people: who has some is counted."""

from collections.abc import Iterator

from ..llm_gateway import GatewayServiceSettings
from .base import Finding


def people_with_limits_are_counted(gateway: GatewayServiceSettings) -> Iterator[Finding]:
    """Without a count by person, no call belongs to anybody, and a limit would bind nobody."""
    if gateway.person_limits and not gateway.spend_per_person:
        yield Finding(
            ("gateway", "person_limits"), "binds nobody unless gateway.spend_per_person is true; set it or remove this"
        )


RULES = (people_with_limits_are_counted,)
