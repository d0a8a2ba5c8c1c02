"""A Kubernetes API over HTTP for the official client: objects in memory, pods as their workloads ask for them."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scripts.cluster.api import ClusterApi
from scripts.cluster.client import connect
from tests.support.web_servers import QuietHandler, served

Object = dict[str, Any]
Fault = tuple[int, Mapping[str, str], bytes]
CONTEXT = "fake"
_PATH = re.compile(
    r"/(?:api/v1|apis/[^/]+/[^/]+)(?:/namespaces/(?P<space>[^/]+))?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>\w+))?"
)


def workload(kind: str, namespace: str, name: str, *, replicas: int = 1, **more: Any) -> Object:
    """Return a workload that runs as it is described."""
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"namespace": namespace, "name": name, "generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}},
            **more,
        },
        "status": {},
    }


def scaler(plural: str, namespace: str, name: str, target: str, **spec: Any) -> tuple[str, Object]:
    """Return an autoscaler of a Deployment, with its plural."""
    meta = {"namespace": namespace, "name": name}
    return plural, {"metadata": meta, "spec": {"scaleTargetRef": {"name": target}, **spec}}


@dataclass
class FakeCluster:
    """What the API knows, and what it was asked."""

    objects: dict[str, list[Object]] = field(default_factory=dict)
    """By plural."""
    logs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """By pod and container, as the kubelet writes them with `timestamps`."""
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    """By path, answered once each before anything else is."""
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, path and body of every request that changes something."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    evictions_refused: int = 0
    """How many evictions are refused yet, as by a disruption budget."""

    def add(self, plural: str, *items: Object) -> None:
        """Let the API know further objects."""
        self.objects.setdefault(plural, []).extend(items)

    def found(self, plural: str, space: str, name: str) -> Object | None:
        """Return one object."""
        return next(
            (
                item
                for item in self.listed(plural)
                if item["metadata"].get("namespace", "") == space and item["metadata"]["name"] == name
            ),
            None,
        )

    def listed(self, plural: str) -> list[Object]:
        """Return the objects of a kind, pods and states of workloads as controllers would make them."""
        if plural in ("deployments", "statefulsets", "pods"):
            for item in [*self.objects.get("deployments", []), *self.objects.get("statefulsets", [])]:
                self._control(item)
        if plural == "pods":
            made = [*self.objects.get("deployments", []), *self.objects.get("statefulsets", [])]
            return [*self.objects.get("pods", []), *(pod for item in made for pod in _pods(item))]
        return self.objects.get(plural, [])

    def _control(self, item: Object) -> None:
        name, space = item["metadata"]["name"], item["metadata"]["namespace"]
        for each in self.objects.get("scaledobjects", []):
            if each["metadata"]["namespace"] == space and each["spec"]["scaleTargetRef"]["name"] == name:
                paused = (each["metadata"].get("annotations") or {}).get("autoscaling.keda.sh/paused-replicas")
                if paused is not None:
                    item["spec"]["replicas"] = int(paused)
        if item["metadata"].pop("frozen", None) or item.get("frozen"):
            return
        count = item["spec"]["replicas"]
        generation = item["metadata"].get("generation", 1)
        item["status"] = {"observedGeneration": generation, "replicas": count, "readyReplicas": count}
        item["status"]["updatedReplicas"] = count


def _pods(item: Object) -> Iterator[Object]:
    if item.get("frozen"):
        return
    meta = item["metadata"]
    for number in range(item["spec"]["replicas"]):
        name = f"{meta['name']}-{number}"
        yield {
            "kind": "Pod",
            "metadata": {
                "namespace": meta["namespace"],
                "name": name,
                "uid": f"{name}-{meta.get('evicted', {}).get(name, 0)}",
                "labels": item["spec"]["selector"]["matchLabels"],
                "creationTimestamp": "2026-11-30T11:00:00Z",
            },
            "spec": {"nodeName": "node-1", "containers": [{"name": "c"}]},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "c", "ready": True, "restartCount": 0, "state": {"running": {}}}],
            },
        }


def merge(into: Any, change: Any) -> Any:
    """Merge as RFC 7396 says."""
    if not isinstance(change, dict):
        return change
    found = dict(into) if isinstance(into, dict) else {}
    for key, value in change.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merge(found.get(key), value)
    return found


class _Handler(QuietHandler):
    cluster: FakeCluster

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if self._faulty(asked.path):
            return
        match = _PATH.fullmatch(asked.path)
        query = {key: values[0] for key, values in parse_qs(asked.query).items()}
        if match is None or (match["plural"] not in self.cluster.objects and match["plural"] != "pods"):
            self._say(404, "the server could not find the requested resource")
            return
        space, plural, name = match["space"] or "", match["plural"], match["name"]
        with self.cluster.lock:
            if match["sub"] == "log":
                self._log(name, query)
            elif name:
                found = self.cluster.found(plural, space, name)
                self.answer_json(200, found) if found else self._say(404, f'{plural} "{name}" not found')
            else:
                items = [each for each in self.cluster.listed(plural) if _selected(each, space, query)]
                self._list(items, query)

    def do_PATCH(self) -> None:
        path, body = urlsplit(self.path).path, json.loads(self.body())
        self.cluster.calls.append(("PATCH", path, body))
        if self._faulty(path):
            return
        match = _PATH.fullmatch(path)
        assert match
        assert self.headers["Content-Type"] == "application/merge-patch+json"
        with self.cluster.lock:
            found = self.cluster.found(match["plural"], match["space"], match["name"])
            if found is None:
                self._say(404, "not found")
                return
            found.update(merge(found, body))
            self.answer_json(200, found)

    def do_POST(self) -> None:
        path, body = urlsplit(self.path).path, json.loads(self.body())
        self.cluster.calls.append(("POST", path, body))
        match = _PATH.fullmatch(path)
        assert match
        assert match["sub"] == "eviction"
        with self.cluster.lock:
            if self.cluster.evictions_refused:
                self.cluster.evictions_refused -= 1
                self._say(429, "Cannot evict pod as it would violate the pod's disruption budget.")
                return
            for item in self.cluster.objects.get("deployments", []):
                if match["name"].rpartition("-")[0] == item["metadata"]["name"]:
                    evicted = item["metadata"].setdefault("evicted", {})
                    evicted[match["name"]] = evicted.get(match["name"], 0) + 1
        self.answer_json(201, {"kind": "Status", "status": "Success"})

    def _list(self, items: list[Object], query: Mapping[str, str]) -> None:
        begins, size = int(query.get("continue", 0)), int(query.get("limit", 500))
        rest = begins + size
        more = {"continue": str(rest)} if rest < len(items) else {}
        self.answer_json(200, {"kind": "List", "metadata": more, "items": items[begins:rest]})

    def _log(self, name: str, query: Mapping[str, str]) -> None:
        text = self.cluster.logs.get((name, query.get("container", "")))
        if text is None:
            self._say(400, f'container "{query.get("container")}" in pod "{name}" is waiting to start')
            return
        lines = text.splitlines(keepends=True)
        if "tailLines" in query:
            lines = lines[len(lines) - min(len(lines), int(query["tailLines"])) :]
        self.answer(200, b"".join(lines))

    def _faulty(self, path: str) -> bool:
        with self.cluster.lock:
            waiting = self.cluster.faults.get(path) or self.cluster.faults.get("*")
            if not waiting:
                return False
            status, headers, body = waiting.pop(0)
        self.answer(status, body, headers)
        return True

    def _say(self, status: int, message: str) -> None:
        self.answer_json(status, {"kind": "Status", "status": "Failure", "message": message, "code": status})


def _selected(item: Object, space: str, query: Mapping[str, str]) -> bool:
    meta = item["metadata"]
    wanted = [pair.partition("=")[::2] for pair in query.get("labelSelector", "").split(",") if pair]
    return (not space or meta.get("namespace") == space) and all(
        (meta.get("labels") or {}).get(key) == value for key, value in wanted
    )


@contextmanager
def fake_api(cluster: FakeCluster, folder: Path) -> Iterator[ClusterApi]:
    """Within, the official client talks to this cluster."""
    handler = type("Handler", (_Handler,), {"cluster": cluster})
    with served(handler) as address:
        yield connect(CONTEXT, configuration=write_kubeconfig(folder, f"http://{address}"), pause_s=0)


def write_kubeconfig(folder: Path, server: str) -> str:
    """Write a configuration that knows this server; return its path."""
    file = folder / "kubeconfig"
    configuration = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": {"server": server}}],
        "users": [{"name": CONTEXT, "user": {"token": "a-token"}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        "current-context": CONTEXT,
    }
    file.write_text(json.dumps(configuration), "utf-8")
    return str(file)
