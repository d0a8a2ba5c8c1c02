"""Monitoring: Prometheus, Alertmanager, exporters and Grafana, what they scrape, and the host of the dashboards."""

from collections.abc import Mapping

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from cdktf_cdktf_provider_kubernetes.priority_class_v1 import PriorityClassV1, PriorityClassV1Metadata
from constructs import Construct

from constructs.https_ingress import Route
from stacks.common.hosts import Hosts
from stacks.common.outputs import AksOutputs, DatabaseOutputs, IdentityOutputs
from stacks.platform.common.ingress import add_https_ingress
from stacks.platform.common.ingress_annotations import annotations
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.releases import add_release
from stacks.platform.common.traffic import MONITORING
from stacks.platform.common.values import ingress_class
from stacks.platform.common.variants import availability
from stacks.settings import Settings
from stacks.settings.monitoring import MetricsStore

from . import address, grafana, release
from .traffic import NODE_METRICS

PRIORITY = 1_000_000
"""Above every pod without a class, below those that a node needs itself."""
INSTALL_SECONDS = 900


def add_monitoring(
    scope: Construct,
    settings: Settings,
    spaces: Mapping[str, Namespace],
    *,
    cluster: AksOutputs,
    identity: IdentityOutputs,
    database: DatabaseOutputs,
    delivered: ITerraformDependable,
    issuers: ITerraformDependable,
) -> None:
    """Add monitoring after `delivered`, which delivers its Secrets, and its host after `issuers`."""
    namespace = spaces[MONITORING]
    name = namespace.name
    ready: list[ITerraformDependable] = [*namespace.bounds, delivered]
    if settings.monitoring.metrics is MetricsStore.AZURE_MONITOR:
        collected: ITerraformDependable = _azure_profile(scope)
    else:
        ready += [*spaces[NODE_METRICS].bounds, _priority(scope)]
    dashboards = add_release(
        scope,
        "dashboards",
        namespace=name,
        computed_values=release.dashboard_files(
            settings, resource_group=database.resource_group_name, server=database.server_name
        ),
        depends_on=namespace.bounds,
    )
    access = grafana.GrafanaAccess(
        tenant_id=database.tenant_id,
        login_client_id=identity.client_id,
        group_id=identity.access_group_object_id,
        identity_client_id=cluster.grafana_client_id,
        subscription_id=settings.azure.subscription_id,
        metrics_url=cluster.metrics_url,
    )
    stack = add_release(
        scope,
        release.RELEASE,
        namespace=name,
        variants=release.variants(settings, availability(settings)),
        computed_values=release.kube_prometheus_stack(settings, access),
        timeout_seconds=INSTALL_SECONDS,
        # Grafana mounts the dashboards.
        depends_on=[*ready, dashboards],
    )
    if settings.monitoring.metrics is not MetricsStore.AZURE_MONITOR:
        collected = stack
    # Their definitions come with the operator, or with Azure's add-on.
    add_release(
        scope,
        "monitors",
        namespace=name,
        computed_values=release.monitors(settings),
        depends_on=[*namespace.bounds, collected],
    )
    add_https_ingress(
        scope,
        "grafana-ingress",
        name="grafana",
        namespace=name,
        ingress_class=ingress_class(settings),
        host=Hosts(settings.domain).grafana,
        route=Route(service=address.SERVICE, port=address.SERVICE_PORT),
        annotations=annotations(settings, grafana.EXPOSURE),
        depends_on=[issuers, stack],
    )


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
