"""What the rest of the code has to know of the pods on GPU nodes."""

from collections.abc import Iterator

from stacks.platform.common.namespaces import Layer, NamespaceRules, PodSecurity, no_external_services
from stacks.platform.common.parts import Part
from stacks.platform.common.scraping import Target, allow_metrics
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings

NAMESPACE = "gpu"
METRICS_PORT = 9400
EXPORTER = {"app.kubernetes.io/name": "dcgm-exporter"}


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    settings = components.settings
    # Device plugin and exporter on every GPU node, and room for their successors during an update.
    most_pods = 4 * settings.cluster.most_gpu_nodes
    yield NamespaceRules(
        name=NAMESPACE,
        layer=Layer.CONTROLLERS,
        enforced=PodSecurity.PRIVILEGED,
        reported=PodSecurity.PRIVILEGED,
        quota=no_external_services()
        | {"pods": f"{most_pods}", "requests.memory": f"{most_pods * 512}Mi", "limits.memory": f"{most_pods}Gi"},
        # They ask nobody: the plugin and the exporter talk to the kubelet through sockets of the node.
        traffic=(allow_metrics(settings.monitoring, METRICS_PORT, pods=EXPORTER),),
    )


def _targets(_: Settings) -> Iterator[Target]:
    yield Target(
        name="dcgm-exporter",
        namespace=NAMESPACE,
        labels=EXPORTER,
        port="metrics",
        number=METRICS_PORT,
    )


COMPONENT = Component(
    package=__package__,
    position=40,
    page="reference/cluster.md",
    summary="NVIDIA's device plugin and the exporter of GPU metrics",
    enabled=lambda settings: bool(settings.cluster.gpu_pools),
    charts=("nvidia-device-plugin", "dcgm-exporter"),
    namespaces=_namespaces,
    targets=_targets,
    stays=True,
    parts=lambda _: (
        Part(
            name="device-plugin",
            namespace=NAMESPACE,
            workload="daemonset/nvidia-device-plugin",
            container="nvidia-device-plugin-ctr",
        ),
        Part(
            name="mps",
            namespace=NAMESPACE,
            workload="daemonset/nvidia-device-plugin-mps-control-daemon",
            container="mps-control-daemon-ctr",
        ),
        Part(name="exporter", namespace=NAMESPACE, workload="daemonset/dcgm-exporter", container="exporter"),
    ),
    alerts=("gpu",),
    dashboards=("gpu",),
)
