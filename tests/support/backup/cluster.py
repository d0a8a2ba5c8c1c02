"""A cluster in memory with Opik's workloads, for what stops and starts its writes."""

import base64
import copy
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.backup.quiesce import Clock
from scripts.backup.stores import Stores
from scripts.cluster.kubectl import Kubectl, KubectlError

BEGUN = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)


class FakeKubectl(Kubectl):
    """kubectl on a cluster in memory; `before` is called with every command and raises what shall go wrong."""

    def __init__(self) -> None:
        super().__init__("fake")
        state: dict[str, Any] = {
            "deployments": {name: _deployment(name, replicas) for name, replicas in WRITING.items()},
            "jobs": {},
            "calls": [],
        }
        self.__dict__.update(state)

    deployments: dict[str, dict[str, Any]]
    jobs: dict[str, dict[str, Any]]
    calls: list[tuple[str, ...]]

    @staticmethod
    def before(_call: tuple[str, ...]) -> None:
        """Let every command pass."""

    def run(self, *arguments: str, timeout_s: float = 0, given: str | None = None) -> str:  # noqa: ARG002
        """Do what a command says."""
        self.calls.append(arguments)
        self.before(arguments)
        if arguments[:2] == ("patch", "deployment"):
            self._patch(self.deployments[arguments[2]], json.loads(arguments[arguments.index("-p") + 1]))
        elif arguments[:2] == ("rollout", "status"):
            assert self.deployments[arguments[2].removeprefix("deployment/")]
        elif arguments[:2] == ("delete", "job"):
            self.jobs.pop(arguments[2], None)
        elif arguments[0] == "create":
            made = json.loads(given or "")
            self.jobs[made["metadata"]["name"]] = made
        else:
            raise KubectlError(f"unknown: {arguments}")
        return ""

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """Return objects of a kind."""
        self.calls.append(("get", *arguments))
        self.before(("get", *arguments))
        if arguments[0] == "deployments":
            return copy.deepcopy(list(self.deployments.values()))
        if arguments[0] == "pods" and "-l" in arguments:
            name = arguments[arguments.index("-l") + 1].removeprefix("component=")
            return [{"metadata": {"name": f"{name}-1"}}] * self.deployments[name]["spec"]["replicas"]
        if arguments[0] == "pods":
            status = {"image": "docker.io/library/mysql:8.4.2", "imageID": f"docker.io/library/mysql@{DIGEST}"}
            return [{"status": {"containerStatuses": [status]}}]
        if arguments[0] == "secrets":
            raise KubectlError('kubectl get failed: secrets is forbidden: User "backup" cannot list resource "secrets"')
        if arguments[0] == "configmaps":
            return [release("opik", "opik", "opik", "2.1.23", 7)]
        raise KubectlError(f"unknown: {arguments}")

    @property
    def replicas(self) -> dict[str, int]:
        """Replicas by Deployment."""
        return {name: found["spec"]["replicas"] for name, found in self.deployments.items()}

    @property
    def marks(self) -> dict[str, str]:
        """All annotations that are left."""
        found = [item["metadata"].get("annotations") or {} for item in self.deployments.values()]
        return {key: value for annotations in found for key, value in annotations.items()}

    @staticmethod
    def _patch(item: dict[str, Any], change: dict[str, Any]) -> None:
        annotations = item["metadata"].setdefault("annotations", {})
        for key, value in change["metadata"]["annotations"].items():
            annotations.pop(key, None) if value is None else annotations.__setitem__(key, value)
        item["spec"] |= change.get("spec", {})


WRITING = {"opik-backend": 3, "opik-python-backend": 1, "opik-frontend": 2}
DIGEST = "sha256:" + "a" * 64


def _deployment(name: str, replicas: int) -> dict[str, Any]:
    spec = {"replicas": replicas, "selector": {"matchLabels": {"component": name}}}
    return {"metadata": {"name": name}, "spec": spec}


def release(namespace: str, name: str, chart: str, version: str, revision: int) -> dict[str, Any]:
    """Return the record that Helm keeps of a release."""
    found = {"name": name, "version": revision, "chart": {"metadata": {"name": chart, "version": version}}}
    encoded = base64.b64encode(gzip.compress(json.dumps(found).encode())).decode()
    metadata = {"name": f"sh.helm.release.v1.{name}.v{revision}", "namespace": namespace}
    return {"kind": "ConfigMap", "metadata": metadata, "data": {"release": encoded}}


@dataclass
class FakeStores:
    """Stores that answer from a few numbers, and note what they were asked."""

    merging: list[int] = field(default_factory=lambda: [2, 0])
    """What ClickHouse says of its merges, one question after the other; the last answer stays."""
    read_only: str = ""
    told: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda _pod, _what: None
    traces: int = 1000

    @property
    def merges_stopped(self) -> bool:
        """Whether ClickHouse's merges are stopped now."""
        orders = [what for _, what in self.told if "MERGES" in what and "system.merges" not in what]
        return bool(orders) and "STOP MERGES" in orders[-1]

    def stores(self) -> Stores:
        """Return what production code asks."""

        def run_in(pod: str, script: str, *, container: str = "", argument: str = "") -> str:
            what = argument or script
            self.before(pod, what)
            self.told.append((pod, what))
            if "system.merges" in what:
                return f"{self.merging.pop(0) if len(self.merging) > 1 else self.merging[0]}\n"
            if "system.replicas" in what:
                return self.read_only
            if "projects" in what:
                return "projects\t4\ndatasets\t2\nprompts\t1\n"
            if "traces" in what:
                return f"spans\t5000\ntraces\t{self.traces}\n"
            assert container == ("clickhouse" if pod.startswith("chi-") else "")
            return ""

        return Stores(run_in)


class FakeClock:
    """Time that passes as somebody waits, and by a little with every look."""

    def __init__(self, begun: datetime = BEGUN) -> None:
        self.at = 0.0
        self.begun = begun

    def clock(self) -> Clock:
        """Return what production code asks."""
        return Clock(now=self._now, sleep=self._sleep, utc=lambda: self.begun + timedelta(seconds=self._now()))

    def _now(self) -> float:
        self.at += 0.05
        return self.at

    def _sleep(self, seconds: float) -> None:
        self.at += seconds
