"""What makes GPUs schedulable and measurable."""

from collections.abc import Mapping

from constructs import Construct

from stacks.platform.common import values
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.namespaces import GPU
from stacks.platform.common.releases import add_release
from stacks.settings import Settings


def add_gpu(scope: Construct, settings: Settings, spaces: Mapping[str, Namespace]) -> None:
    """Add the device plugin and the exporter of GPU metrics."""
    namespace = spaces[GPU]
    for release, wired in (
        ("nvidia-device-plugin", values.nvidia_device_plugin(settings)),
        ("dcgm-exporter", values.dcgm_exporter(settings)),
    ):
        add_release(scope, release, namespace=namespace.name, computed_values=wired, depends_on=namespace.bounds)
