"""Who Prometheus, Alertmanager and Grafana talk to. Everything else is denied."""

from collections.abc import Iterable, Iterator

from stacks.platform.common.connections import PROMETHEUS
from stacks.platform.common.ingress_mode import ingress_peer
from stacks.platform.common.scraping import Target
from stacks.platform.common.traffic import (
    ANYWHERE,
    DNS,
    HTTPS_OUT,
    MONITORING,
    Direction,
    Peer,
    Port,
    TrafficRule,
    allow_from,
    allow_to,
)
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings.monitoring import AlertReceiver, MetricsStore, MonitoringSettings

from .address import NODE_METRICS, POD_PORT, PODS

NODE_EXPORTER_PORT = 9100
KUBELET_PORT = 10250
DNS_METRICS_PORT = 9153

ALERTMANAGER = {"app.kubernetes.io/name": "alertmanager"}

PROMETHEUS_PORT, ALERTMANAGER_PORT, GOSSIP_PORT = 9090, 9093, 9094
# Metrics of the pods beside it: Prometheus, Alertmanager, reloaders, operator, kube-state-metrics, Grafana.
OWN_PORTS = (PROMETHEUS_PORT, ALERTMANAGER_PORT, 8080, 8081, POD_PORT)


def monitoring_traffic(components: EnabledComponents) -> Iterator[TrafficRule]:
    """Traffic rules of the namespace `monitoring`."""
    monitoring = components.settings.monitoring
    # Kubernetes, Entra, Azure Monitor, and receivers of alerts.
    yield DNS
    yield HTTPS_OUT
    yield allow_from(
        "front-door-to-grafana",
        PODS,
        (ingress_peer(components.settings.ingress, components.settings.network),),
        POD_PORT,
    )
    if monitoring.metrics is MetricsStore.PROMETHEUS:
        yield from _scraping(components.targets())
        yield from _own(monitoring)


def node_metrics_traffic() -> tuple[TrafficRule, ...]:
    """Traffic rules of the namespace of the node exporters, which talk to nobody."""
    return (allow_from("allow-metrics", {}, (Peer(namespace=MONITORING, pods=PROMETHEUS),), NODE_EXPORTER_PORT),)


def _scraping(targets: Iterable[Target]) -> Iterator[TrafficRule]:
    by_place: dict[str, set[int]] = {}
    for target in targets:
        by_place.setdefault(target.namespace, set()).add(target.number)
    for namespace, ports in by_place.items():
        yield allow_to(f"scrape-{namespace}", PROMETHEUS, (Peer(namespace=namespace),), *sorted(ports))
    yield allow_to("scrape-node-metrics", PROMETHEUS, (Peer(namespace=NODE_METRICS),), NODE_EXPORTER_PORT)
    dns = Peer(namespace="kube-system", pods={"k8s-app": "kube-dns"})
    yield allow_to("scrape-dns", PROMETHEUS, (dns,), DNS_METRICS_PORT)
    # No address range matches a node, so the rule for the kubelets names a port alone.
    yield allow_to("scrape-kubelets", PROMETHEUS, (), KUBELET_PORT)


def _own(monitoring: MonitoringSettings) -> Iterator[TrafficRule]:
    """Yield what monitoring's own pods say to each other, and alerts by mail."""
    prometheus, grafana = Peer(namespace=MONITORING, pods=PROMETHEUS), Peer(namespace=MONITORING, pods=PODS)
    yield allow_to("scrape-own", PROMETHEUS, (Peer(namespace=MONITORING),), *OWN_PORTS)
    yield allow_from("allow-own", {}, (prometheus,), *OWN_PORTS)
    read = {"prometheus": (PROMETHEUS, PROMETHEUS_PORT), "alerts": (ALERTMANAGER, ALERTMANAGER_PORT)}
    for name, (pods, port) in read.items():
        yield allow_to(f"grafana-to-{name}", PODS, (Peer(namespace=MONITORING, pods=pods),), port)
        yield allow_from(f"{name}-from-grafana", pods, (grafana,), port)
    for direction, suffix in ((Direction.EGRESS, "out"), (Direction.INGRESS, "in")):
        yield TrafficRule(
            name=f"alertmanager-peers-{suffix}",
            direction=direction,
            peers=(Peer(namespace=MONITORING, pods=ALERTMANAGER),),
            ports=(Port(GOSSIP_PORT), Port(GOSSIP_PORT, "UDP")),
            pods=dict(ALERTMANAGER),
        )
    smtp = monitoring.alerts.smtp
    if smtp is not None and monitoring.alerts.receiver is AlertReceiver.EMAIL:
        yield allow_to("alerts-by-mail", ALERTMANAGER, (Peer(cidr=ANYWHERE),), smtp.port)
