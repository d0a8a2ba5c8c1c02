"""Tells what Jobs print while a deployment waits for them."""

from collections.abc import Callable

from .kubectl import Kubectl
from .pod_logs import POLL_S, Pod, PodLogs


class JobLog(PodLogs):
    """Within, every line that new pods of these labels print is reported; earlier pods are left alone."""

    def __init__(
        self, kubectl: Kubectl, namespace: str, labels: str, tell: Callable[[str], object], *, poll_s: float = POLL_S
    ) -> None:
        super().__init__(kubectl, namespace, labels, poll_s=poll_s)
        self._tell = tell

    def __enter__(self) -> "JobLog":
        self._start()
        return self

    def _run(self, pod: Pod) -> str:
        name: str = pod["metadata"]["name"]
        return name

    def _started(self, pod: Pod) -> bool:
        return pod.get("status", {}).get("phase") not in (None, "Pending")

    def _line(self, pod: str, line: str) -> None:  # noqa: ARG002
        self._tell(line.rstrip())
