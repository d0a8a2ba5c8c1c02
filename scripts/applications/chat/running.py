"""The running chat, Open WebUI: its state, its health and its workload."""

from dataclasses import dataclass
from typing import Any

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.workload import PodState, Workload, pod_state
from scripts.core import http as web
from scripts.core.checks import Check
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.chat.names import NAMESPACE, PODS, RELEASE, SERVICE_PORT

DEPLOYMENT = f"deployment/{RELEASE}"
SELECTOR = ",".join(f"{key}={value}" for key, value in PODS.items())
ROLLOUT_S = 1800
HEALTH = {"/health": "server", "/health/db": "database", "/ready": "start, database and Redis together"}
"""Paths that answer without a login, and what each of them asks."""


@dataclass(frozen=True)
class ChatState:
    """The chat as the cluster has it."""

    replicas: int
    ready: int
    least: int
    most: int
    images: tuple[str, ...]
    """Images of its running pods; more than one means two versions on one database."""
    pods: tuple[PodState, ...]


@dataclass(frozen=True)
class Chat:
    """The chat of one environment."""

    kubectl: Kubectl

    def state(self) -> ChatState:
        """Return replicas, their bounds and the pods. Raises OperatorError when the chat is not deployed."""
        found = [item for item in self.kubectl.items("deployments", "-n", NAMESPACE) if _named(item)]
        if not found:
            raise OperatorError("the chat is not deployed", "llmctl deploy", ExitCode.NOT_READY)
        scaling: dict[str, Any] = next(
            (item["spec"] for item in self.kubectl.items("hpa", "-n", NAMESPACE) if _named(item)), {}
        )
        pods = self.kubectl.items("pods", "-n", NAMESPACE, "-l", SELECTOR)
        replicas = int(found[0]["spec"].get("replicas", 1))
        return ChatState(
            replicas=replicas,
            ready=int(found[0].get("status", {}).get("readyReplicas", 0)),
            least=int(scaling.get("minReplicas", replicas)),
            most=int(scaling.get("maxReplicas", replicas)),
            images=tuple(sorted({c["image"] for pod in pods for c in pod["spec"]["containers"]})),
            pods=tuple(pod_state(pod, RELEASE) for pod in pods),
        )

    def checks(self) -> list[Check]:
        """Return how the chat is, asked inside the cluster, past the login."""
        try:
            state = self.state()
        except OperatorError as error:
            return [Check("chat", error.message)]
        late = "" if state.ready >= max(state.replicas, 1) else f"{state.ready} of {state.replicas} ready"
        mixed = "" if len(state.images) < 2 else f"pods run {' and '.join(state.images)} on one database"
        return [Check("pods", late), Check("one version", mixed), *self._health()]

    @property
    def workload(self) -> Workload:
        """Its Deployment, for logs, a shell and a restart. The version stays: only a deployment changes it."""
        return Workload(self.kubectl, NAMESPACE, DEPLOYMENT, SELECTOR, RELEASE)

    def _health(self) -> list[Check]:
        try:
            with self.kubectl.forwarded(NAMESPACE, RELEASE, SERVICE_PORT) as base:
                return [Check(what, _problem(f"{base}{path}")) for path, what in HEALTH.items()]
        except OperatorError as error:
            return [Check("server", error.message)]


def _named(item: dict[str, dict[str, str]]) -> bool:
    return item["metadata"]["name"] == RELEASE


def _problem(url: str) -> str:
    try:
        answer = web.get(url)
    except web.NoAnswerError as error:
        return str(error)
    return "" if answer.status == 200 else f"answers {answer.status}"
