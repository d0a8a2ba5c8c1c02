"""Volumes of disks and shares that exist: bound again after their claim was deleted, and let go by nodes.

A volume that is kept remembers the claim that it was bound to, by its uid. A new claim of the same name has another
uid, so it waits for ever (https://kubernetes.io/docs/concepts/storage/persistent-volumes/#retain).
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.core.errors import OperatorError

from .kubectl import Kubectl

_POLL_S = 5.0


@dataclass(frozen=True, slots=True)
class Volume:
    """A PersistentVolume and the claim that it is kept for."""

    name: str
    namespace: str
    claim: str

    def __str__(self) -> str:
        return f"{self.name}, kept for {self.namespace}/{self.claim}"


def released(kubectl: Kubectl) -> list[Volume]:
    """Return the volumes whose claim was deleted. Raises OperatorError."""
    return [
        Volume(item["metadata"]["name"], item["spec"]["claimRef"]["namespace"], item["spec"]["claimRef"]["name"])
        for item in kubectl.items("persistentvolumes")
        if item.get("status", {}).get("phase") == "Released" and _is_kept(item["spec"])
    ]


def _is_kept(spec: Mapping[str, Any]) -> bool:
    # A volume that is not kept is on its way to be deleted, and whoever made it decides that.
    return spec.get("persistentVolumeReclaimPolicy") == "Retain" and "claimRef" in spec


def free(kubectl: Kubectl, volume: Volume) -> None:
    """Let the next claim of the same name and namespace have a released volume. Raises OperatorError."""
    found = kubectl.json("get", "persistentvolume", volume.name)
    if found.get("status", {}).get("phase") != "Released":
        return
    # The version makes the write fail where somebody bound the volume meanwhile.
    change = {
        "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
        "spec": {"claimRef": {"uid": None, "resourceVersion": None}},
    }
    kubectl.run("patch", "persistentvolume", volume.name, "--type=merge", "-p", json.dumps(change))


def wait_until_detached(
    kubectl: Kubectl,
    volume: str,
    *,
    patience_s: float = 900,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Return when no node has `volume` attached. Raises OperatorError when one still has after `patience_s` seconds."""
    end = clock() + patience_s
    while nodes := _attached_to(kubectl, volume):
        if clock() >= end:
            raise OperatorError(
                f"{volume} is still attached to {', '.join(nodes)}",
                "a node that is gone keeps its disks: `llmctl disks free-node NODE`",
            )
        pause(_POLL_S)


def _attached_to(kubectl: Kubectl, volume: str) -> list[str]:
    return sorted(
        item["spec"]["nodeName"]
        for item in kubectl.items("volumeattachments.storage.k8s.io")
        if item["spec"]["source"].get("persistentVolumeName") == volume
    )
