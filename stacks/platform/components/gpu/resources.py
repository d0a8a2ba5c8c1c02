"""What makes GPUs schedulable and measurable."""

from collections.abc import Mapping

from constructs import Construct

from constructs.helm_release import HelmRelease
from constructs.namespace import Namespace
from stacks.platform.common import values
from stacks.platform.common.namespaces import GPU
from stacks.settings import Settings


def add_gpu(scope: Construct, settings: Settings, spaces: Mapping[str, Namespace]) -> None:
    """Add the device plugin and the exporter of GPU metrics."""
    namespace = spaces[GPU]
    for release, wired in (
        ("nvidia-device-plugin", values.nvidia_device_plugin(settings)),
        ("dcgm-exporter", values.dcgm_exporter(settings)),
    ):
        HelmRelease(scope, release, namespace=namespace.metadata.name, wired=wired, depends_on=namespace.bounds)
