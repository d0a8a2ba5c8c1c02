"""What the Job that makes the databases talks to, and why."""

from collections.abc import Iterator

from stacks.platform.common.connections import Connection, Place, https_out, private_endpoint
from stacks.platform.common.databases import PORT
from stacks.platform.common.traffic import Peer
from stacks.platform.components.enabled import EnabledComponents

from .jobs import NAMESPACE, PODS


def connections(_: EnabledComponents) -> Iterator[Connection]:
    """Yield the Job's connections."""
    pods = Peer(namespace=NAMESPACE, pods=PODS)
    yield from private_endpoint(pods, Place.POSTGRESQL, PORT, "databases and their owners")
    yield from private_endpoint(pods, Place.KEY_VAULT, 443, "the administrator's password")
    yield from https_out(pods, "Entra, the vault's public address")
