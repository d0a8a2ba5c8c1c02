"""ClickHouse inside Opik's chart: the installation that the operator makes pods and claims of.

Keys: `values.yaml` of Opik's chart, and
https://github.com/Altinity/clickhouse-operator/blob/release-0.25.6/docs/chi-examples/99-clickhouseinstallation-max.yaml
"""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.platform.common.restricted import restricted_pod
from stacks.settings import Settings
from stacks.settings.data import DataDisk

from . import secrets
from .stores import CLAIM_TEMPLATE, STORAGE_CLASS, stores

INSTALLATION = "opik-clickhouse"
STATEFUL_SET = "chi-opik-clickhouse-cluster-0-0"
"""Made by the operator, of installation, cluster, shard and replica."""
POD_TEMPLATE = "opik"
_USER = 101
"""As whom the image runs."""


def clickhouse(
    settings: Settings, images: Mapping[str, Image], fixed: Mapping[str, Any], account: str
) -> dict[str, Any]:
    """Return the chart's values for ClickHouse, without the fingerprint on its pod.

    `fixed` is what the values files say of ClickHouse: our own pod template repeats its sizes and probes, because the
    chart puts them only into its own template.
    """
    (store,) = (store for store in stores(settings) if store.disk is DataDisk.CLICKHOUSE)
    image = str(images["clickhouse"])
    return {
        "image": image,
        "adminUser": {
            "useSecret": {"enabled": True},
            "secretname": secrets.STORES.removeprefix("opik-"),
            "password_key": "clickhouse-password",
        },
        "templates": {"volumeClaimTemplate": CLAIM_TEMPLATE, "podTemplate": POD_TEMPLATE},
        "extraPodTemplates": [{"name": POD_TEMPLATE, "spec": _pod(image, fixed, account)}],
        "extraVolumeClaimTemplates": [
            {
                "name": CLAIM_TEMPLATE,
                # Without it the operator drops every table and deletes the claim when the installation is deleted.
                "reclaimPolicy": "Retain",
                "spec": {
                    "storageClassName": STORAGE_CLASS,
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": store.capacity}},
                },
            }
        ],
    }


def _pod(image: str, fixed: Mapping[str, Any], account: str) -> dict[str, Any]:
    return {
        "serviceAccountName": account,
        "securityContext": restricted_pod(_USER),
        "containers": [
            {
                "name": "clickhouse",
                "image": image,
                "resources": fixed["resources"],
                "livenessProbe": fixed["livenessProbe"],
                "readinessProbe": fixed["readinessProbe"],
                # Capabilities stay: the program's file asks for some, and would not start without them.
                "securityContext": {"allowPrivilegeEscalation": False},
            }
        ],
    }
