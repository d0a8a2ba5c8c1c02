"""What AKS keeps of a node for itself.

Source: Microsoft Learn, "Node resource reservations in AKS", Kubernetes 1.29 and newer.
"""

from dataclasses import dataclass

_RESERVED_MILLICORES = {1: 60, 2: 100, 4: 140, 8: 180, 16: 260, 32: 420, 64: 740}
_PER_POD_MB, _BASE_MB, _EVICTION_MIB = 20, 50, 100
_MEMORY_SHARE = 0.25
_MB_PER_GIB = 1073.741824


@dataclass(frozen=True, slots=True)
class Allocatable:
    """What a node has for pods."""

    cpu: float
    """Cores."""
    memory_gib: float


def allocatable(vcpus: int, memory_gib: int, max_pods: int) -> Allocatable:
    """Return what AKS leaves for pods of a node of this size that takes `max_pods`.

    Memory: 20 MB per pod and 50 MB, at most a quarter of the node, and the threshold at which pods are evicted.
    """
    known = max((size for size in _RESERVED_MILLICORES if size <= vcpus), default=1)
    reserved = min((_PER_POD_MB * max_pods + _BASE_MB) / _MB_PER_GIB, memory_gib * _MEMORY_SHARE)
    return Allocatable(
        cpu=vcpus - _RESERVED_MILLICORES[known] / 1000, memory_gib=memory_gib - reserved - _EVICTION_MIB / 1024
    )
