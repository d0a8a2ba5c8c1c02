"""What the cluster tells: objects without their data, events, and the ends of all logs."""

import base64
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from scripts.cluster.component_logs import LogSelection, plain, print_logs
from scripts.cluster.kubectl import Kubectl, KubectlError
from scripts.core.errors import OperatorError

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


def parts(kubectl: Kubectl, namespaces: Sequence[str], wanted: LogSelection | None) -> Iterator[tuple[str, Collect]]:
    """Return the files that are made from the cluster; logs of `namespaces` where they are wanted."""
    yield "cluster/versions.json", lambda: kubectl.run("get", "--raw", "/version")
    for name, kinds in OBJECTS.items():
        yield f"cluster/{name}.json", partial(_objects, kubectl, kinds)
    yield "cluster/events.txt", lambda: events(kubectl.items("events", "--all-namespaces"))
    if wanted:
        for namespace in namespaces:
            yield f"logs/{namespace}.txt", partial(_logs, kubectl, namespace, wanted)


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
    return {**found, "metadata": meta}


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


def _logs(kubectl: Kubectl, namespace: str, wanted: LogSelection) -> str:
    text = io.StringIO()
    status = print_logs(kubectl, [namespace], wanted, text, plain)
    if status and not text.getvalue():
        raise OperatorError(f"its logs cannot be read: exit status {status} of kubectl")
    return text.getvalue()


def known_secrets(kubectl: Kubectl) -> tuple[list[str], str]:
    """Return the values of the cluster's Secrets, and why they could not be read; the forms remain then."""
    try:
        return secrets_of(kubectl), ""
    except KubectlError as error:
        return [], error.message
