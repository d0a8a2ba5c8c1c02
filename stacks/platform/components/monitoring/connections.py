"""What Prometheus, Alertmanager and Grafana talk to, and why; what is measured, its component says."""

from collections.abc import Iterator

from stacks.platform.common.connections import (
    ANY_POD,
    CLUSTER_SERVICES,
    OUTSIDE,
    PROMETHEUS,
    Connection,
    Place,
    calls,
    challenges,
    from_ingress,
    https_out,
)
from stacks.platform.common.traffic import MONITORING, Peer, Port, WayOut
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings.monitoring import AlertReceiver, MetricsStore

from .address import NODE_METRICS, POD_PORT, PODS
from .traffic import (
    ALERTMANAGER,
    ALERTMANAGER_PORT,
    DNS_METRICS_PORT,
    GOSSIP_PORT,
    KUBELET_PORT,
    NODE_EXPORTER_PORT,
    OWN_PORTS,
    PROMETHEUS_PORT,
)


def connections(components: EnabledComponents) -> Iterator[Connection]:
    """Yield the connections of both namespaces."""
    settings = components.settings
    grafana = Peer(namespace=MONITORING, pods=PODS)
    yield from_ingress(settings.ingress, grafana, POD_PORT, why="people")
    yield from challenges(settings.ingress, MONITORING, is_private=settings.is_private)
    yield from https_out(
        Peer(namespace=MONITORING), "Kubernetes API, Entra, Azure Monitor, receivers of alerts", WayOut.INTERNET_AND_API
    )
    if settings.monitoring.metrics is MetricsStore.PROMETHEUS:
        yield from _own(grafana)
    smtp = settings.monitoring.alerts.smtp
    if smtp is not None and settings.monitoring.alerts.receiver is AlertReceiver.EMAIL:
        for place in OUTSIDE:
            yield calls(Peer(namespace=MONITORING, pods=ALERTMANAGER), place, smtp.port, why="alerts by mail")


def _own(grafana: Peer) -> Iterator[Connection]:
    prometheus = Peer(namespace=MONITORING, pods=PROMETHEUS)
    alertmanager = Peer(namespace=MONITORING, pods=ALERTMANAGER)
    yield calls(grafana, prometheus, PROMETHEUS_PORT, why="dashboards")
    yield calls(grafana, alertmanager, ALERTMANAGER_PORT, why="silences")
    yield calls(prometheus, Peer(namespace=MONITORING), *OWN_PORTS, why="metrics of monitoring itself, alerts")
    gossip = (Port(GOSSIP_PORT), Port(GOSSIP_PORT, "UDP"))
    yield Connection(caller=alertmanager, receiver=alertmanager, ports=gossip, why="which alerts were sent")
    yield calls(prometheus, Peer(namespace=NODE_METRICS), NODE_EXPORTER_PORT, why="metrics of nodes")
    names = Peer(namespace=CLUSTER_SERVICES, pods={"k8s-app": "kube-dns"})
    yield calls(prometheus, names, DNS_METRICS_PORT, why="metrics of DNS")
    yield calls(prometheus, Place.NODES, KUBELET_PORT, why="metrics of kubelets and containers")
    for end in (*(place for place in Place if place is not Place.NODES), ANY_POD):
        yield calls(
            prometheus, end, KUBELET_PORT, why="no selector matches nodes: their rule is for a port alone", needed=False
        )
