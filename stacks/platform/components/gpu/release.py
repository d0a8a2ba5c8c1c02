"""Chart values of the device plugin and of the exporter of GPU metrics that only the stack knows."""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.settings.cluster import ClusterSettings

from .nodes import WHOLE_CARDS, sharing_configs


def nvidia_device_plugin(cluster: ClusterSettings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the device plugin, with a configuration per number of shares when a pool shares its cards."""
    image = {"image": images["nvidia-device-plugin/plugin"].values()}
    configs = sharing_configs(cluster)
    return {**image, "config": {"map": configs, "default": WHOLE_CARDS}} if configs else image


def dcgm_exporter(images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the DCGM exporter."""
    return {"image": images["dcgm-exporter/exporter"].values()}
