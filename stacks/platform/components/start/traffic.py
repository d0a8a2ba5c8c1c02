"""Who talks to whom around the start page, and why. Everything else is denied."""

from collections.abc import Iterator

from stacks.platform.common.connections import Connection, calls, challenges, from_ingress, https_out
from stacks.platform.common.ingress_mode import ingress_peer
from stacks.platform.common.scraping import allow_metrics
from stacks.platform.common.traffic import Peer, TrafficRule, allow_from, allow_https_out, allow_to
from stacks.platform.components.enabled import EnabledComponents

from .names import LOGIN_METRICS_PORT, LOGIN_PODS, LOGIN_PORT, NAMESPACE, PAGE_PODS, PAGE_PORT, READER

_LOGIN = Peer(namespace=NAMESPACE, pods=LOGIN_PODS)


def start_traffic(components: EnabledComponents) -> Iterator[TrafficRule]:
    """Traffic rules of the namespace besides those of every application."""
    settings = components.settings
    yield allow_from("ingress-to-login", LOGIN_PODS, (ingress_peer(settings.ingress, settings.network),), LOGIN_PORT)
    yield allow_metrics(settings.monitoring, LOGIN_METRICS_PORT, pods=LOGIN_PODS)
    yield allow_https_out("login-to-entra", LOGIN_PODS)
    yield allow_to("login-to-page", LOGIN_PODS, (READER,), PAGE_PORT)
    yield allow_from("page-from-login", PAGE_PODS, (_LOGIN,), PAGE_PORT)
    for health in components.health():
        yield allow_to(f"health-of-{health.host.label}", PAGE_PODS, (health.pods,), health.port)


def connections(components: EnabledComponents) -> Iterator[Connection]:
    """Yield what the pods talk to."""
    settings = components.settings
    yield from_ingress(settings.ingress, _LOGIN, LOGIN_PORT, why="people, at the login")
    yield from challenges(settings.ingress, NAMESPACE, is_private=settings.is_private)
    yield calls(_LOGIN, READER, PAGE_PORT, why="people who have logged in")
    yield from https_out(_LOGIN, "Entra")
    for health in components.health():
        yield calls(READER, health.pods, health.port, why=f"health of the {health.host.title}")
