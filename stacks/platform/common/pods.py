"""What pods of several components have in common."""

POOL_LABEL = "kubernetes.azure.com/agentpool"
"""Label by which AKS names the pool of every node."""


def on_pool(name: str) -> dict[str, str]:
    """Labels of the nodes of a pool."""
    return {POOL_LABEL: name}
