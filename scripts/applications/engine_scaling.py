"""The engines in their cluster: how many replicas they have, and whether their scaling is suspended."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scripts.cluster.autoscalers import PAUSED
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.serving.engines import SERVING

SCALERS = "scaledobjects.keda.sh"
SETTLING_S = 120
POLL_S = 3


Item = Mapping[str, Any]


class Asks(Protocol):
    """What is needed of kubectl."""

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the objects of a list."""

    def run(self, *arguments: str) -> str:
        """Return what a command prints."""


@dataclass(frozen=True)
class EngineState:
    """One engine as the cluster has it."""

    name: str
    deployment: str
    replicas: int
    """Replicas that it shall have."""
    ready: int
    suspended: bool
    least: int
    most: int


@dataclass(frozen=True)
class EngineCluster:
    """Reads and changes the scaling of an environment's engines."""

    kubectl: Asks
    sleep: Callable[[float], None] = time.sleep

    def states(self) -> list[EngineState]:
        """Return every engine, by name. Raises OperatorError."""
        return engine_states(
            self.kubectl.items(SCALERS, "-n", SERVING), self.kubectl.items("deployments", "-n", SERVING)
        )

    def suspend(self, names: Sequence[str]) -> list[EngineState]:
        """Hold engines at zero and return them once they are there; none named means all.

        Raises OperatorError for an unknown name, and when an engine is not at zero in time.
        """
        chosen = self._chosen(names)
        for state in chosen:
            self.kubectl.run("annotate", SCALERS, state.name, "-n", SERVING, "--overwrite", f"{PAUSED}=0")
        for _ in range(SETTLING_S // POLL_S):
            now = [state for state in self.states() if state.name in {one.name for one in chosen}]
            if all(state.replicas == 0 for state in now):
                return now
            self.sleep(POLL_S)
        late = ", ".join(state.name for state in now if state.replicas)
        raise OperatorError(
            f"KEDA has not taken {late} to zero within {SETTLING_S} s",
            "look at `kubectl -n kube-system logs deploy/keda-operator`",
        )

    def resume(self, names: Sequence[str]) -> list[EngineState]:
        """Let engines scale again and return them; none named means all. Raises OperatorError."""
        chosen = self._chosen(names)
        for state in chosen:
            self.kubectl.run("annotate", SCALERS, state.name, "-n", SERVING, f"{PAUSED}-")
        return chosen

    def _chosen(self, names: Sequence[str]) -> list[EngineState]:
        states = self.states()
        if unknown := sorted(set(names) - {state.name for state in states}):
            known = ", ".join(state.name for state in states) or "none"
            raise OperatorError(f"no such engine: {', '.join(unknown)}", f"the engines are: {known}", ExitCode.USAGE)
        return [state for state in states if not names or state.name in names]


def engine_states(scalers: Iterable[Item], deployments: Iterable[Item]) -> list[EngineState]:
    """Return the engines among what the API lists, by name."""
    by_name = {item["metadata"]["name"]: item for item in deployments if _serves(item)}
    return sorted((_state(scaler, by_name) for scaler in scalers if _serves(scaler)), key=lambda state: state.name)


def _serves(item: Item) -> bool:
    # A list of one namespace need not say it.
    return bool(item["metadata"].get("namespace", SERVING) == SERVING)


def _state(scaler: Item, deployments: Mapping[str, Item]) -> EngineState:
    spec = scaler["spec"]
    target = spec["scaleTargetRef"]["name"]
    deployment: Item = deployments.get(target, {})
    return EngineState(
        name=scaler["metadata"]["name"],
        deployment=target,
        replicas=deployment.get("spec", {}).get("replicas", 0),
        ready=deployment.get("status", {}).get("readyReplicas", 0),
        suspended=PAUSED in scaler["metadata"].get("annotations", {}),
        least=spec.get("minReplicaCount", 0),
        most=spec.get("maxReplicaCount", 100),
    )
