"""Labels of GPU nodes, and the device plugin's configuration for sharing their cards.

`aks` puts the labels and taints on the pools, `platform` schedules by them.
"""

from stacks.settings.cluster import ClusterSettings, GpuPoolSettings

GPU_PRESENT = {"nvidia.com/gpu.present": "true"}
"""Label of every GPU node: the device plugin's DaemonSet selects by it, and AKS sets none of its own."""

GPU_TAINT = "sku=gpu:NoSchedule"
"""Taint of every GPU node, so that only pods that ask for a GPU get there."""

CONFIG_LABEL = "nvidia.com/device-plugin.config"
"""Label by which a node chooses one of the device plugin's configurations."""

WHOLE_CARDS = "whole-cards"
"""Configuration of nodes without that label: one schedulable GPU per card."""


def sharing_config(time_slices: int) -> str:
    """Name of the device plugin's configuration that cuts each card into `time_slices` shares."""
    return WHOLE_CARDS if time_slices == 1 else f"time-slices-{time_slices}"


def gpu_node_labels(pool: GpuPoolSettings) -> dict[str, str]:
    """Labels of a GPU pool's nodes, besides those that AKS asks for on spot pools."""
    if pool.time_slices == 1:
        return dict(GPU_PRESENT)
    return {**GPU_PRESENT, CONFIG_LABEL: sharing_config(pool.time_slices)}


def template_tags(pool: GpuPoolSettings) -> dict[str, str]:
    """Tags by which the cluster autoscaler knows how many shares a node will have before the first one is there.

    Without them it takes one for each card, and orders a node for every share (Azure/AKS#3427); of a size that is
    described in the file it may know none at all. Form of the tag: kubernetes/autoscaler,
    `cloudprovider/azure/README.md`.
    """
    if pool.size is None or (pool.time_slices == 1 and pool.gpu is None):
        return {}
    return {
        "k8s.io_cluster-autoscaler_node-template_resources_nvidia.com_gpu": str(pool.known_size.gpus * pool.time_slices)
    }


def sharing_configs(cluster: ClusterSettings) -> dict[str, str]:
    """The device plugin's configurations by name; empty when no pool shares its cards.

    Format: https://github.com/NVIDIA/k8s-device-plugin#shared-access-to-gpus. Shares are not isolated from each other,
    so a pod that asks for two of them is refused instead of getting the same card twice.
    """
    slices = sorted({pool.time_slices for pool in cluster.gpu_pools.values()} - {1})
    if not slices:
        return {}
    shared = {
        sharing_config(count): (
            "version: v1\n"
            "sharing:\n"
            "  timeSlicing:\n"
            "    failRequestsGreaterThanOne: true\n"
            f"    resources: [{{name: nvidia.com/gpu, replicas: {count}}}]\n"
        )
        for count in slices
    }
    return {WHOLE_CARDS: "version: v1\n", **shared}
