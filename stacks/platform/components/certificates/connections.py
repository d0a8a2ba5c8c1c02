"""What cert-manager's pods talk to, and why."""

from collections.abc import Iterator

from stacks.platform.common.connections import OUTSIDE, Connection, calls, https_out, webhook_calls
from stacks.platform.common.ingress_mode import INGRESS
from stacks.platform.common.traffic import Peer, WayOut
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings.network import IngressMode

from .names import CONTROLLER, NAMESPACE, WEBHOOK, WEBHOOK_PORT


def connections(components: EnabledComponents) -> Iterator[Connection]:
    """Yield cert-manager's connections."""
    controller = Peer(namespace=NAMESPACE, pods=CONTROLLER)
    yield webhook_calls(Peer(namespace=NAMESPACE, pods=WEBHOOK), WEBHOOK_PORT)
    yield from https_out(Peer(namespace=NAMESPACE), "Kubernetes API, Let's Encrypt, Azure DNS", WayOut.INTERNET_AND_API)
    if components.settings.is_private:
        return
    why = "asks for its own challenge before Let's Encrypt does"
    if components.settings.ingress.mode is IngressMode.NGINX:
        yield calls(controller, Peer(namespace=INGRESS), 80, 443, why=why)
    else:
        for place in OUTSIDE:
            yield calls(controller, place, 80, why=why)
