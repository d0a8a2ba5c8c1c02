"""Follows the schema migrations of new backend pods while a deployment waits for them."""

import re
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from .errors import OperatorError
from .kubectl import Kubectl, stopped_after
from .opik_cluster import BACKEND_PODS, MIGRATIONS, NAMESPACE

POLL_S = 3.0
GRACE_S = 2.0
_CHANGESET = re.compile(r"(?:Running Changeset|ChangeSet|Change set)[:\s]+\S*?::(?P<name>[^:\s]+)::\S+", re.IGNORECASE)
_END = re.compile(r"Database migrations (?:completed|FAILED)")


class MigrationLog:
    """Within, every line that a new pod's migrations print is written to `file`, and each migration is told.

    Pods that stood before are left alone. A container that starts again is followed again.
    """

    def __init__(self, kubectl: Kubectl, file: Path, tell: Callable[[str], object], *, poll_s: float = POLL_S) -> None:
        self._kubectl = kubectl
        self._file = file
        self._tell = tell
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._followers: list[tuple[threading.Thread, subprocess.Popen[str]]] = []
        self._seen: set[tuple[str, int]] = set()
        self._told: set[str] = set()
        self._writing = threading.Lock()
        self.migrated: list[str] = []
        """Migrations that have been seen running, in their order."""

    def __enter__(self) -> "MigrationLog":
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text("", "utf-8")
        try:
            self._seen = {_run(pod) for pod in self._pods()}
        except OperatorError:
            # No namespace yet: all pods will be new.
            self._seen = set()
        self._thread.start()
        return self

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

    def _pods(self) -> list[dict[str, Any]]:
        return self._kubectl.items("pods", "-n", NAMESPACE, "-l", BACKEND_PODS)

    def _watch(self) -> None:
        while not self._stop.is_set():
            # Following is a service: the deployment itself tells what is wrong.
            with suppress(OperatorError):
                self._look()
            self._stop.wait(self._poll_s)

    def _look(self) -> None:
        for pod in self._pods():
            run = _run(pod)
            if run in self._seen or not _started(pod):
                continue
            self._seen.add(run)
            process = self._kubectl.follow("logs", "-f", "-n", NAMESPACE, run[0], "-c", MIGRATIONS)
            follower = threading.Thread(target=self._follow, args=(run[0], process), daemon=True)
            self._followers.append((follower, process))
            follower.start()

    def _follow(self, pod: str, process: "subprocess.Popen[str]") -> None:
        with stopped_after(process):
            assert process.stdout is not None
            for line in process.stdout:
                self._line(pod, line)

    def _line(self, pod: str, line: str) -> None:
        with self._writing:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{pod}: {line}")
            match = _CHANGESET.search(line)
            if match and match["name"] not in self._told:
                self._told.add(match["name"])
                self.migrated.append(match["name"])
                self._tell(f"migrating: {match['name']}")
            elif _END.search(line):
                self._tell(line.strip())


def _container(pod: dict[str, Any]) -> dict[str, Any]:
    statuses = pod.get("status", {}).get("initContainerStatuses") or []
    return next((status for status in statuses if status["name"] == MIGRATIONS), {})


def _run(pod: dict[str, Any]) -> tuple[str, int]:
    """Return what tells one run of the migrations from the next."""
    return pod["metadata"]["name"], int(_container(pod).get("restartCount", 0))


def _started(pod: dict[str, Any]) -> bool:
    state = _container(pod).get("state", {})
    return "running" in state or "terminated" in state
