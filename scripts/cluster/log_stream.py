"""Logs of many pods and containers in one stream: whole lines, each with where it comes from, none lost or twice.

Every container is read by a thread of its own. While following, a watch tells of new pods and of containers that were
started again; a stream that breaks off is asked for again from the last line's time on.
"""

import json
import re
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import merge
from typing import Any, BinaryIO

from scripts.core.errors import OperatorError

from .api import ClusterApi, ClusterError, Object, batches_of, lines_of

_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
"""ANSI colours; red is left to what programs mark themselves."""
RETRY_S = 1.0


@dataclass(frozen=True)
class Source:
    """One container of one pod, as often as it was started."""

    namespace: str
    pod: str
    container: str
    uid: str = ""
    restarts: int = 0


@dataclass(frozen=True)
class Line:
    """One line of a log."""

    source: Source
    time: bytes
    """As the API writes it (RFC 3339, nanoseconds), empty where it wrote none."""
    text: bytes


Form = Callable[[Line], bytes]
"""Gives a line as it is shown, with its end."""
Includes = Callable[[Object], bool]
"""Tells whether a pod is wanted."""


def not_of_a_job(pod: Object) -> bool:
    """Whether a pod belongs to something that goes on."""
    return "batch.kubernetes.io/job-name" not in (pod["metadata"].get("labels") or {})


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines."""

    lines: int = -1
    """From the end of each container's log; -1 for all."""
    since_s: int = 0
    """Age of the oldest; 0 for any."""
    previous: bool = False
    """Of the container before its last restart."""
    containers: tuple[str, ...] = ()
    """Names; empty for all."""
    pattern: re.Pattern[bytes] | None = None
    """What a line has to hold."""
    includes: Includes = not_of_a_job

    def asked(self) -> dict[str, Any]:
        """Return the parameters of a request."""
        return {
            **({"tailLines": self.lines} if self.lines >= 0 else {}),
            **({"sinceSeconds": self.since_s} if self.since_s else {}),
            **({"previous": "true"} if self.previous else {}),
        }

    def takes(self, line: Line) -> bool:
        """Whether the line holds what it has to."""
        return self.pattern is None or self.pattern.search(line.text) is not None


