"""What External Secrets' pods talk to, and why."""

from collections.abc import Iterator

from stacks.platform.common.connections import Connection, Place, https_out, private_endpoint, webhook_calls
from stacks.platform.common.traffic import Peer, WayOut
from stacks.platform.components.enabled import EnabledComponents

from .names import CONTROLLER, NAMESPACE, WEBHOOK, WEBHOOK_PORT


def connections(_: EnabledComponents) -> Iterator[Connection]:
    """Yield the operator's connections."""
    yield webhook_calls(Peer(namespace=NAMESPACE, pods=WEBHOOK), WEBHOOK_PORT)
    yield from https_out(
        Peer(namespace=NAMESPACE), "Kubernetes API, Entra, the vault's public address", WayOut.INTERNET_AND_API
    )
    yield from private_endpoint(Peer(namespace=NAMESPACE, pods=CONTROLLER), Place.KEY_VAULT, 443, "secrets")
