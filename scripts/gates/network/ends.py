"""Pods, places and ports: by which names the evaluator and people know them."""

from collections.abc import Mapping

from stacks.platform.common.connections import End, Place
from stacks.platform.common.traffic import ANY_NAMESPACE

from .cilium import Object, OpenPort

UNUSED = (OpenPort(47), OpenPort(47, "UDP"))
"""Ports that nobody listens on or names: where one is open, all are."""
PLACES = {place.value for place in Place}


def name_of(pod: Object) -> str:
    """Return the name that the evaluator gives a pod."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def title(end: End) -> str:
    """Return what people read for an end of a connection."""
    if isinstance(end, Place):
        return end.value
    space = "any namespace" if end.namespace == ANY_NAMESPACE else str(end.namespace)
    names = [key.rpartition("/")[2] if value == "true" else value for key, value in end.pods.items()]
    return f"{space}: {' '.join(names) or 'all pods'}"


def port_title(port: OpenPort) -> str:
    """Return what people read for a port."""
    return f"{port.number}" if port.protocol == "TCP" else f"{port.number}/{port.protocol}"


def ends_of(end: End, labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the names of the pods, or of the place, that an end stands for."""
    if isinstance(end, Place):
        return [end.value]
    return [
        name
        for name, carried in labels.items()
        if end.namespace in {ANY_NAMESPACE, name.partition("/")[0]} and end.pods.items() <= carried.items()
    ]
