"""Fixed private addresses of Services: an internal load balancer in the cluster's own network."""

AZURE = "service.beta.kubernetes.io/azure-load-balancer"
INGRESS_SUBNET = "ingress"
"""Name of the subnet that is kept for these addresses (stack `network`): no node takes one of them."""


def internal_address(address: str, *, subnet: str) -> dict[str, str]:
    """Return the annotations that give a Service this address of a subnet, and none on the internet.

    https://learn.microsoft.com/azure/aks/internal-lb
    """
    return {f"{AZURE}-internal": "true", f"{AZURE}-internal-subnet": subnet, f"{AZURE}-ipv4": address}
