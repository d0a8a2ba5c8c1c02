"""What pods that the platform writes itself state so that the Pod Security level `restricted` takes them.

As Kubernetes' API and charts' values write it; the Jobs of `constructs/` have the provider's form of the same.
"""

from collections.abc import Mapping
from typing import Any

RESTRICTED_CONTAINER: Mapping[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""Security context of a container without any right beyond its user's."""


def restricted_pod(user_id: int) -> dict[str, Any]:
    """Security context of a pod that runs as user and group `user_id`, which own the roots of its volumes.

    By default every file of every volume is looked at before each start, which takes minutes with millions of them.
    """
    return {
        "runAsNonRoot": True,
        "runAsUser": user_id,
        "runAsGroup": user_id,
        "fsGroup": user_id,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
