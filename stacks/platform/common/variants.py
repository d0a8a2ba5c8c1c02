"""Which values files beside the base the environment's releases take."""

from stacks.settings import Settings


def availability(settings: Settings) -> tuple[str, ...]:
    """Two replicas of every controller where the cluster itself has an uptime guarantee: every tier but Free."""
    return () if settings.cluster.tier == "Free" else ("ha",)
