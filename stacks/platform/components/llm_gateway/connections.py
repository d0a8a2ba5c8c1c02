"""What the LLM gateway's pods talk to, and why."""

from collections.abc import Iterator

from stacks.platform.common.connections import Connection, Place, calls, challenges, from_ingress, private_endpoint
from stacks.platform.common.databases import PORT as DATABASE_PORT
from stacks.platform.common.traffic import Peer
from stacks.platform.components.enabled import EnabledComponents
from stacks.platform.components.serving.engines import PROXY, PROXY_PORT, SERVING

from .address import LIMITS_PORT, NAMESPACE, PODS, PORT
from .traffic import JOBS, LIMITS_PODS


def connections(components: EnabledComponents) -> Iterator[Connection]:
    """Yield the gateway's connections; who calls it says so itself."""
    gateway, jobs = Peer(namespace=NAMESPACE, pods=PODS), Peer(namespace=NAMESPACE, pods=JOBS)
    yield from_ingress(components.settings.ingress, gateway, PORT, why="programs")
    yield from challenges(components.settings.ingress, NAMESPACE, is_private=components.settings.is_private)
    yield from private_endpoint(jobs, Place.POSTGRESQL, DATABASE_PORT, "migration of the database")
    yield calls(jobs, gateway, PORT, why="keys of the callers")
    yield from private_endpoint(gateway, Place.POSTGRESQL, DATABASE_PORT, "keys, budgets, spend")
    yield calls(
        gateway, Peer(namespace=NAMESPACE, pods=LIMITS_PODS), LIMITS_PORT, why="limits counted for all replicas"
    )
    if components.settings.models:
        yield calls(gateway, Peer(namespace=SERVING, pods={"app.kubernetes.io/name": PROXY}), PROXY_PORT, why="models")
    if receiver := components.trace_receiver():
        yield calls(gateway, receiver.pods, receiver.port, why="traces")
