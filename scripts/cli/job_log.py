"""Tells what Jobs print while a deployment waits for them."""

import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

from .errors import OperatorError
from .kubectl import Kubectl, stopped_after

POLL_S = 3.0
GRACE_S = 2.0


class JobLog:
    """Within, every line that new pods of these labels print is told; pods that stood before are left alone."""

    def __init__(
        self, kubectl: Kubectl, namespace: str, labels: str, tell: Callable[[str], object], *, poll_s: float = POLL_S
    ) -> None:
        self._kubectl = kubectl
        self._namespace = namespace
        self._labels = labels
        self._tell = tell
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._followers: list[tuple[threading.Thread, subprocess.Popen[str]]] = []
        self._seen: set[str] = set()

    def __enter__(self) -> "JobLog":
        # No namespace yet: all pods will be new.
        with suppress(OperatorError):
            self._seen = {pod["metadata"]["name"] for pod in self._pods()}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for follower, process in self._followers:
            # What the pod has said is on its way; only a log that goes on has to be cut off.
            follower.join(GRACE_S)
            process.terminate()
            follower.join()

    def _pods(self) -> list[dict[str, Any]]:
        return self._kubectl.items("pods", "-n", self._namespace, "-l", self._labels)

    def _watch(self) -> None:
        while not self._stop.is_set():
            # Following is a service: the deployment itself tells what is wrong.
            with suppress(OperatorError):
                self._look()
            self._stop.wait(self._poll_s)

    def _look(self) -> None:
        for pod in self._pods():
            name = pod["metadata"]["name"]
            if name in self._seen or pod.get("status", {}).get("phase") in (None, "Pending"):
                continue
            self._seen.add(name)
            process = self._kubectl.follow("logs", "-f", "-n", self._namespace, name)
            follower = threading.Thread(target=self._follow, args=(process,), daemon=True)
            self._followers.append((follower, process))
            follower.start()

    def _follow(self, process: "subprocess.Popen[str]") -> None:
        with stopped_after(process):
            assert process.stdout is not None
            for line in process.stdout:
                self._tell(line.rstrip())
