"""What the cluster tells: objects without their data, events, and the ends of all logs."""

import base64
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from scripts.cluster.api import ClusterApi
from scripts.cluster.kubectl import Kubectl, KubectlError
from scripts.cluster.log_stream import LogStream, Wanted, plain
from scripts.core.errors import OperatorError
from scripts.review.masking import MASK, is_secret_key

from .bundle import Collect

OBJECTS = {
    "nodes": "nodes",
    "workloads": "deployments,statefulsets,daemonsets,replicasets,jobs,cronjobs",
    "pods": "pods",
    "services": "services,ingresses,endpointslices",
    "volumes": "persistentvolumes,persistentvolumeclaims,storageclasses",
    "limits": "resourcequotas,limitranges,horizontalpodautoscalers,poddisruptionbudgets",
    "network-policies": "networkpolicies",
    "certificates": "certificates.cert-manager.io,certificaterequests.cert-manager.io,orders.acme.cert-manager.io,"
    "challenges.acme.cert-manager.io",
    "secret-deliveries": "externalsecrets.external-secrets.io,secretstores.external-secrets.io",
    "scaling": "scaledobjects.keda.sh",
    "webhooks": "validatingwebhookconfigurations,mutatingwebhookconfigurations,apiservices",
}
"""Kinds by file. Secrets and ConfigMaps are in none of them."""
_NOISE = ("kubectl.kubernetes.io/last-applied-configuration",)


def parts(kubectl: Kubectl) -> Iterator[tuple[str, Collect]]:
    """Return the files that are made from the cluster's objects."""
    yield "cluster/versions.json", lambda: kubectl.run("get", "--raw", "/version")
    for name, kinds in OBJECTS.items():
        yield f"cluster/{name}.json", partial(_objects, kubectl, kinds)
    yield "cluster/events.txt", lambda: events(kubectl.items("events", "--all-namespaces"))


def logs(api: ClusterApi, namespaces: Sequence[str], wanted: Wanted) -> Iterator[tuple[str, Collect]]:
    """Return a file of logs for each namespace."""
    for namespace in namespaces:
        yield f"logs/{namespace}.txt", partial(_logs, api, namespace, wanted)


def secrets_of(kubectl: Kubectl) -> list[str]:
    """Return every value of every Secret, to be recognised wherever else it stands. Raises OperatorError."""
    found = []
    for secret in kubectl.items("secrets", "--all-namespaces"):
        for value in (secret.get("data") or {}).values():
            try:
                found.append(base64.b64decode(value).decode())
            except ValueError:
                continue
            found.append(value)
    return found


def _objects(kubectl: Kubectl, kinds: str) -> str:
    """Return objects without what only their history holds."""
    return json.dumps([_lean(item) for item in kubectl.items(kinds, "--all-namespaces")], indent=1) + "\n"


def _lean(item: Mapping[str, Any]) -> dict[str, Any]:
    found = {**item}
    meta = dict(found.get("metadata") or {})
    meta.pop("managedFields", None)
    if "annotations" in meta:
        meta["annotations"] = {key: text for key, text in meta["annotations"].items() if key not in _NOISE}
    return {**{key: _without_values(value) for key, value in found.items()}, "metadata": meta}


def _without_values(value: Any) -> Any:
    """Mask the values of variables whose names say that they are secret; most come from Secrets and have none."""
    if isinstance(value, list):
        return [_without_values(one) for one in value]
    if not isinstance(value, dict):
        return value
    masked = {"value": MASK} if "value" in value and is_secret_key(str(value.get("name", ""))) else {}
    return {key: _without_values(one) for key, one in value.items()} | masked


def events(items: Iterable[Mapping[str, Any]]) -> str:
    """Return events as lines, oldest first, as `kubectl get events` sorts nothing."""

    def moment(item: Mapping[str, Any]) -> str:
        meta = item["metadata"].get("creationTimestamp")
        return str(item.get("lastTimestamp") or item.get("eventTime") or meta or "")

    def line(item: Mapping[str, Any]) -> str:
        about = item.get("involvedObject") or {}
        place = f"{about.get('namespace', '')}/{about.get('kind', '')}/{about.get('name', '')}"
        message = " ".join(str(item.get("message", "")).split())
        return f"{moment(item)} {item.get('type')} {place} {item.get('reason')} x{item.get('count') or 1}: {message}\n"

    return "".join(line(item) for item in sorted(items, key=moment))


def _logs(api: ClusterApi, namespace: str, wanted: Wanted) -> str:
    text, unread = io.BytesIO(), list[str]()
    LogStream(api, [namespace], wanted, tell=unread.append).print(text, plain)
    if unread and not text.getvalue():
        raise OperatorError("; ".join(unread))
    return text.getvalue().decode(errors="replace") + "".join(f"not read: {why}\n" for why in unread)


def known_secrets(kubectl: Kubectl) -> tuple[list[str], str]:
    """Return the values of the cluster's Secrets, and why they could not be read; the forms remain then."""
    try:
        return secrets_of(kubectl), ""
    except KubectlError as error:
        return [], error.message
