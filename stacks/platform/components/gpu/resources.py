"""The device plugin and the exporter of GPU metrics, as Terraform resources."""

from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata

from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context

from .component import NAMESPACE
from .order import CONFIG_MAP, priorities
from .order import NAMESPACE as EXPANDER
from .release import dcgm_exporter, nvidia_device_plugin


def add(context: Context) -> None:
    """Add the order of the pools, the device plugin and the exporter."""
    if order := priorities(context.settings.cluster, context.settings.models):
        # After nothing: without it the autoscaler adds no node, not even for what else is deployed.
        ConfigMapV1(
            context.scope, CONFIG_MAP, metadata=ConfigMapV1Metadata(name=CONFIG_MAP, namespace=EXPANDER), data=order
        )
    namespace = context.namespaces[NAMESPACE]
    for name, values in (
        ("nvidia-device-plugin", nvidia_device_plugin(context.settings.cluster, context.images)),
        ("dcgm-exporter", dcgm_exporter(context.images)),
    ):
        add_release(context.scope, name, namespace=namespace.name, computed_values=values, depends_on=namespace.bounds)
