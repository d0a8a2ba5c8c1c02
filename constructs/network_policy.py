"""Network policies from flows: one that denies everything, and one for each workload with all that it is allowed."""

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

from stacks.platform.common.traffic import ANY_NAMESPACE, ANYWHERE, METADATA_SERVICE, Direction, Flow, Peer, Workload


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


def allow(scope: Construct, name: str, namespace: str, workload: Workload) -> NetworkPolicyV1:
    """Allow the flows of one workload of the namespace; `name` begins the resource's id."""
    incoming, outgoing = workload.flows_of(Direction.INGRESS), workload.flows_of(Direction.EGRESS)
    named = {"allowed-in": incoming, "allowed-out": outgoing}
    return NetworkPolicyV1(
        scope,
        f"{name}-{workload.name}-traffic",
        metadata=NetworkPolicyV1Metadata(
            name=workload.name,
            namespace=namespace,
            annotations={key: ", ".join(flow.name for flow in flows) for key, flows in named.items() if flows},
        ),
        spec=NetworkPolicyV1Spec(
            pod_selector=NetworkPolicyV1SpecPodSelector(match_labels=workload.pods or None),
            ingress=[NetworkPolicyV1SpecIngress(from_=_peers(flow), ports=_ports(flow)) for flow in incoming] or None,
            egress=[NetworkPolicyV1SpecEgress(to=_peers(flow), ports=_ports(flow)) for flow in outgoing] or None,
            policy_types=[kind for kind, flows in (("Ingress", incoming), ("Egress", outgoing)) if flows],
        ),
    )


def _peers(flow: Flow) -> list[Any]:
    kind = _KINDS[flow.direction]
    return [_peer(kind, peer) for peer in flow.peers]


def _ports(flow: Flow) -> list[Any]:
    kind = _KINDS[flow.direction]
    return [kind.port(port=str(port.number), protocol=port.protocol) for port in flow.ports]


def _peer(kind: _PeerKind, peer: Peer) -> Any:
    if peer.cidr is not None:
        exceptions = [METADATA_SERVICE] if peer.cidr == ANYWHERE else None
        return kind.peer(ip_block=kind.ip_block(cidr=peer.cidr, except_=exceptions))
    labels = None if peer.namespace == ANY_NAMESPACE else {"kubernetes.io/metadata.name": peer.namespace}
    return kind.peer(
        namespace_selector=kind.namespace_selector(match_labels=labels),
        pod_selector=kind.pod_selector(match_labels=peer.pods) if peer.pods else None,
    )
