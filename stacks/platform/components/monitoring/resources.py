"""Monitoring, as Terraform resources: what collects and shows metrics, what is scraped, and the dashboards' host."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from cdktf_cdktf_provider_kubernetes.priority_class_v1 import PriorityClassV1, PriorityClassV1Metadata
from constructs import Construct

from stacks.platform.common.releases import add_release
from stacks.platform.common.traffic import MONITORING
from stacks.platform.common.variants import availability
from stacks.platform.components.context import Context
from stacks.platform.components.exposing import expose
from stacks.settings.monitoring import MetricsStore

from . import address, release
from .grafana import EXPOSURE, GrafanaAccess
from .rights import WATCHED, operator_rights, prometheus_rights

PRIORITY = 1_000_000
"""Above every pod without a class, below those that a node needs itself."""
INSTALL_SECONDS = 900


def add(context: Context) -> None:
    """Add monitoring after its Secrets."""
    scope, settings, namespace = context.scope, context.settings, context.namespaces[MONITORING]
    azure = settings.monitoring.metrics is MetricsStore.AZURE_MONITOR
    ready: list[ITerraformDependable] = [*namespace.bounds, *context.after("secrets")]
    if not azure:
        ready += [*context.namespaces[address.NODE_METRICS].bounds, _priority(scope)]
        ready += _rights(context)
    dashboards = add_release(
        scope,
        "dashboards",
        namespace=namespace.name,
        computed_values=release.shown_dashboards(
            context.components,
            subscription_id=settings.azure.subscription_id,
            resource_group=context.database.resource_group_name,
            server=context.database.server_name,
        ),
        depends_on=namespace.bounds,
    )
    stack = add_release(
        scope,
        release.RELEASE,
        namespace=namespace.name,
        variants=release.variants(settings.monitoring.metrics, availability(settings.cluster)),
        computed_values=release.kube_prometheus_stack(settings, context.images, _grafana_access(context)),
        timeout_seconds=INSTALL_SECONDS,
        # Grafana mounts the dashboards.
        depends_on=[*ready, dashboards],
    )
    add_release(
        scope,
        "monitors",
        namespace=namespace.name,
        computed_values=release.monitors(context.components),
        # Their definitions come with the operator, or with Azure's add-on.
        depends_on=[*namespace.bounds, _azure_profile(scope) if azure else stack],
    )
    expose(
        context,
        address.HOST,
        exposure=EXPOSURE,
        port=address.SERVICE_PORT,
        depends_on=[stack],
    )


def _grafana_access(context: Context) -> GrafanaAccess:
    identity = context.read_identity()
    return GrafanaAccess(
        tenant_id=context.database.tenant_id,
        login_client_id=identity.client_id,
        group_id=identity.access_group_object_id,
        identity_client_id=context.cluster.grafana_client_id,
        subscription_id=context.settings.azure.subscription_id,
        metrics_url=context.cluster.metrics_url,
    )


def _rights(context: Context) -> list[ITerraformDependable]:
    """Add what Prometheus and its operator may do, before they start."""
    wanted = {"prometheus-operator-rights": operator_rights(), "prometheus-rights": prometheus_rights()}
    return [
        add_release(
            context.scope,
            name,
            chart_of="rights",
            namespace=context.namespaces[MONITORING].name,
            computed_values=rights.values(),
            depends_on=[bound for watched in WATCHED for bound in context.namespaces[watched].bounds],
        )
        for name, rights in wanted.items()
    ]


def _priority(scope: Construct) -> PriorityClassV1:
    return PriorityClassV1(
        scope,
        "monitoring-priority",
        metadata=PriorityClassV1Metadata(name=release.PRIORITY),
        value=PRIORITY,
        description="Monitoring goes on where other pods have to make room.",
    )


def _azure_profile(scope: Construct) -> ConfigMapV1:
    """Tell Azure's add-on to keep what the platform's dashboards and alerts ask for; its own choice is smaller."""
    return ConfigMapV1(
        scope,
        "azure-metrics-settings",
        metadata=ConfigMapV1Metadata(name="ama-metrics-settings-configmap", namespace="kube-system"),
        data={
            "schema-version": "v1",
            "config-version": "ver1",
            "default-targets-metrics-keep-list": release.azure_keep_list(),
        },
    )
