"""Stores first, backend afterwards: what the backend's pods wait for before they migrate.

One release holds the stores and the backend, so Kubernetes replaces both at once, and a store that is asked during an
upgrade answers from its old pod: a migration would lose its connection midway, and ClickHouse's do not go on
(https://github.com/comet-ml/opik/issues/7090). So every store carries a fingerprint of what it is made of, and a
backend pod waits, before it migrates, until each one has rolled to the fingerprint of this release.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .clickhouse import INSTALLATION, STATEFUL_SET

FINGERPRINT_ANNOTATION = "platform/configuration"
"""Annotation of a store's pods; the script reads it."""
SCRIPT = Path(__file__).with_name("stores_settled.sh")
CONTAINER = "stores-settled"
TOKEN_VOLUME = "kubernetes-token"  # noqa: S105
_TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105

WORKLOADS = {
    "mysql": "statefulset/opik-mysql",
    "redis": "statefulset/opik-redis-master",
    "minio": "deployment/opik-minio",
    "zookeeper": "statefulset/opik-zookeeper",
    "clickhouse": f"statefulset/{STATEFUL_SET}",
}
"""Key of a store in the chart's values, and what runs it."""

Rule = Mapping[str, list[str]]

RIGHTS: tuple[Rule, ...] = (
    {
        "api_groups": ["apps"],
        "resources": ["statefulsets"],
        "resource_names": ["opik-mysql", "opik-redis-master", "opik-zookeeper", STATEFUL_SET],
        "verbs": ["get"],
    },
    {"api_groups": ["apps"], "resources": ["deployments"], "resource_names": ["opik-minio"], "verbs": ["get"]},
    {
        "api_groups": ["clickhouse.altinity.com"],
        "resources": ["clickhouseinstallations"],
        "resource_names": [INSTALLATION],
        "verbs": ["get"],
    },
)
"""All that a backend pod may do in Kubernetes: read these objects by name."""


def fingerprint(*parts: object) -> str:
    """Return a short text that changes with any of `parts`."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


def arguments(namespace: str, fingerprints: Mapping[str, str]) -> list[str]:
    """Return what the script waits for, in `namespace`; `fingerprints` by key in the chart's values."""
    stores = [f"{workload}={fingerprints[key]}" for key, workload in WORKLOADS.items()]
    return [namespace, *stores, f"clickhouseinstallation/{INSTALLATION}"]


def container(
    image: str,
    namespace: str,
    fingerprints: Mapping[str, str],
    security: Mapping[str, Any],
    resources: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the init container; its `image` needs a shell and kubectl. It alone mounts the token."""
    return {
        "name": CONTAINER,
        "image": image,
        "command": ["/bin/sh", "-c"],
        "args": [SCRIPT.read_text("utf-8"), CONTAINER, *arguments(namespace, fingerprints)],
        "securityContext": dict(security),
        "resources": dict(resources),
        "volumeMounts": [{"name": TOKEN_VOLUME, "mountPath": _TOKEN_FOLDER, "readOnly": True}],
    }


def token_volume() -> dict[str, Any]:
    """Return what kubectl needs inside a pod, as the API server would mount it, but for this one container.

    https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume
    """
    return {
        "name": TOKEN_VOLUME,
        "projected": {
            "defaultMode": 0o444,
            "sources": [
                {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            ],
        },
    }
