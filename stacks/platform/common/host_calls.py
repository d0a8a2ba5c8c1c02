"""Pods that call the platform's hosts in a private environment: by HTTPS through the ingress, as people do.

Components call each other by Service. What people enter as an address, such as that of the LLM gateway in Opik's
playground, is a host all the same; `egress` gives these pods the root that signs its certificate.
"""

from collections.abc import Iterable, Iterator, Mapping

from .connections import Connection, calls
from .ingress_mode import INGRESS
from .traffic import ANY_NAMESPACE, Peer, TrafficRule, allow_to

CALLS_HOSTS = "platform/calls-hosts"
"""Label of pods of an operator's own that the ingress of a private environment lets in."""
OWN_PODS = Peer(namespace=ANY_NAMESPACE, pods={CALLS_HOSTS: "true"})
PORT = 443
SUFFIX = "-to-hosts"
"""Of the names of their traffic rules."""


def allow_hosts(name: str, pods: Mapping[str, str], *, is_private: bool) -> Iterator[TrafficRule]:
    """Let `pods` reach the hosts of a private environment; the ingress of a public one is outside for them."""
    if is_private:
        yield allow_to(f"{name}{SUFFIX}", pods, (Peer(namespace=INGRESS),), PORT)


def host_calls(pods: Peer, why: str, *, is_private: bool) -> Iterator[Connection]:
    """Say that `pods` call hosts of a private environment."""
    if is_private:
        yield calls(pods, Peer(namespace=INGRESS), PORT, why=why)


def calls_hosts(traffic: Iterable[TrafficRule]) -> bool:
    """Whether pods of a namespace with these rules call hosts; a router that passes others' calls on does not."""
    return any(_to_hosts(rule) for rule in traffic)


def callers(namespace: str, traffic: Iterable[TrafficRule]) -> Iterator[Peer]:
    """Yield the pods of a namespace with these rules that call hosts."""
    for rule in traffic:
        if _to_hosts(rule):
            yield Peer(namespace=namespace, pods=dict(rule.pods))


def _to_hosts(rule: TrafficRule) -> bool:
    return rule.name.endswith(SUFFIX)
