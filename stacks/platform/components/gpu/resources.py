"""The device plugin and the exporter of GPU metrics, as Terraform resources."""

from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context

from .component import NAMESPACE
from .release import dcgm_exporter, nvidia_device_plugin


def add(context: Context) -> None:
    """Add the device plugin and the exporter."""
    namespace = context.namespaces[NAMESPACE]
    for name, values in (
        ("nvidia-device-plugin", nvidia_device_plugin(context.settings.cluster, context.images)),
        ("dcgm-exporter", dcgm_exporter(context.images)),
    ):
        add_release(context.scope, name, namespace=namespace.name, computed_values=values, depends_on=namespace.bounds)
