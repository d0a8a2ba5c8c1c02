"""Who Prometheus, Alertmanager and Grafana talk to. Everything else is denied."""

from collections.abc import Iterator

from stacks.platform.common.traffic import ANYWHERE, DNS, HTTPS_OUT, MONITORING, Direction, Flow, Peer, Port
from stacks.settings import Settings
from stacks.settings.monitoring import AlertReceiver, MetricsStore

from .address import POD_PORT, PODS
from .targets import targets

NODE_METRICS = "node-metrics"
"""Namespace of the exporters that mount a node's root."""
NODE_EXPORTER_PORT = 9100
KUBELET_PORT = 10250
DNS_METRICS_PORT = 9153

PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
ALERTMANAGER = {"app.kubernetes.io/name": "alertmanager"}

_PROMETHEUS_PORT, _ALERTMANAGER_PORT, _GOSSIP_PORT = 9090, 9093, 9094
# Metrics of the pods beside it: Prometheus, Alertmanager, reloaders, operator, kube-state-metrics, Grafana.
_OWN_PORTS = (_PROMETHEUS_PORT, _ALERTMANAGER_PORT, 8080, 8081, POD_PORT)


def monitoring_flows(settings: Settings, front_door: Peer) -> tuple[Flow, ...]:
    """Flows of the namespace `monitoring`."""
    in_cluster = settings.monitoring.metrics is MetricsStore.PROMETHEUS
    # Kubernetes, Entra, Azure Monitor, and receivers of alerts.
    flows = [DNS, HTTPS_OUT, _into("front-door-to-grafana", PODS, front_door, POD_PORT)]
    return (*flows, *(_prometheus(settings) if in_cluster else ()))


def node_metrics_flows() -> tuple[Flow, ...]:
    """Flows of the namespace of the node exporters, which talk to nobody."""
    return (_into("allow-metrics", {}, Peer(namespace=MONITORING, pods=PROMETHEUS), NODE_EXPORTER_PORT),)


def _prometheus(settings: Settings) -> Iterator[Flow]:
    own = Peer(namespace=MONITORING)
    by_place: dict[str, set[int]] = {}
    for target in targets(settings):
        by_place.setdefault(target.namespace, set()).add(target.number)
    for namespace, ports in by_place.items():
        yield _out_of(f"scrape-{namespace}", PROMETHEUS, (Peer(namespace=namespace),), *sorted(ports))
    yield _out_of("scrape-node-metrics", PROMETHEUS, (Peer(namespace=NODE_METRICS),), NODE_EXPORTER_PORT)
    yield _out_of(
        "scrape-dns", PROMETHEUS, (Peer(namespace="kube-system", pods={"k8s-app": "kube-dns"}),), DNS_METRICS_PORT
    )
    # No address range matches a node, so the rule for the kubelets names a port alone.
    yield _out_of("scrape-kubelets", PROMETHEUS, (), KUBELET_PORT)
    yield _out_of("scrape-own", PROMETHEUS, (own,), *_OWN_PORTS)
    yield _into("allow-own", {}, Peer(namespace=MONITORING, pods=PROMETHEUS), *_OWN_PORTS)
    read = {"prometheus": (PROMETHEUS, _PROMETHEUS_PORT), "alerts": (ALERTMANAGER, _ALERTMANAGER_PORT)}
    for name, (pods, port) in read.items():
        yield _out_of(f"grafana-to-{name}", PODS, (Peer(namespace=MONITORING, pods=pods),), port)
        yield _into(f"{name}-from-grafana", pods, Peer(namespace=MONITORING, pods=PODS), port)
    for direction, suffix in ((Direction.EGRESS, "out"), (Direction.INGRESS, "in")):
        yield Flow(
            name=f"alertmanager-peers-{suffix}",
            direction=direction,
            peers=(Peer(namespace=MONITORING, pods=ALERTMANAGER),),
            ports=(Port(_GOSSIP_PORT), Port(_GOSSIP_PORT, "UDP")),
            pods=dict(ALERTMANAGER),
        )
    smtp = settings.monitoring.alerts.smtp
    if smtp is not None and settings.monitoring.alerts.receiver is AlertReceiver.EMAIL:
        yield _out_of("alerts-by-mail", ALERTMANAGER, (Peer(cidr=ANYWHERE),), smtp.port)


def _into(name: str, pods: dict[str, str], peer: Peer, *ports: int) -> Flow:
    return Flow(name=name, direction=Direction.INGRESS, peers=(peer,), ports=tuple(map(Port, ports)), pods=dict(pods))


def _out_of(name: str, pods: dict[str, str], peers: tuple[Peer, ...], *ports: int) -> Flow:
    return Flow(name=name, direction=Direction.EGRESS, peers=peers, ports=tuple(map(Port, ports)), pods=dict(pods))
