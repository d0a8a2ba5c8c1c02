"""Chart values of the device plugin and of the exporter of GPU metrics that only the stack knows."""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.settings.cluster import ClusterSettings

from .nodes import WHOLE_CARDS, sharing_configs


def nvidia_device_plugin(cluster: ClusterSettings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the device plugin, with a configuration per number of shares when a pool shares its cards.

    With cards that AKS cuts into parts, each part is a GPU of its own; whole cards stay what they are.
    """
    values: dict[str, Any] = {"image": images["nvidia-device-plugin/plugin"].values()}
    if any(pool.gpu and pool.gpu.mig for pool in cluster.gpu_pools.values()):
        # https://github.com/NVIDIA/k8s-device-plugin#configuration-option-details
        values["migStrategy"] = "single"
    if configs := sharing_configs(cluster):
        values["config"] = {"map": configs, "default": WHOLE_CARDS}
    return values


def dcgm_exporter(images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the DCGM exporter."""
    return {"image": images["dcgm-exporter/exporter"].values()}
