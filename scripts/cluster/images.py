"""Which images a cluster runs, or would run as soon as something scales up, rolls back or starts again."""

from collections.abc import Iterator, Mapping
from typing import Any

from .kubectl import Kubectl

_KINDS = "pods,replicasets,deployments,statefulsets,daemonsets,jobs,cronjobs,controllerrevisions"
"""Pods say what runs; the others what starts next: engines at zero, scheduled jobs, the revisions before."""


def images_in(kubectl: Kubectl) -> frozenset[str]:
    """Return every image that an object of the cluster names, as it is written there. Raises OperatorError."""
    return frozenset(name for item in kubectl.items(_KINDS, "--all-namespaces") for name in _named(item))


def _named(value: Any) -> Iterator[str]:
    """Yield the images of containers, of any kind and however deep they lie: status of pods, templates, revisions."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in {"image", "imageID"} and isinstance(inner, str):
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)
