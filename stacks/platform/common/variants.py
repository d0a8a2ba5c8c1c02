"""Which values files beside the base the environment's releases take."""

from stacks.settings.cluster import ClusterSettings


def availability(cluster: ClusterSettings) -> tuple[str, ...]:
    """Two replicas of every controller where the cluster itself has an uptime guarantee: every tier but Free."""
    return () if cluster.tier == "Free" else ("ha",)
