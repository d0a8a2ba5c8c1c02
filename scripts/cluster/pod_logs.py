"""Follows what new pods print while a deployment waits for them."""

import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Hashable
from contextlib import suppress
from types import TracebackType
from typing import Any

from scripts.core.errors import OperatorError

from .kubectl import Kubectl, stopped_after

POLL_S = 3.0
GRACE_S = 2.0

Pod = dict[str, Any]


class PodLogs(ABC):
    """Within, every line that new pods of these labels print is handed to `_line`; what ran before is left alone."""

    container: tuple[str, ...] = ()
    """Arguments of `kubectl logs` that choose the container; none for a pod's only one."""

    def __init__(self, kubectl: Kubectl, namespace: str, labels: str, *, poll_s: float = POLL_S) -> None:
        self._kubectl = kubectl
        self._namespace = namespace
        self._labels = labels
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._followers: list[tuple[threading.Thread, subprocess.Popen[str]]] = []
        self._seen: set[Hashable] = set()

    @abstractmethod
    def _run(self, pod: Pod) -> Hashable:
        """Return what tells one run of the container from the next."""

    @abstractmethod
    def _started(self, pod: Pod) -> bool:
        """Tell whether the container has a log."""

    @abstractmethod
    def _line(self, pod: str, line: str) -> None:
        """Take one line, with its end; called from several threads."""

    def _start(self) -> None:
        # No namespace yet: all pods will be new.
        with suppress(OperatorError):
            self._seen = {self._run(pod) for pod in self._pods()}
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for follower, process in self._followers:
            # What the container has said is on its way; only a log that goes on has to be cut off.
            follower.join(GRACE_S)
            process.terminate()
            follower.join()

    def _pods(self) -> list[Pod]:
        return self._kubectl.items("pods", "-n", self._namespace, "-l", self._labels)

    def _watch(self) -> None:
        while not self._stop.is_set():
            # Following is a service: the deployment itself tells what is wrong.
            with suppress(OperatorError):
                self._look()
            self._stop.wait(self._poll_s)

    def _look(self) -> None:
        for pod in self._pods():
            run = self._run(pod)
            if run in self._seen or not self._started(pod):
                continue
            self._seen.add(run)
            name = pod["metadata"]["name"]
            process = self._kubectl.follow("logs", "-f", "-n", self._namespace, name, *self.container)
            follower = threading.Thread(target=self._follow, args=(name, process), daemon=True)
            self._followers.append((follower, process))
            follower.start()

    def _follow(self, pod: str, process: "subprocess.Popen[str]") -> None:
        with stopped_after(process):
            assert process.stdout is not None
            for line in process.stdout:
                self._line(pod, line)
