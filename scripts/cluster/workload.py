"""One workload of a cluster, handed over to kubectl: its logs, a shell in it, a restart, the state of its pods."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.core.errors import ExitCode, OperatorError

from .kubectl import Kubectl


@dataclass(frozen=True)
class PodState:
    """One pod as Kubernetes reports it."""

    name: str
    engine: str
    """The workload that it belongs to."""
    ready: bool
    restarts: int
    node: str
    trouble: str
    """Why it does not run, in the words of Kubernetes; empty when it does."""

    def __str__(self) -> str:
        how = "ready" if self.ready else self.trouble or "not ready"
        return f"{self.name} on {self.node or 'no node yet'}: {how}, {self.restarts} restarts"


@dataclass(frozen=True)
class Workload:
    """A Deployment or StatefulSet, named as kubectl does: `deployment/open-webui`."""

    kubectl: Kubectl
    namespace: str
    name: str
    selector: str = ""
    """Labels of its pods, where the logs of all of them are wanted."""
    container: str = ""
    """Container to enter; empty for the first."""

    def logs(self, *, lines: int, follow: bool, previous: bool, container: str = "") -> int:
        """Print the log; return kubectl's exit status."""
        options = [f"--tail={lines}", *(["--follow"] if follow else []), *(["--previous"] if previous else [])]
        chosen = ["-c", container] if container else []
        if self.selector:
            pods = ["-l", self.selector, *chosen, "--prefix", "--max-log-requests=50"]
        else:
            pods = [self.name, *chosen]
        return self._hand_over("logs", *options, "-n", self.namespace, *pods)

    def shell(self, *program: str) -> int:
        """Open a program, `sh` where none is named, in a pod with this terminal; return its exit status."""
        container = ["-c", self.container] if self.container else []
        return self._hand_over("exec", "-it", "-n", self.namespace, self.name, *container, "--", *(program or ("sh",)))

    def restart(self, timeout_s: int) -> None:
        """Replace all pods and wait until the new ones are ready. Raises OperatorError when they are not in time."""
        self.kubectl.run("rollout", "restart", self.name, "-n", self.namespace)
        self.kubectl.run(
            *("rollout", "status", self.name, "-n", self.namespace, f"--timeout={timeout_s}s"),
            timeout_s=timeout_s + 60,
        )

    def _hand_over(self, *arguments: str) -> int:
        try:
            return subprocess.run(self.kubectl.command(*arguments), check=False).returncode  # noqa: S603
        except FileNotFoundError:
            raise OperatorError("kubectl is not installed", "az aks install-cli", ExitCode.NOT_READY) from None


def pod_state(pod: Mapping[str, Any], workload: str) -> PodState:
    """Return what Kubernetes reports of a pod; `workload` is what it belongs to."""
    status = pod.get("status", {})
    containers = status.get("containerStatuses") or []
    waiting = [
        f"{state['reason']}: {state['message']}" if state.get("message") else state["reason"]
        for container in [*(status.get("initContainerStatuses") or []), *containers]
        if (state := container.get("state", {}).get("waiting")) and state.get("reason")
    ]
    unscheduled = [
        str(condition.get("message", ""))
        for condition in status.get("conditions") or []
        if condition["type"] == "PodScheduled" and condition["status"] == "False"
    ]
    return PodState(
        name=pod["metadata"]["name"],
        engine=workload,
        ready=bool(containers) and all(container.get("ready") for container in containers),
        restarts=sum(container.get("restartCount", 0) for container in containers),
        node=pod.get("spec", {}).get("nodeName", ""),
        trouble="; ".join([*unscheduled, *waiting]),
    )


def selector_of(workload: Mapping[str, Any]) -> str:
    """Return the labels of a workload's pods, as a selector."""
    labels = workload["spec"]["selector"].get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def settling(workload: Mapping[str, Any]) -> str:
    """Return what a Deployment, StatefulSet or DaemonSet lacks to run as it is described; empty for nothing."""
    status, spec = workload.get("status") or {}, workload["spec"]
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return "has a change that nobody has begun with"
    # A DaemonSet has no number of its own.
    daemon = "desiredNumberScheduled" in status
    desired = status["desiredNumberScheduled"] if daemon else spec.get("replicas", 1)
    ready = status.get("numberReady" if daemon else "readyReplicas", 0)
    if ready < desired:
        return f"{ready}/{desired}"
    updated = status.get("updatedNumberScheduled" if daemon else "updatedReplicas", 0)
    if updated < desired:
        return f"has replaced {updated} of {desired} pods"
    if status.get("replicas", desired) > desired:
        return "still has pods from before its last change"
    if status.get("currentRevision") != status.get("updateRevision"):
        return "is being rolled out"
    return ""
