"""Restarts, stops, starts and scales parts, beside the autoscalers that own some of them.

Who owns the number of pods decides how a part stops: KEDA holds a ScaledObject's workload by an annotation, and gives
it back with its range; anything else is scaled to zero with a note of how many pods it had. A HorizontalPodAutoscaler
leaves a workload at zero alone.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.common.parts import Part

from .api import ClusterApi, ClusterError, Object
from .autoscalers import PAUSED, Autoscaler, autoscaler_of
from .pausing import REPLICAS_BEFORE
from .workload import selector_of, settling

PAUSED_BEFORE = "platform/paused-replicas-before"
"""Annotation of a ScaledObject that `stop` paused: what it was paused at already, empty for not at all."""
RESTARTED = "kubectl.kubernetes.io/restartedAt"
PATIENCE_S = 3600.0
"""A pod of the chat ends after its answers, which may wait half an hour for a GPU."""
POLL_S = 2.0


@dataclass(frozen=True)
class Clock:
    """Time, which tests do not wait for."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Operating:
    """Parts of one environment's cluster."""

    api: ClusterApi
    clock: Clock = field(default_factory=Clock)
    patience_s: float = PATIENCE_S

    def there(self, parts: Iterable[Part]) -> list[tuple[Part, Object]]:
        """Return the parts that the cluster has, with what runs each. Raises ClusterError."""
        parts = list(parts)
        places = sorted({(f"{part.kind}s", part.namespace) for part in parts})
        found = {
            (plural, namespace, item["metadata"]["name"]): item
            for plural, namespace in places
            for item in self.api.items(plural, namespace)
        }
        keys = [(part, (f"{part.kind}s", part.namespace, part.workload_name)) for part in parts]
        return [(part, found[key]) for part, key in keys if key in found]

    def restart(self, part: Part, *, force: bool = False) -> bool:
        """Replace a part's pods and wait until the new ones are ready; return False where it has none.

        Pods of a Deployment whose strategy ends all before the first new one starts are evicted one after the other,
        where there are several. Raises OperatorError (REFUSED) where a disruption budget lets no pod go, unless by
        `force`, and when the new pods are not ready in time.
        """
        workload = self._read(part)
        if not _desired(workload):
            return False
        if not force:
            self._require_budget(part, workload)
        status = workload.get("status") or {}
        # Pods of two versions are the rollout's to replace.
        alike = status.get("updatedReplicas", 0) == status.get("replicas", 0)
        if _strategy(workload) == "Recreate" and _desired(workload) > 1 and alike:
            for pod in self._pods(part, workload):
                self._replace(part, workload, pod)
        else:
            moment = datetime.now(UTC).isoformat(timespec="seconds")
            self._patch(part, {"spec": {"template": {"metadata": {"annotations": {RESTARTED: moment}}}}})
        self._until_settled(part)
        return True

    def stop(self, part: Part) -> bool:
        """Take a part to zero pods and wait until they are gone; return False where it runs on every node.

        What is stopped already keeps the number that it had before. Raises OperatorError.
        """
        if part.kind == "daemonset":
            return False
        workload = self._read(part)
        scaler = self._scaler(part)
        if scaler and scaler.keda:
            if PAUSED_BEFORE not in scaler.annotations:
                marks: dict[str, str | None] = {PAUSED: "0", PAUSED_BEFORE: scaler.annotations.get(PAUSED, "")}
                self._note(part, scaler, marks)
        elif replicas := _desired(workload):
            # Note and number in one write: nothing in between can lose the note.
            note = {"annotations": {REPLICAS_BEFORE: str(replicas)}}
            self._patch(part, {"metadata": note, "spec": {"replicas": 0}})
        self._until(lambda: not self._pods(part, workload), f"the pods of {part.name} end")
        return True

    def start(self, part: Part) -> bool:
        """Give a stopped part its pods back and wait until they are ready; return False where it was not stopped."""
        workload, scaler = self._read(part), self._scaler(part)
        if scaler and PAUSED_BEFORE in scaler.annotations:
            self._note(part, scaler, {PAUSED: scaler.annotations[PAUSED_BEFORE] or None, PAUSED_BEFORE: None})
            # KEDA decides how many there shall be; an engine may stay at zero until the first question.
            return True
        before = (workload["metadata"].get("annotations") or {}).get(REPLICAS_BEFORE)
        if before is None:
            return False
        change: dict[str, Any] = {"metadata": {"annotations": {REPLICAS_BEFORE: None}}}
        if not _desired(workload):
            change["spec"] = {"replicas": int(before)}
        self._patch(part, change)
        self._until_settled(part)
        return True

    def scale(self, part: Part, replicas: int) -> int:
        """Give a part another number of pods, wait until they are ready, and return the number before.

        Raises OperatorError (REFUSED) where an autoscaler or the number of its disks owns that number.
        """
        workload = self._read(part)
        if part.kind == "daemonset":
            raise _refusal(f"{part.name} runs on every node that needs it", "the number of nodes decides")
        if part.store and replicas > 1:
            raise _refusal(f"{part.name} keeps its data on a disk of one pod", "`llmctl disks grow` gives it more room")
        if scaler := self._scaler(part):
            setting = part.replicas_setting or "its chart"
            raise _refusal(
                f"{scaler.name} decides how many pods {part.name} has ({scaler.range()}) and would undo this",
                f"set {setting} in the environment file and deploy; `llmctl stop` and `start` take it to zero and back",
            )
        before = _desired(workload)
        # A number given by hand is no stop that `start` would end.
        self._patch(part, {"metadata": {"annotations": {REPLICAS_BEFORE: None}}, "spec": {"replicas": replicas}})
        self._until_settled(part)
        return before

    def _read(self, part: Part) -> Object:
        try:
            return self.api.get(f"{part.kind}s", part.namespace, part.workload_name)
        except ClusterError as error:
            if error.status != 404:
                raise
            raise OperatorError(
                f"the cluster has no {part.workload} in {part.namespace}", "llmctl deploy", ExitCode.NOT_READY
            ) from None

    def _scaler(self, part: Part) -> Autoscaler | None:
        return autoscaler_of(self.api, part.namespace, part.workload_name) if part.kind == "deployment" else None

    def _patch(self, part: Part, change: dict[str, Any]) -> None:
        self.api.patch(f"{part.kind}s", part.namespace, part.workload_name, change)

    def _note(self, part: Part, scaler: Autoscaler, marks: dict[str, str | None]) -> None:
        change = {"metadata": {"annotations": marks}}
        self.api.patch(scaler.plural, part.namespace, scaler.object["metadata"]["name"], change)

    def _require_budget(self, part: Part, workload: Object) -> None:
        """Refuse where no pod that answers now may go, and the rollout would take one."""
        if not (workload.get("status") or {}).get("readyReplicas") or _loses_none(workload):
            return
        labels = (workload["spec"]["template"]["metadata"].get("labels") or {}).items()
        for budget in self.api.items("poddisruptionbudgets", part.namespace):
            wanted = (budget["spec"].get("selector") or {}).get("matchLabels") or {}
            status = budget.get("status") or {}
            if wanted and wanted.items() <= labels and not status.get("disruptionsAllowed", 0):
                healthy = f"{status.get('currentHealthy', 0)} of {status.get('expectedPods', 0)} pods are healthy"
                raise _refusal(
                    f"{part.name} may lose no pod now (PodDisruptionBudget {budget['metadata']['name']}: {healthy})",
                    "wait until `llmctl status` shows all of them ready, or add --force",
                )

    def _replace(self, part: Part, workload: Object, pod: Object) -> None:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]

        def evicted() -> bool:
            try:
                self.api.evict(part.namespace, name)
            except ClusterError as error:
                if error.status == 429:  # its disruption budget allows it later
                    return False
                if error.status != 404:
                    raise
            return True

        def replaced() -> bool:
            pods = self._pods(part, workload)
            there = {each["metadata"]["uid"] for each in pods}
            return uid not in there and sum(map(_ready, pods)) >= _desired(workload)

        self._until(evicted, f"the disruption budget lets {name} go")
        self._until(replaced, f"{name} has a successor")

    def _pods(self, part: Part, workload: Object) -> list[Object]:
        return self.api.items("pods", part.namespace, selector=selector_of(workload))

    def _until_settled(self, part: Part) -> None:
        self._until(lambda: not settling(self._read(part)), f"{part.name} is ready")

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = self.clock.now() + self.patience_s
        while not condition():
            if self.clock.now() >= deadline:
                raise OperatorError(
                    f"waited {self.patience_s:.0f} s in vain until {what}",
                    "`llmctl events` says why; running the command again goes on",
                )
            self.clock.sleep(POLL_S)


def _desired(workload: Object) -> int:
    if workload.get("kind") == "DaemonSet" or "replicas" not in workload["spec"]:
        return int((workload.get("status") or {}).get("desiredNumberScheduled", 1))
    return int(workload["spec"]["replicas"])


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _strategy(workload: Object) -> str:
    return str((workload["spec"].get("strategy") or {}).get("type", ""))


def _loses_none(workload: Object) -> bool:
    """Whether every new pod is ready before an old one ends; a share of few pods is rounded down to none."""
    if _strategy(workload) != "RollingUpdate":
        return False
    share = str((workload["spec"]["strategy"].get("rollingUpdate") or {}).get("maxUnavailable", "25%"))
    number = int(share.removesuffix("%"))
    return not (_desired(workload) * number // 100 if share.endswith("%") else number)


def _refusal(message: str, fix: str) -> OperatorError:
    return OperatorError(message, fix, ExitCode.REFUSED)
