"""Network policies from flows: one that denies everything, and one for each allowance."""

from dataclasses import dataclass
from typing import Any

from cdktf_cdktf_provider_kubernetes.network_policy_v1 import (
    NetworkPolicyV1,
    NetworkPolicyV1Metadata,
    NetworkPolicyV1Spec,
    NetworkPolicyV1SpecEgress,
    NetworkPolicyV1SpecEgressPorts,
    NetworkPolicyV1SpecEgressTo,
    NetworkPolicyV1SpecEgressToIpBlock,
    NetworkPolicyV1SpecEgressToNamespaceSelector,
    NetworkPolicyV1SpecEgressToPodSelector,
    NetworkPolicyV1SpecIngress,
    NetworkPolicyV1SpecIngressFrom,
    NetworkPolicyV1SpecIngressFromIpBlock,
    NetworkPolicyV1SpecIngressFromNamespaceSelector,
    NetworkPolicyV1SpecIngressFromPodSelector,
    NetworkPolicyV1SpecIngressPorts,
    NetworkPolicyV1SpecPodSelector,
)
from constructs import Construct

from stacks.kubernetes.flows import ANY_NAMESPACE, ANYWHERE, METADATA_SERVICE, Direction, Flow, Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class _PeerKind:
    """The binding's classes for one direction; they differ in nothing but their names."""

    peer: type[Any]
    ip_block: type[Any]
    namespace_selector: type[Any]
    pod_selector: type[Any]
    port: type[Any]


_KINDS = {
    Direction.INGRESS: _PeerKind(
        peer=NetworkPolicyV1SpecIngressFrom,
        ip_block=NetworkPolicyV1SpecIngressFromIpBlock,
        namespace_selector=NetworkPolicyV1SpecIngressFromNamespaceSelector,
        pod_selector=NetworkPolicyV1SpecIngressFromPodSelector,
        port=NetworkPolicyV1SpecIngressPorts,
    ),
    Direction.EGRESS: _PeerKind(
        peer=NetworkPolicyV1SpecEgressTo,
        ip_block=NetworkPolicyV1SpecEgressToIpBlock,
        namespace_selector=NetworkPolicyV1SpecEgressToNamespaceSelector,
        pod_selector=NetworkPolicyV1SpecEgressToPodSelector,
        port=NetworkPolicyV1SpecEgressPorts,
    ),
}


def deny_all(scope: Construct, name: str, namespace: str) -> NetworkPolicyV1:
    """Deny all traffic from and to every pod of the namespace; `name` begins the resource's id."""
    return NetworkPolicyV1(
        scope,
        f"{name}-deny-all",
        metadata=NetworkPolicyV1Metadata(name="deny-all", namespace=namespace),
        spec=NetworkPolicyV1Spec(
            pod_selector=NetworkPolicyV1SpecPodSelector(),
            policy_types=["Ingress", "Egress"],
        ),
    )


def add_flow(scope: Construct, name: str, namespace: str, flow: Flow) -> NetworkPolicyV1:
    """Allow one flow in the namespace; `name` begins the resource's id."""
    kind = _KINDS[flow.direction]
    peers = [_peer(kind, peer) for peer in flow.peers]
    ports = [kind.port(port=str(port.number), protocol=port.protocol) for port in flow.ports]
    rules: dict[str, Any]
    if flow.direction is Direction.INGRESS:
        rules = {"ingress": [NetworkPolicyV1SpecIngress(from_=peers, ports=ports)], "policy_types": ["Ingress"]}
    else:
        rules = {"egress": [NetworkPolicyV1SpecEgress(to=peers, ports=ports)], "policy_types": ["Egress"]}
    return NetworkPolicyV1(
        scope,
        f"{name}-{flow.name}",
        metadata=NetworkPolicyV1Metadata(name=flow.name, namespace=namespace),
        spec=NetworkPolicyV1Spec(pod_selector=NetworkPolicyV1SpecPodSelector(match_labels=flow.pods or None), **rules),
    )


def _peer(kind: _PeerKind, peer: Peer) -> Any:
    if peer.cidr is not None:
        exceptions = [METADATA_SERVICE] if peer.cidr == ANYWHERE else None
        return kind.peer(ip_block=kind.ip_block(cidr=peer.cidr, except_=exceptions))
    labels = None if peer.namespace == ANY_NAMESPACE else {"kubernetes.io/metadata.name": peer.namespace}
    return kind.peer(
        namespace_selector=kind.namespace_selector(match_labels=labels),
        pod_selector=kind.pod_selector(match_labels=peer.pods) if peer.pods else None,
    )
