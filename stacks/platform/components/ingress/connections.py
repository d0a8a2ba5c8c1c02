"""Who calls the ingress controller, and why; where its requests go, the components behind it say."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from stacks.platform.common.connections import ANY_POD, OUTSIDE, Connection, Place, calls, https_out
from stacks.platform.common.host_calls import OWN_PODS
from stacks.platform.common.host_calls import PORT as HOSTS_PORT
from stacks.platform.common.ingress_mode import INGRESS, PRIVATE_RANGES, TAILSCALE
from stacks.platform.common.traffic import Peer, WayOut
from stacks.platform.components.enabled import EnabledComponents


def connections(components: EnabledComponents) -> Iterator[Connection]:
    """Yield the controller's connections."""
    pods = Peer(namespace=INGRESS)
    if components.settings.is_private:
        yield from _private(components, pods)
        return
    # With ranges, only those among them get in.
    everybody = not components.settings.ingress.allowed_source_ranges
    yield calls(Place.INTERNET, pods, 443, why="people and programs", needed=everybody)
    yield calls(Place.INTERNET, pods, 80, why="redirects, challenges of Let's Encrypt")
    for place in OUTSIDE[1:]:
        yield calls(place, pods, 80, 443, why="the public address is open to them as to everybody", needed=False)
    yield calls(ANY_POD, pods, 80, 443, why="pods that call the public address", needed=False)
    yield from https_out(pods, "Kubernetes API", WayOut.KUBERNETES_API)


def _private(components: EnabledComponents, pods: Peer) -> Iterator[Connection]:
    settings = components.settings
    ranges = [IPv4Network(str(range_)) for range_ in settings.ingress.allowed_source_ranges or PRIVATE_RANGES]
    for place, (name, needed) in _PRIVATE_CALLERS.items():
        subnet: IPv4Network = getattr(settings.network, name)
        if any(subnet.overlaps(range_) for range_ in ranges):
            yield calls(place, pods, 80, 443, why=_WHY[needed], needed=needed)
    if settings.private_access.tailscale:
        yield calls(Peer(namespace=TAILSCALE), pods, 80, 443, why="people and programs of the tailnet")
    yield calls(OWN_PODS, pods, HOSTS_PORT, why="pods of an operator's own, by their label", needed=False)
    yield from https_out(pods, "Kubernetes API", WayOut.KUBERNETES_API)


_PRIVATE_CALLERS = {
    Place.NETWORK: ("address_space", True),
    Place.APPLICATION_GATEWAY: ("gateway_subnet", False),
}
_WHY = {True: "people and programs", False: "the private address is open to it as to all of the network"}
