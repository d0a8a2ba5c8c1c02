"""What a cluster that runs the platform is asked: is everything there, does each reference find what it means."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scripts.lab.kube.api import Api, ApiError, Object

OPERATED = {("app.kubernetes.io/name", "prometheus"), ("app.kubernetes.io/name", "alertmanager")}
"""Labels of pods that an operator makes, which does not run here."""
_UNITS = {"m": 0.001, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_QUANTITY = re.compile(rf"(\d+(?:\.\d+)?)({'|'.join(_UNITS)})")
HOOK = "helm.sh/hook"
WORKLOADS = {"apps/v1": ("Deployment", "StatefulSet", "DaemonSet"), "batch/v1": ("Job", "CronJob")}


def unsettled(api: Api) -> Iterator[str]:
    """Yield what is not as it should be: pods not ready, workloads not complete, claims not bound."""
    for pod in api.list("v1", "Pod"):
        phase = pod["status"].get("phase")
        conditions = {item["type"]: item for item in pod["status"].get("conditions") or []}
        ready = conditions.get("Ready", {}).get("status") == "True"
        if phase != "Succeeded" and not ready:
            why = conditions.get("PodScheduled", {}).get("message", "")
            yield f"{_title(pod)} is {phase} {why}".rstrip()
    yield from _unscaled(api)
    for job in api.list("batch/v1", "Job"):
        if not any(found["type"] == "Complete" for found in job["status"].get("conditions") or []):
            yield f"{_title(job)} has not completed"
    for claim in api.list("v1", "PersistentVolumeClaim"):
        if claim["status"].get("phase") != "Bound":
            yield f"{_title(claim)} is {claim['status'].get('phase')}"


def _unscaled(api: Api) -> Iterator[str]:
    for kind in WORKLOADS["apps/v1"]:
        for item in api.list("apps/v1", kind):
            status = item["status"]
            if kind == "DaemonSet":
                wanted, found = status["desiredNumberScheduled"], status.get("numberAvailable", 0)
            else:
                wanted, found = item["spec"]["replicas"], status.get("availableReplicas", 0)
            if wanted != found or status.get("observedGeneration") != item["metadata"]["generation"]:
                yield f"{_title(item)} has {found} of {wanted} pods"
    for scaler in api.list("autoscaling/v2", "HorizontalPodAutoscaler"):
        if scaler["status"].get("currentReplicas", 0) < scaler["spec"].get("minReplicas", 1):
            yield f"{_title(scaler)} has not reached its least"


def templates(api: Api) -> Iterator[tuple[str, str, Object]]:
    """Yield name, namespace and pod specification of every workload, those without pods now too."""
    for group, kinds in WORKLOADS.items():
        for kind in kinds:
            for item in api.list(group, kind):
                spec = item["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else item["spec"]
                yield _title(item), item["metadata"]["namespace"], spec["template"]


def dangling(api: Api) -> Iterator[str]:
    """Yield every Secret, ConfigMap, key, claim, account or class that a pod names and that is not there."""
    stores = {
        kind: {_key(item): _keys(item) for item in api.list("v1", kind)}
        for kind in ("Secret", "ConfigMap", "PersistentVolumeClaim", "ServiceAccount")
    }
    classes = {item["metadata"]["name"] for item in api.list("scheduling.k8s.io/v1", "PriorityClass")}
    for title, namespace, template in templates(api):
        for kind, name, key in _named(template["spec"]):
            keys = stores[kind].get((namespace, name))
            if keys is None:
                yield f"{title} names {kind} {name}, which is not in {namespace}"
            elif key is not None and key not in keys:
                yield f"{title} reads key {key} of {kind} {name}, which has {', '.join(sorted(keys)) or 'none'}"
        wanted = template["spec"].get("priorityClassName")
        if wanted and wanted not in classes:
            yield f"{title} names PriorityClass {wanted}, which does not exist"


def _named(pod: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    if account := pod.get("serviceAccountName"):
        yield "ServiceAccount", account, None
    for container in [*pod["containers"], *(pod.get("initContainers") or [])]:
        for variable in container.get("env") or []:
            source = variable.get("valueFrom") or {}
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if field in source and not source[field].get("optional"):
                    yield kind, source[field]["name"], source[field]["key"]
        for source in container.get("envFrom") or []:
            for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if field in source and not source[field].get("optional"):
                    yield kind, source[field]["name"], None
    for volume in pod.get("volumes") or []:
        yield from _mounted(volume)
        for source in volume.get("projected", {}).get("sources") or []:
            yield from _mounted(source)


def _mounted(volume: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    if "persistentVolumeClaim" in volume:
        yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], None
    for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
        source = volume.get(field)
        if source and not source.get("optional"):
            name = source.get("secretName") or source["name"]
            yield kind, name, None
            yield from ((kind, name, item["key"]) for item in source.get("items") or [])


def doors(api: Api) -> Iterator[str]:
    """Yield every Service, Ingress or monitor whose port nobody opens."""
    pods = list(templates(api))
    services = {_key(item): item for item in api.list("v1", "Service")}
    for service in services.values():
        yield from _unopened(service, pods)
    for ingress in api.list("networking.k8s.io/v1", "Ingress"):
        namespace = ingress["metadata"]["namespace"]
        for rule in ingress["spec"].get("rules") or []:
            for path in rule["http"]["paths"]:
                yield from _unserved(_title(ingress), namespace, path["backend"]["service"], services)
    yield from _unmeasured(api, pods, list(services.values()))


def _unopened(service: Object, pods: Iterable[tuple[str, str, Object]]) -> Iterator[str]:
    selector = service["spec"].get("selector")
    if not selector:
        return
    behind = [item for item in _selected(pods, service["metadata"]["namespace"], selector) if "Job" not in item[0]]
    for title, template in behind:
        for port in service["spec"]["ports"]:
            opened = _ports(template)
            # A number needs no declaration; where others are declared, it is a mistake all the same.
            if port["targetPort"] not in opened and (opened or isinstance(port["targetPort"], str)):
                yield f"{_title(service)} sends to port {port['targetPort']}, which {title} does not have"


def _unserved(title: str, namespace: str, backend: Mapping[str, Any], services: Mapping[Any, Object]) -> Iterator[str]:
    service = services.get((namespace, backend["name"]))
    if service is None:
        yield f"{title} sends to Service {backend['name']}, which is not in {namespace}"
        return
    ports = {value for port in service["spec"]["ports"] for value in (port["port"], port.get("name"))}
    wanted = backend["port"].get("number") or backend["port"].get("name")
    if wanted not in ports:
        yield f"{title} sends to port {wanted}, which Service {backend['name']} does not have"


def _unmeasured(api: Api, pods: list[tuple[str, str, Object]], services: list[Object]) -> Iterator[str]:
    """Yield monitors that select nothing, or that name a port which nothing selected has."""
    group = "monitoring.coreos.com/v1"
    for kind, endpoints in (("PodMonitor", "podMetricsEndpoints"), ("ServiceMonitor", "endpoints")):
        try:
            monitors = api.list(group, kind)
        except ApiError:
            continue
        for monitor in monitors:
            labels = monitor["spec"]["selector"].get("matchLabels") or {}
            places = monitor["spec"].get("namespaceSelector", {}).get("matchNames") or [
                monitor["metadata"]["namespace"]
            ]
            if kind == "PodMonitor":
                found = [_names(template) for place in places for _, template in _selected(pods, place, labels)]
            else:
                found = [
                    {port.get("name") for port in item["spec"]["ports"]}
                    for item in services
                    if item["metadata"]["namespace"] in places
                    and labels.items() <= (item["metadata"].get("labels") or {}).items()
                ]
            for endpoint in monitor["spec"][endpoints]:
                port = endpoint.get("port")
                if found and port and not any(port in names for names in found):
                    known = ", ".join(sorted({str(name) for names in found for name in names}))
                    yield f"{_title(monitor)} measures port {port}, where only {known} are open"


def idle(api: Api) -> Iterator[str]:
    """Yield budgets and scalers that name no workload."""
    pods = list(templates(api))
    for budget in api.list("policy/v1", "PodDisruptionBudget"):
        labels = budget["spec"]["selector"].get("matchLabels") or {}
        if not OPERATED & labels.items() and not list(_selected(pods, budget["metadata"]["namespace"], labels)):
            yield f"{_title(budget)} guards no pods"
    workloads = {(_key(item), item["kind"]) for kind in WORKLOADS["apps/v1"] for item in api.list("apps/v1", kind)}
    for scaler in scalers(api):
        target = scaler["spec"]["scaleTargetRef"]
        key = (scaler["metadata"]["namespace"], target["name"]), target.get("kind", "Deployment")
        if key not in workloads:
            yield f"{_title(scaler)} scales {key[1]} {target['name']}, which does not exist"


def scalers(api: Api) -> list[Object]:
    """Return what scales workloads."""
    return [*api.list("autoscaling/v2", "HorizontalPodAutoscaler"), *api.list("keda.sh/v1alpha1", "ScaledObject")]


def drift(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """Yield where a live object differs from what was sent: what Terraform would want to change back for ever."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            # Empty, zero and absent are the same to the provider where they are the same to the API.
            if not value and not (found or {}).get(key):
                continue
            yield from drift(value, (found or {}).get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (left, right) in enumerate(zip(wanted, found, strict=True)):
            yield from drift(left, right, f"{path}[{number}]")
    elif wanted != found and _amount(wanted) != _amount(found):
        yield f"{path}: sent {wanted!r}, is {found!r}"


def _amount(value: Any) -> Any:
    """Return a quantity as a number; the provider takes 6144Mi for 6Gi (`suppressEquivalentResourceQuantity`)."""
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    return float(match[1]) * _UNITS[match[2]] if match else value


def fingerprint(api: Api) -> dict[str, Any]:
    """Return what a change without effect must leave as it is: specifications, contents, pods."""
    found: dict[str, Any] = {}
    for group, kinds in {**WORKLOADS, "networking.k8s.io/v1": ("Ingress", "NetworkPolicy")}.items():
        for kind in kinds:
            standing = [
                item for item in api.list(group, kind) if HOOK not in (item["metadata"].get("annotations") or {})
            ]
            found |= {_title(item): item["metadata"]["generation"] for item in standing}
    for kind in ("ConfigMap", "Secret"):
        for item in api.list("v1", kind):
            if item.get("type") != "helm.sh/release.v1":
                found[_title(item)] = item.get("data")
    found |= {_title(item): item["spec"] for item in api.list("v1", "Service")}
    return found | {
        _title(pod): pod["metadata"]["uid"]
        for pod in api.list("v1", "Pod")
        if not any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or [])
    }


def text_of(secret: Object, key: str) -> str:
    """Return a value of a Secret."""
    return base64.b64decode(secret["data"][key]).decode()


def _selected(
    pods: Iterable[tuple[str, str, Object]], namespace: str, labels: Mapping[str, str]
) -> Iterator[tuple[str, Object]]:
    for title, place, template in pods:
        if place == namespace and labels.items() <= (template["metadata"].get("labels") or {}).items():
            yield title, template


def _ports(template: Object) -> set[Any]:
    containers = [*template["spec"]["containers"], *(template["spec"].get("initContainers") or [])]
    opened = [port for container in containers for port in container.get("ports") or []]
    return {value for port in opened for value in (port["containerPort"], port.get("name"))}


def _names(template: Object) -> set[Any]:
    return {name for name in _ports(template) if isinstance(name, str)}


def _keys(item: Object) -> set[str]:
    return set(item.get("data") or {}) | set(item.get("binaryData") or {})


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"]["namespace"], item["metadata"]["name"]


def _title(item: Object) -> str:
    namespace = item["metadata"].get("namespace")
    return f"{item['kind']} {f'{namespace}/' if namespace else ''}{item['metadata']['name']}"
