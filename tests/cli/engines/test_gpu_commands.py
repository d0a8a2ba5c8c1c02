"""`llmctl gpu` pauses KEDA's scalers instead of fighting them, and says what it found."""

from typing import Any

import pytest

from scripts.applications.engine_scaling import EngineCluster
from scripts.cluster.autoscalers import PAUSED
from scripts.core.errors import OperatorError


class Cluster:
    """Two engines, and a KEDA that takes a paused one to zero when it is next looked at."""

    def __init__(self, *, keda_works: bool = True) -> None:
        self.annotations: dict[str, dict[str, str]] = {"ollama-t4": {}, "vllm-qwen": {"note": "kept"}}
        self.replicas = {"ollama-t4": 1, "vllm-qwen": 2}
        self.keda_works = keda_works

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        kind, *rest = arguments
        assert rest == ["-n", "serving"]
        if kind == "deployments":
            return [self._deployment(name) for name in (*self.replicas, "serving-front")]
        return [
            {
                "metadata": {"name": name, **({"annotations": noted} if noted else {})},
                "spec": {"scaleTargetRef": {"name": name}, "minReplicaCount": 0, "maxReplicaCount": 3},
            }
            for name, noted in self.annotations.items()
        ]

    def run(self, *arguments: str) -> str:
        verb, kind, name, option, namespace, *words = arguments
        assert (verb, kind, option, namespace) == ("annotate", "scaledobjects.keda.sh", "-n", "serving")
        noted = self.annotations[name]
        if words == [f"{PAUSED}-"]:
            noted.pop(PAUSED, None)
        else:
            assert words == ["--overwrite", f"{PAUSED}=0"]
            noted[PAUSED] = "0"
        return ""

    def tick(self, _seconds: float) -> None:
        """Let KEDA look at its scalers, as it does while a command waits."""
        for name, noted in self.annotations.items():
            if self.keda_works and PAUSED in noted:
                self.replicas[name] = int(noted[PAUSED])

    def _deployment(self, name: str) -> dict[str, Any]:
        count = self.replicas.get(name, 1)
        return {"metadata": {"name": name}, "spec": {"replicas": count}, "status": {"readyReplicas": count}}


def _on(cluster: Cluster) -> EngineCluster:
    return EngineCluster(cluster, cluster.tick)


def test_suspended_engines_are_at_zero_when_the_command_ends() -> None:
    cluster = Cluster()
    states = _on(cluster).suspend([])
    assert {state.name: (state.replicas, state.suspended) for state in states} == {
        "ollama-t4": (0, True),
        "vllm-qwen": (0, True),
    }


def test_one_engine_can_be_suspended_alone() -> None:
    cluster = Cluster()
    _on(cluster).suspend(["ollama-t4"])
    assert cluster.replicas == {"ollama-t4": 0, "vllm-qwen": 2}


def test_resumed_engines_scale_again_and_keep_other_notes() -> None:
    cluster = Cluster()
    _on(cluster).suspend([])
    _on(cluster).resume([])
    assert cluster.annotations == {"ollama-t4": {}, "vllm-qwen": {"note": "kept"}}
    assert not any(state.suspended for state in _on(cluster).states())


def test_unknown_engine_changes_nothing_and_tells_the_known_ones() -> None:
    cluster = Cluster()
    with pytest.raises(OperatorError, match="no such engine: gpt") as refusal:
        _on(cluster).suspend(["ollama-t4", "gpt"])
    assert refusal.value.fix == "the engines are: ollama-t4, vllm-qwen"
    assert cluster.annotations["ollama-t4"] == {}


def test_engine_that_keda_does_not_take_down_is_named() -> None:
    cluster = Cluster(keda_works=False)
    with pytest.raises(OperatorError, match="not taken ollama-t4, vllm-qwen to zero"):
        _on(cluster).suspend([])


def test_state_is_that_of_the_deployment_behind_the_scaler() -> None:
    (ollama, vllm) = _on(Cluster()).states()
    assert (ollama.replicas, ollama.ready, ollama.suspended, ollama.most) == (1, 1, False, 3)
    assert (vllm.replicas, vllm.deployment) == (2, "vllm-qwen")
