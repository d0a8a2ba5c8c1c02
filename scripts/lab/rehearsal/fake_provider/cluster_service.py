"""A Kubernetes cluster as the kubernetes and helm providers meet it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from scripts.lab.rehearsal.cloud import Cloud, CloudObject

from .pod_security import LEVEL, violations
from .protocol.values import is_unknown, lookup
from .service import Facts, RefusedError, Service

_BUILT_IN_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_AKS_DOMAIN = ".azmk8s.io"
_ARCHIVE = re.compile(r"\./charts/(?P<name>.+?)-(?P<version>v?\d+\.\d+\.\d+(?:[-+].+)?)-[0-9a-f]{12}\.tgz")
"""A pinned chart beside the stack, whose name and version the real provider reads in it, at the plan already."""

_RESOURCES = {
    "cronjob": "cronjobs.batch",
    "ingress": "ingresses.networking.k8s.io",
    "job": "jobs.batch",
    "networkpolicy": "networkpolicies.networking.k8s.io",
    "priorityclass": "priorityclasses.scheduling.k8s.io",
    "role": "roles.rbac.authorization.k8s.io",
    "rolebinding": "rolebindings.rbac.authorization.k8s.io",
    "storageclass": "storageclasses.storage.k8s.io",
}
"""Names by which the API server calls what it refuses, where they are not the kind and an s."""


class ClusterService(Service):
    """One API server, found by the host in the provider block. A cluster that is gone cannot be reached."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.host = ""

    def configure(self, config: Facts) -> None:
        """Take the API server's name from the provider block (helm has it one level down)."""
        host = lookup(config, "host") or lookup(config, "kubernetes.host")
        if isinstance(host, str):
            self.host = host.removeprefix("https://").split(":")[0].split("/")[0]

    def check_reachable(self) -> None:
        """Refuse when the AKS cluster behind the host does not exist (any more)."""
        if not self.host.endswith(_AKS_DOMAIN):
            return
        for cluster in self.cloud.objects("azurerm_kubernetes_cluster"):
            if self.host in {cluster.state.get("fqdn"), cluster.state.get("private_fqdn")}:
                return
        raise RefusedError(f'Get "https://{self.host}:443/version": dial tcp: lookup {self.host}: no such host')

    def imported(self, type_name: str, object_id: str) -> CloudObject | None:
        """Return the release of an id with its namespace: in the state, a release's id is its name alone."""
        if type_name != "helm_release":
            return None
        namespace, _, name = object_id.partition("/")
        return self.cloud.get(self.unique_key(type_name, {"name": name, "namespace": namespace}))

    def scope(self) -> str:
        """Return the API server's name."""
        return self.host

    def unique_key(self, type_name: str, facts: Facts) -> str:
        """Return kind, namespace and name, on this cluster."""
        return f"{type_name}|{self.host}|{self._id(type_name, facts)}|{self._namespace(type_name, facts)}"

    def made_up(self, type_name: str, facts: Facts, seed: str) -> dict[str, Any]:
        """Return the id: namespace and name."""
        del seed
        return {"id": self._id(type_name, facts)}

    def _namespace(self, type_name: str, facts: Facts) -> str:
        if type_name == "helm_release":
            return str(facts.get("namespace") or "default")
        metadata = lookup(facts, "metadata.0") or {}
        return str(metadata.get("namespace") or "") if "namespace" in metadata else ""

    def _id(self, type_name: str, facts: Facts) -> str:
        if type_name == "helm_release":
            return str(facts.get("name"))
        metadata = lookup(facts, "metadata.0") or {}
        # The one resource whose name has a default, `default`: the account that each namespace gets.
        name = str(metadata.get("name") or metadata.get("generate_name") or "default")
        if "namespace" in metadata:
            return f"{metadata.get('namespace') or 'default'}/{name}"
        return name

    def templates(self, type_name: str) -> Mapping[str, str]:
        """Return what Helm reports about a release."""
        if type_name == "helm_release":
            return {"status": "deployed", "version": "{version}", "namespace": "{namespace}", "chart": "{chart}"}
        return {"namespace": "default", "name": "{id|name}"}

    def recomputed(self, type_name: str, prior: Facts, planned: Facts) -> Iterable[str]:
        """Return what Helm reports about a release: every change makes a new revision, another archive a version."""
        if type_name != "helm_release":
            return ()
        other = prior.get("chart") != planned.get("chart") and _ARCHIVE.fullmatch(str(planned.get("chart")))
        return ("metadata", "version") if other else ("metadata",)

    def untold(self, type_name: str) -> Iterable[str]:
        """Return what the helm provider takes from the configuration alone (`ImportState` of 3.1.1)."""
        return ("values", "repository") if type_name == "helm_release" else ()

    def check_create(self, type_name: str, object_id: str, facts: Facts) -> None:
        """Refuse an object in a namespace that is not there, and a Job whose pods the namespace's level refuses."""
        namespace = self._namespace(type_name, facts) or "default"
        if namespace in _BUILT_IN_NAMESPACES or facts.get("create_namespace"):
            return
        labels = self._labels_of(namespace)
        if labels is None:
            raise RefusedError(f'namespaces "{namespace}" not found')
        pod = lookup(facts, "spec.0.template.0.spec.0")
        level = str(labels.get(LEVEL) or "privileged")
        if type_name == "kubernetes_job_v1" and pod and (refused := violations(pod, level)):
            # The real provider creates the Job and waits for its pods until its timeout.
            raise RefusedError(
                f"Waiting for job completion: {object_id} has no pods: forbidden: violates PodSecurity"
                f' "{level}:latest": {", ".join(refused)}'
            )

    def _labels_of(self, namespace: str) -> Mapping[str, Any] | None:
        """Return the labels of a namespace, None for one that is not there."""
        for found in self.cloud.objects("kubernetes_namespace_v1"):
            if found.id == namespace and found.scope == self.host:
                return lookup(found.state, "metadata.0.labels") or {}
        return None

    def exists_message(self, type_name: str, object_id: str, existing: CloudObject | None) -> str:
        """Return what the API server says, through the provider, or Helm (seen with 2.38.0 and 3.1.1)."""
        del existing
        if type_name == "helm_release":
            return "cannot re-use a name that is still in use"
        kind = type_name.removeprefix("kubernetes_").removesuffix("_v1").replace("_", "")
        said = f'{_RESOURCES.get(kind, f"{kind}s")} "{object_id.rsplit("/", 1)[-1]}" already exists'
        # kubernetes/resource_kubernetes_job_v1.go:94 at v2.38.0.
        return f"Failed to create Job! API error: {said}" if kind == "job" else said

    def gone_with(self, existing: CloudObject) -> list[CloudObject]:
        """Return the content of a namespace."""
        if existing.type != "kubernetes_namespace_v1":
            return []
        return [
            found
            for found in self.cloud.within(existing.scope)
            if found.key != existing.key and self._namespace(found.type, found.state) == existing.id
        ]

    def settle(self, type_name: str, state: dict[str, Any], planned: Facts) -> dict[str, Any]:
        """Return a release with its values merged and the version of its chart, as Helm itself reports them.

        Raises RefusedError where a values document is not YAML, as the real provider does.
        """
        if type_name != "helm_release" or not is_unknown(planned.get("metadata")):
            return state
        merged = json.dumps(merged_values(state.get("values") or []), sort_keys=True)
        chart, version = str(state["chart"]).rstrip("/").rsplit("/", 1)[-1], state.get("version")
        if (archive := _ARCHIVE.fullmatch(str(state["chart"]))) and is_unknown(planned.get("version")):
            chart, version = archive["name"], archive["version"]
        metadata = {**state["metadata"], "name": state["name"], "values": merged, "chart": chart, "version": version}
        return {**state, "version": version, "metadata": metadata}


def merged_values(documents: list[str]) -> dict[str, Any]:
    """Return Helm values documents merged in order, later ones winning key by key.

    Raises RefusedError where one is not a YAML mapping.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - only a release needs it
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    merged: dict[str, Any] = {}
    for document in documents:
        try:
            content = YAML(typ="safe", pure=True).load(document) or {}
        except YAMLError as error:
            raise RefusedError(f"Failed to parse values: {error}") from None
        if not isinstance(content, dict):
            raise RefusedError(f"Failed to parse values: a mapping is needed, not {type(content).__name__}")
        merged = _merge(merged, content)
    return merged


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _merge(found[key], value) if both else value
    return found
