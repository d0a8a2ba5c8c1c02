"""Opik without writes for the moment of a snapshot, and with them again afterwards, whatever happened between.

Who writes to the stores is scaled to zero in one change together with a mark that says what it was before; so there is
no moment at which a killed command leaves pods away and nobody knows how many there were.
"""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pausing import starting, stopping
from scripts.core.errors import ExitCode, OperatorError
from scripts.opik.cluster import NAMESPACE

from .manifest import moment_of
from .stores import START_MERGES, Stores

WRITERS = ("opik-backend", "opik-python-backend")
"""Deployments that write to Opik's stores; nobody else is let through to them by the network policies."""
SET_MARK = "platform/backup-set"
"""Annotation: id of the set, or purpose, that the Deployment was scaled to zero for."""
REPLICAS_MARK = "platform/backup-replicas"
"""Annotation: replicas that it had."""
OWNER_MARK = "platform/backup-owner"
"""Annotation: machine and process of the command that did it."""
ABANDONED_S = 1800.0
"""Age of a mark from which its command counts as killed, where that cannot be looked at from here."""
PATIENCE_S = 600.0
POLL_S = 2.0
_RESUMED_S = 900


@dataclass(frozen=True)
class Clock:
    """Time, which tests do not wait for."""

    now: Callable[[], float] = time.monotonic
    """Seconds, from any beginning."""
    utc: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


CLOCK = Clock()


@dataclass(frozen=True)
class Quiescence:
    """Opik's writes in one cluster, stopped and started."""

    kubectl: Kubectl
    stores: Stores
    clock: Clock = CLOCK

    def leftover(self) -> str:
        """Return the id of the set for which writes are stopped now; empty when they are not. Raises OperatorError."""
        marks = (_marks(writer).get(SET_MARK, "") for writer in self._writers())
        return next((mark for mark in marks if mark), "")

    def repair(self) -> str:
        """Bring writes back that a killed command left stopped; return the id of its set, empty for none.

        Raises OperatorError (NOT_READY) while that command may still be at work.
        """
        marks = next((found for found in map(_marks, self._writers()) if SET_MARK in found), {})
        if not marks:
            return ""
        set_id, owner = marks[SET_MARK], marks.get(OWNER_MARK, "")
        if not self._abandoned(set_id, owner):
            raise OperatorError(
                f"Opik's writes are stopped by {owner or 'another command'}, for the set {set_id}",
                "wait until it has ended; if it was killed, `llmctl backup resume` brings writes back",
                ExitCode.NOT_READY,
            )
        self.resume()
        return set_id

    def _abandoned(self, set_id: str, owner: str) -> bool:
        host, _, process = owner.rpartition("/")
        if host == socket.gethostname() and process.isdigit():
            return not _runs(int(process))
        return (self.clock.utc() - moment_of(set_id)).total_seconds() >= ABANDONED_S

    @contextmanager
    def quiet(self, set_id: str) -> Iterator[None]:
        """Within, nothing writes to the stores and all is on their disks; afterwards writes go on.

        Raises OperatorError, with writes going on, when that cannot be brought about, and when writes cannot be
        brought back: then the marks stay, and `resume` tries again. So it does when writes went on before the end.
        """
        try:
            self._stop(set_id)
            yield
            self._require_quiet(set_id)
        except BaseException as error:
            self._resume_after(error)
            raise
        self.resume()

    def resume(self) -> None:
        """Bring writes back, also those that a killed command left stopped. Raises OperatorError.

        Does nothing where none are stopped. A restart of ClickHouse starts its merges as well.
        """
        if not self.leftover():
            return
        problem = ""
        try:
            self.stores.clickhouse(START_MERGES)
        except OperatorError as error:
            problem = error.message
        for writer in self._writers():
            if SET_MARK in _marks(writer):
                self._give_back(writer, keep_mark=bool(problem))
        if problem:
            raise OperatorError(
                f"Opik's writers run again, but ClickHouse may not merge: {problem}",
                "`llmctl backup resume` tries again; a restart of ClickHouse's pod has the same effect",
            )

    def wait_ready(self) -> None:
        """Return when the writers' pods are ready. Raises OperatorError when they are not in time."""
        for writer in self._writers():
            name = writer["metadata"]["name"]
            self.kubectl.run(
                *("rollout", "status", f"deployment/{name}", "-n", NAMESPACE, f"--timeout={_RESUMED_S}s"),
                timeout_s=_RESUMED_S + 60,
            )

    def _stop(self, set_id: str) -> None:
        for writer in self._writers():
            if SET_MARK not in _marks(writer):
                marks = {SET_MARK: set_id, OWNER_MARK: f"{socket.gethostname()}/{os.getpid()}"}
                self._patch(writer, stopping(writer, REPLICAS_MARK, marks))
        for writer in self._writers():
            selector = ",".join(f"{k}={v}" for k, v in sorted(writer["spec"]["selector"]["matchLabels"].items()))
            self._until(partial(self._gone, selector), f"pods of {writer['metadata']['name']} end")
        self.stores.stop_merges()
        self._until(lambda: self.stores.merging() == 0, "ClickHouse's merges end")
        self.stores.flush()

    def _require_quiet(self, set_id: str) -> None:
        loud = [
            writer["metadata"]["name"]
            for writer in self._writers()
            if writer["spec"].get("replicas", 1) or _marks(writer).get(SET_MARK) != set_id
        ]
        if loud:
            raise OperatorError(
                f"{', '.join(loud)} was started before the snapshots were made, so that they do not fit together",
                "no deployment may run meanwhile; make another set",
            )

    def _resume_after(self, error: BaseException) -> None:
        try:
            self.resume()
        except OperatorError as second:
            error.add_note(second.message)
            raise OperatorError(
                f"{error if str(error) else type(error).__name__}; and Opik's writes cannot be brought back:"
                f" {second.message}",
                "`llmctl backup resume` brings them back",
            ) from error

    def _give_back(self, writer: Mapping[str, Any], *, keep_mark: bool) -> None:
        self._patch(writer, starting(writer, REPLICAS_MARK, () if keep_mark else (SET_MARK, OWNER_MARK)))

    def _patch(self, writer: Mapping[str, Any], change: Mapping[str, Any]) -> None:
        self.kubectl.run(
            *("patch", "deployment", writer["metadata"]["name"], "-n", NAMESPACE, "--type=merge"),
            *("-p", json.dumps(change)),
        )

    def _writers(self) -> list[dict[str, Any]]:
        found = self.kubectl.items("deployments", "-n", NAMESPACE)
        return [item for item in found if item["metadata"]["name"] in WRITERS]

    def _gone(self, selector: str) -> bool:
        return not self.kubectl.items("pods", "-n", NAMESPACE, "-l", selector)

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = self.clock.now() + PATIENCE_S
        while not condition():
            if self.clock.now() >= deadline:
                raise OperatorError(
                    f"waited {PATIENCE_S:.0f} s in vain until {what}; Opik's writes go on",
                    f"kubectl get pods -n {NAMESPACE}, then try again",
                    ExitCode.NOT_READY,
                )
            self.clock.sleep(POLL_S)


def _marks(writer: Mapping[str, Any]) -> dict[str, str]:
    return dict(writer["metadata"].get("annotations") or {})


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True