@dataclass
class LogStream:
    """Logs of the pods of some namespaces."""

    api: ClusterApi
    namespaces: Sequence[str]
    wanted: Wanted
    tell: Callable[[str], None] = lambda _text: None
    """Takes what could not be read, and why."""
    retry_s: float = RETRY_S
    stop: threading.Event = field(default_factory=threading.Event)
    failures: int = 0
    """Containers whose log could not be read."""
    _seen: set[Source] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def print(self, to: BinaryIO, form: Form) -> None:
        """Print what has been written until now, of all containers in the order of time. Raises OperatorError."""
        sources = [
            source
            for namespace in self.namespaces
            for pod in self.api.items("pods", namespace)
            if self.wanted.includes(pod)
            for source in started(pod, self.wanted)
        ]
        for line in merge(*(self._read(source) for source in sources), key=lambda line: line.time):
            to.write(form(line))
        to.flush()

    def follow(self, to: BinaryIO, form: Form) -> None:
        """Print also what will be written, new pods' too, until `stop` is set. Raises OperatorError."""
        for namespace in self.namespaces:  # what cannot be listed at all is no reason to try for ever
            self.api.items("pods", namespace)
        watchers = [
            threading.Thread(target=self._watch, args=(namespace, to, form), daemon=True)
            for namespace in self.namespaces
        ]
        for watcher in watchers:
            watcher.start()
        self.stop.wait()

    def _read(self, source: Source) -> Iterator[Line]:
        try:
            with self.api.log(source.namespace, source.pod, source.container, **self.wanted.asked()) as answer:
                lines = (parsed(source, line) for line in lines_of(answer))
                yield from filter(self.wanted.takes, lines)
        except ClusterError as error:
            if not (self.wanted.previous and error.status == 400):  # most containers have no run before this one
                self._failed(source, error)

    def _failed(self, source: Source, error: OperatorError) -> None:
        with self._lock:
            self.failures += 1
        self.tell(f"{source.pod}/{source.container}: {error.message}")

    def _watch(self, namespace: str, to: BinaryIO, form: Form) -> None:
        while not self.stop.is_set():
            # Whoever follows wants to go on following: the next try tells whether the cluster is back.
            with suppress(ClusterError, ValueError):
                for kind, pod in self.api.watch("pods", namespace):
                    if self.stop.is_set():
                        return
                    if kind in ("ADDED", "MODIFIED") and self.wanted.includes(pod):
                        self._begin(pod, to, form)
            self.stop.wait(self.retry_s)

    def _begin(self, pod: Object, to: BinaryIO, form: Form) -> None:
        for source in started(pod, self.wanted):
            with self._lock:
                first = not any((known.uid, known.container) == (source.uid, source.container) for known in self._seen)
                if source in self._seen:
                    continue
                self._seen.add(source)
            # A container that was started again, or a pod that is new, is read from its first line on.
            asked = self.wanted.asked() if first and not _younger(pod, self._began) else {}
            threading.Thread(target=self._copy, args=(source, asked, to, form), daemon=True).start()

    def _copy(self, source: Source, asked: Mapping[str, Any], to: BinaryIO, form: Form) -> None:
        last, shown, again = b"", b"", dict(asked)
        while not self.stop.is_set():
            try:
                with self.api.log(source.namespace, source.pod, source.container, follow="true", **again) as answer:
                    for batch in batches_of(answer):
                        # After a break the API repeats the last second.
                        lines = [line for line in (parsed(source, raw) for raw in batch) if line.time > shown]
                        if lines:
                            last = lines[-1].time
                            self._write(to, b"".join(form(line) for line in lines if self.wanted.takes(line)))
                return  # the container has ended
            except ClusterError as error:
                if error.status in (400, 403, 404):
                    if error.status != 404:  # gone with its pod
                        self._failed(source, error)
                    return
                shown, again = last, {"sinceTime": last.decode()} if last else dict(asked)
                self.stop.wait(self.retry_s)

    def _write(self, to: BinaryIO, text: bytes) -> None:
        with self._lock:
            to.write(text)
            to.flush()


def started(pod: Object, wanted: Wanted) -> Iterator[Source]:
    """Yield the containers of a pod that have written or may write something."""
    status, meta = pod.get("status") or {}, pod["metadata"]
    for one in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = one.get("state") or {}
        runs = "running" in state or "terminated" in state
        before = int(one.get("restartCount", 0))
        if wanted.containers and one["name"] not in wanted.containers:
            continue
        if runs or (wanted.previous and before):
            yield Source(meta["namespace"], meta["name"], one["name"], meta.get("uid", ""), before)


def parsed(source: Source, line: bytes) -> Line:
    """Return a line as the API sends it with `timestamps`."""
    time, space, text = line.partition(b" ")
    return Line(source, time, text) if space and time[:1].isdigit() else Line(source, b"", line)


def plain(line: Line) -> bytes:
    """Return `pod/container | text`."""
    return f"{line.source.pod}/{line.source.container} | ".encode() + line.text + b"\n"


def coloured(line: Line) -> bytes:
    """Return the same, with a colour for each pod."""
    colour = _COLOURS[zlib.crc32(line.source.pod.encode()) % len(_COLOURS)]
    where = f"\x1b[{colour}m{line.source.pod}/{line.source.container}\x1b[0m | "
    return where.encode() + line.text + b"\n"


def as_json(line: Line) -> bytes:
    """Return one JSON object a line."""
    source = line.source
    said = {
        "time": line.time.decode(),
        "namespace": source.namespace,
        "pod": source.pod,
        "container": source.container,
        "line": line.text.decode(errors="replace"),
    }
    return json.dumps(said).encode() + b"\n"


def _younger(pod: Object, moment: datetime) -> bool:
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) >= moment.replace(microsecond=0)
