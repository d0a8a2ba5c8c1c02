"""The whole check: a synthesized environment in, its matrix of connections out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stacks.platform.common.connections import Connection
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings

from . import pods as pods_of
from .cilium import Outside, evaluate
from .contradictions import UNBOUND
from .ends import name_of
from .matrix import Matrix, compare, ports
from .objects import Object, Stack, namespace, read
from .places import outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """An environment's cluster as far as it decides who may connect to whom, and what is meant to happen in it."""

    namespaces: list[Object]
    pods: list[Object]
    policies: list[Object]
    webhooks: list[Object]
    outside: list[Outside]
    connections: tuple[Connection, ...]


def check(settings: Settings, folder: Path, charts: Path | None = None) -> Matrix:
    """Evaluate the policies of the synthesized `platform` stack in `folder`, and compare with the connections.

    `charts` holds third-party charts. Raises OperatorError where something cannot be rendered or evaluated.
    """
    return matrix_of(cluster(settings, folder, charts))


def cluster(settings: Settings, folder: Path, charts: Path | None = None) -> Cluster:
    """Return what the synthesized `platform` stack in `folder` makes of a cluster; for `charts` see `check`."""
    stack = read(folder)
    brought = pods_of.rendered(stack, charts).values()
    return Cluster(
        namespaces=[*stack.namespaces(), *map(namespace, UNBOUND)],
        pods=_distinct([*(pod for release in brought for pod in release.pods), *_others(stack)]),
        policies=[*stack.policies(), *(policy for release in brought for policy in release.policies)],
        webhooks=[webhook for release in brought for webhook in release.webhooks],
        outside=list(outside(settings.network, settings.cluster)),
        connections=enabled_components(settings).connections(),
    )


def matrix_of(found: Cluster) -> Matrix:
    """Evaluate the policies of a cluster, and compare with the connections."""
    flows = evaluate(
        namespaces=found.namespaces,
        pods=found.pods,
        policies=found.policies,
        outside=found.outside,
        ports=ports(found.connections, found.pods, found.policies),
    )
    return compare(flows, found.connections, found.pods, found.webhooks)


def _others(stack: Stack) -> Iterator[Object]:
    """Yield the pods that no release brings, and one in every namespace that nobody planned."""
    names = [item["metadata"]["name"] for item in stack.namespaces()]
    yield from pods_of.of_jobs(stack)
    yield from pods_of.of_controllers(names, stack.with_ingress())
    yield from pods_of.of_aks()
    for name in (*names, *UNBOUND):
        yield pods_of.unlabelled(name)


def _distinct(pods: Iterable[Object]) -> list[Object]:
    """Number pods of one name and different labels; those that policies cannot tell apart stand for each other."""
    found: dict[str, Object] = {}
    for given in pods:
        pod, name, number = given, given["metadata"]["name"], 2
        while (known := found.get(name_of(pod))) is not None and known != pod:
            pod = pod | {"metadata": pod["metadata"] | {"name": f"{name}-{number}"}}
            number += 1
        found[name_of(pod)] = pod
    return list(found.values())
