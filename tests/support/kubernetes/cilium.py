"""Who may connect to whom under synthesized NetworkPolicies, as Cilium on AKS decides it.

Unlike Kubernetes' own wording, an `ipBlock` matches no pod and no node, whatever its range
(https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium, limitations; identities before addresses:
https://docs.cilium.io/en/stable/network/kubernetes/policy/). Both ends decide: the caller's egress and the receiver's
ingress. A Service, or the ingress's public address, is translated to a pod before rules are applied.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pod:
    """Pods of a namespace that bear these labels."""

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outside:
    """An address that belongs to no pod and no node of the cluster."""

    address: str


@dataclass(frozen=True, slots=True)
class OtherNode:
    """A node of the cluster that the other end does not run on; a pod's own node always gets in."""


End = Pod | Outside | OtherNode


class Rules:
    """The NetworkPolicies of one synthesized `platform` stack."""

    def __init__(self, policies: Mapping[str, Any]) -> None:
        """Take the stack's `kubernetes_network_policy_v1` resources by name."""
        self._policies = list(policies.values())

    def allow(self, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
        """Whether `source` may open a connection to `port` of `target`."""
        wanted = (port, protocol)
        return self._lets(source, target, "egress", wanted) and self._lets(target, source, "ingress", wanted)

    def _lets(self, own: End, other: End, side: str, wanted: tuple[int, str]) -> bool:
        """Whether the policies of `own` let it talk to `other` on that side; only pods have policies."""
        if not isinstance(own, Pod):
            return True
        judging = [spec for spec in self._selecting(own) if side.capitalize() in spec["policy_types"]]
        rules = (rule for spec in judging for rule in spec.get(side) or ())
        peers = {"egress": "to", "ingress": "from"}[side]
        return not judging or any(
            _has_port(rule, *wanted) and _has_peer(rule.get(peers) or (), other, own.namespace) for rule in rules
        )

    def _selecting(self, pod: Pod) -> Iterator[Rule]:
        for policy in self._policies:
            selector = policy["spec"]["pod_selector"].get("match_labels") or {}
            if namespace(policy) == pod.namespace and selector.items() <= pod.labels.items():
                yield policy["spec"]


def namespace(resource: Rule) -> str:
    """Return the name of the namespace that a synthesized resource refers to."""
    reference: str = resource["metadata"]["namespace"]
    return reference.removeprefix("${kubernetes_namespace_v1.").partition("-namespace.")[0]


def _has_port(rule: Rule, port: int, protocol: str) -> bool:
    ports = rule.get("ports") or ()
    return not ports or any(int(one["port"]) == port and one["protocol"] == protocol for one in ports)


def _has_peer(peers: Iterable[Rule], end: End, own_namespace: str) -> bool:
    listed = list(peers)
    return not listed or any(_is_peer(peer, end, own_namespace) for peer in listed)


def _is_peer(peer: Rule, end: End, own_namespace: str) -> bool:
    if block := peer.get("ip_block"):
        return isinstance(end, Outside) and _within(end.address, block)
    if not isinstance(end, Pod):
        return False
    if "namespace_selector" in peer:
        wanted = peer["namespace_selector"].get("match_labels") or {}
        if not wanted.items() <= {"kubernetes.io/metadata.name": end.namespace}.items():
            return False
    elif end.namespace != own_namespace:
        return False
    labels: Mapping[str, str] = (peer.get("pod_selector") or {}).get("match_labels") or {}
    return labels.items() <= end.labels.items()


def _within(address: str, block: Rule) -> bool:
    found = ipaddress.ip_address(address)
    inside = found in ipaddress.ip_network(block["cidr"])
    return inside and not any(found in ipaddress.ip_network(cidr) for cidr in block.get("except") or ())
