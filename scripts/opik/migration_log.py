"""Follows the schema migrations of new backend pods while a deployment waits for them."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pod_logs import POLL_S, Pod, PodLogs
from scripts.opik.cluster import BACKEND_PODS, MIGRATIONS, NAMESPACE

_CHANGESET = re.compile(r"(?:Running Changeset|ChangeSet|Change set)[:\s]+\S*?::(?P<name>[^:\s]+)::\S+", re.IGNORECASE)
_END = re.compile(r"Database migrations (?:completed|FAILED)")


class MigrationLog(PodLogs):
    """Within, every line that a new pod's migrations print is written to `file`, and each migration is reported.

    Pods that stood before are left alone. A container that starts again is followed again.
    """

    container = ("-c", MIGRATIONS)

    def __init__(self, kubectl: Kubectl, file: Path, tell: Callable[[str], object], *, poll_s: float = POLL_S) -> None:
        super().__init__(kubectl, NAMESPACE, BACKEND_PODS, poll_s=poll_s)
        self._file = file
        self._tell = tell
        self._told: set[str] = set()
        self._writing = threading.Lock()
        self.migrated: list[str] = []
        """Migrations that have been seen running, in their order."""

    def __enter__(self) -> "MigrationLog":
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text("", "utf-8")
        self._start()
        return self

    def _run(self, pod: Pod) -> tuple[str, int]:
        return pod["metadata"]["name"], int(_container(pod).get("restartCount", 0))

    def _started(self, pod: Pod) -> bool:
        state = _container(pod).get("state", {})
        return "running" in state or "terminated" in state

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


def _container(pod: Pod) -> Pod:
    statuses = pod.get("status", {}).get("initContainerStatuses") or []
    return next((status for status in statuses if status["name"] == MIGRATIONS), {})
