"""What the rest of the code has to know of monitoring."""

from collections.abc import Iterator

from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.namespaces import Layer, NamespaceRules, PodSecurity, challenge, no_external_services
from stacks.platform.common.traffic import MONITORING, Peer
from stacks.platform.components.base import Component, Health
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings.cluster import ClusterSettings
from stacks.settings.monitoring import MetricsStore

from .address import ACCOUNT, HOST, NODE_METRICS, POD_PORT, PODS, SERVICE, SERVICE_PORT
from .connections import connections
from .parts import monitoring_parts
from .receivers import SMTP_PASSWORD, WEBHOOK_URL
from .secrets import external_secrets
from .traffic import monitoring_traffic, node_metrics_traffic


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    settings = components.settings
    yield NamespaceRules(
        name=MONITORING,
        layer=Layer.CONTROLLERS,
        quota=no_external_services(claims=10) | {"pods": "40"},
        traffic=(*challenge(settings), *monitoring_traffic(components)),
    )
    if settings.monitoring.metrics is MetricsStore.PROMETHEUS:
        yield _node_metrics(settings.cluster)


def _node_metrics(cluster: ClusterSettings) -> NamespaceRules:
    return NamespaceRules(
        name=NODE_METRICS,
        layer=Layer.CONTROLLERS,
        enforced=PodSecurity.PRIVILEGED,
        reported=PodSecurity.PRIVILEGED,
        # One on every node, and room for nodes that are replaced.
        quota=no_external_services() | {"pods": f"{2 * cluster.most_nodes}"},
        traffic=node_metrics_traffic(),
    )


def _external_secrets(components: EnabledComponents, **_: str) -> Iterator[ExternalSecret]:
    return external_secrets(components.settings.monitoring.alerts.receiver)


COMPONENT = Component(
    package=__package__,
    position=100,
    needs=("secrets", "certificates"),
    page="reference/monitoring.md",
    summary="Prometheus, Alertmanager, exporters and Grafana",
    enabled=lambda settings: settings.monitoring.enabled,
    charts=("kube-prometheus-stack", "monitors", "dashboards", "rights"),
    namespaces=_namespaces,
    connections=connections,
    external_secrets=_external_secrets,
    user_secrets=(WEBHOOK_URL, SMTP_PASSWORD),
    accounts=(ACCOUNT,),
    login_accounts=(ACCOUNT,),
    hosts=(HOST,),
    health=Health(
        host=HOST,
        url=f"http://{SERVICE}.{MONITORING}.svc.cluster.local:{SERVICE_PORT}/api/health",
        pods=Peer(namespace=MONITORING, pods=PODS),
        port=POD_PORT,
    ),
    parts=monitoring_parts,
)
