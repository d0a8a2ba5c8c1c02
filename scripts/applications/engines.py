"""The running engines of the models: their state, their health and their workloads."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scripts.applications.engine_pools import node_hours, waits_for
from scripts.applications.engine_probe import answer_problem, engine_headers
from scripts.applications.engine_scaling import EngineCluster, EngineState
from scripts.cluster.events import read
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.last_start import why_not_started
from scripts.cluster.workload import PodState, Workload, pod_state
from scripts.core import http as web
from scripts.core.checks import Check
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.serving.engines import OLLAMA_PORT, PROXY, PROXY_PORT, SERVING, ServingEngine
from stacks.platform.components.spill_over.release import RELEASE
from stacks.settings.models import Engine
from stacks.settings.serving import ServingSettings, SpillOverSettings

ROLLOUT_S = 3600


def chosen(engines: Sequence[ServingEngine], name: str | None) -> ServingEngine:
    """Return the engine of this name or of this model; the only one where none is named. Raises OperatorError."""
    found = [
        engine for engine in engines if name is None or name in (engine.name, *(model.name for model in engine.models))
    ]
    if len(found) == 1:
        return found[0]
    known = ", ".join(model.name for engine in engines for model in engine.models) or "none"
    what = f"no such model: {name}" if name else f"{len(engines)} engines to choose from"
    raise OperatorError(what, f"name one of: {known}", ExitCode.USAGE)


@dataclass(frozen=True)
class Engines:
    """The engines of one environment."""

    kubectl: Kubectl

    def states(self, engines: Iterable[ServingEngine]) -> list[EngineState]:
        """Return replicas and scaling of the engines. Raises OperatorError."""
        names = {engine.name for engine in engines}
        return [state for state in EngineCluster(self.kubectl).states() if state.name in names]

    def pods(self, engines: Iterable[ServingEngine]) -> list[PodState]:
        """Return the pods of the engines. Raises OperatorError."""
        deployments = {engine.deployment: engine for engine in engines}
        found = []
        for pod in self.kubectl.items("pods", "-n", SERVING):
            owner = next((name for name in deployments if _belongs(pod, name)), None)
            if owner:
                state = pod_state(pod, deployments[owner].name)
                waits = waits_for(pod, deployments[owner])
                found.append(replace(state, trouble="; ".join(filter(None, [waits, state.trouble]))))
        return found

    def last_starts(self, engines: Iterable[ServingEngine]) -> dict[str, str]:
        """Return why engines did not come up within the last hour, by name; those that did are left out.

        Raises OperatorError.
        """
        events = [read(item) for item in self.kubectl.items("events", "-n", SERVING)]
        found = {engine.name: why_not_started(events, engine.deployment) for engine in engines}
        return {name: why for name, why in found.items() if why}

    def later_pools(self, given: SpillOverSettings) -> str:
        """Return what later pools have cost of their budget. Raises OperatorError."""
        found = self.kubectl.items("configmaps", "-n", RELEASE)
        notes = next((item for item in found if item["metadata"]["name"] == RELEASE), None)
        return node_hours(notes, given)

    def workload(self, engine: ServingEngine) -> Workload:
        """Return an engine's Deployment, for logs, a shell and a restart."""
        return Workload(self.kubectl, SERVING, f"deployment/{engine.deployment}")

    def restart(self, engine: ServingEngine) -> bool:
        """Replace the engine's pods and wait until the new ones are ready; return False when it has none.

        Raises OperatorError when they do not become ready.
        """
        (state,) = self.states([engine]) or (None,)
        if state is None or state.replicas == 0:
            return False
        self.workload(engine).restart(ROLLOUT_S)
        return True

    def checks(self, serving: ServingSettings, engine: ServingEngine, *, answer: bool) -> list[Check]:
        """Return how the engine is. An engine at zero is not started, unless an `answer` is asked for."""
        states = self.states([engine])
        if not states:
            return [Check(engine.name, "has no scaler: the release `scaling` is not deployed")]
        (state,) = states
        if state.suspended:
            return [Check(f"{engine.name}: suspended", "llmctl gpu resume lets it scale again" if answer else "")]
        checks = [self._front(engine)]
        if state.replicas == 0 and not answer:
            return [*checks, Check(f"{engine.name}: scaled to zero, the next request starts it", "")]
        if state.replicas:
            ready = "" if state.ready >= state.replicas else f"{state.ready} of {state.replicas} ready"
            checks += [Check(f"{engine.name}: pods", ready), *([] if ready else [self._models(engine)])]
        if answer:
            checks.append(Check(f"{engine.name}: answer", answer_problem(self.kubectl, serving, engine)))
        return checks

    def _front(self, engine: ServingEngine) -> Check:
        title = f"{engine.name}: front"
        try:
            with self.kubectl.forwarded(SERVING, PROXY, PROXY_PORT) as base:
                answer = web.get(f"{base}/{engine.name}/v1/models")
        except (OperatorError, web.NoAnswerError) as error:
            return Check(title, str(error))
        return Check(title, _missing(answer, "data", "id", _known_as(engine)))

    def _models(self, engine: ServingEngine) -> Check:
        """Ask the engine itself which models it has: a ready Ollama may have none."""
        title = f"{engine.name}: models"
        vllm = engine.engine is Engine.VLLM
        path, key, name = ("/v1/models", "data", "id") if vllm else ("/api/tags", "models", "name")
        port = engine.service_port if vllm else OLLAMA_PORT
        try:
            with self.kubectl.forwarded(SERVING, engine.service, port) as base:
                answer = web.get(f"{base}{path}", headers=engine_headers(self.kubectl, engine))
        except (OperatorError, web.NoAnswerError) as error:
            return Check(title, str(error))
        return Check(title, _missing(answer, key, name, _known_as(engine)))


def _known_as(engine: ServingEngine) -> list[str]:
    return [engine.served_id(model) for model in engine.models]


def _missing(answer: web.Answer, key: str, name: str, expected: Sequence[str]) -> str:
    if answer.status != 200:
        return f"answers {answer.status}"
    try:
        listed = {str(item[name]).removesuffix(":latest") for item in json.loads(answer.body)[key]}
    except (ValueError, KeyError, TypeError):
        return "answers with something else than a list of models"
    missing = [model for model in expected if model.removesuffix(":latest") not in listed]
    return f"does not list {', '.join(missing)}" if missing else ""


def _belongs(pod: dict[str, Any], deployment: str) -> bool:
    """Whether a ReplicaSet of the Deployment owns the pod: its name is the Deployment's and a hash."""
    owners = pod["metadata"].get("ownerReferences") or []
    return any(owner["kind"] == "ReplicaSet" and owner["name"].rpartition("-")[0] == deployment for owner in owners)
