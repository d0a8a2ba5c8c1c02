"""Logs of every pod and container of some namespaces in one stream, each line with where it comes from."""

import json
import re
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from .kubectl import Kubectl

NO_JOBS = "!batch.kubernetes.io/job-name"
"""Selects pods that are of no Job: https://kubernetes.io/docs/reference/labels-annotations-taints"""
MOST_PODS = 500
_PREFIX = re.compile(r"\[pod/(?P<pod>[^/\]]+)/(?P<container>[^\]]+)\] (?P<line>.*)", re.DOTALL)
_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
"""ANSI colours; red is left to what programs mark themselves."""

Form = Callable[[str], str]
"""Gives a line, with its end, as it is shown."""


@dataclass(frozen=True, kw_only=True)
class LogSelection:
    """Which lines."""

    lines: int
    """From the end of each container's log; -1 for all."""
    since: str = ""
    """Age such as `10m`; empty for any."""
    follow: bool = False
    previous: bool = False
    selector: str = NO_JOBS

    def arguments(self, namespace: str) -> list[str]:
        """Return the arguments of kubectl."""
        return [
            *("logs", "-n", namespace, "-l", self.selector, "--all-containers", "--prefix", "--ignore-errors"),
            *(f"--max-log-requests={MOST_PODS}", f"--tail={self.lines}"),
            *([f"--since={self.since}"] if self.since else []),
            *(["--follow"] if self.follow else []),
            *(["--previous"] if self.previous else []),
        ]


def print_logs(kubectl: Kubectl, namespaces: Sequence[str], wanted: LogSelection, to: TextIO, form: Form) -> int:
    """Print the logs of the pods of all namespaces; return the first exit status of kubectl that is not 0.

    Lines of different pods are never mixed. Following goes on until it is interrupted. Raises OperatorError.
    """
    processes = [kubectl.follow(*wanted.arguments(namespace)) for namespace in namespaces]
    lock = threading.Lock()
    readers = [threading.Thread(target=_copy, args=(process.stdout, to, form, lock)) for process in processes]
    try:
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    finally:
        _end(processes)
    return next((process.returncode for process in processes if process.returncode), 0)


def _copy(lines: Iterable[str], to: TextIO, form: Form, lock: threading.Lock) -> None:
    for line in lines:
        shown = form(line)
        with lock:
            to.write(shown)
            to.flush()


def _end(processes: Iterable["subprocess.Popen[str]"]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
        process.wait()


def plain(line: str) -> str:
    """Return `pod/container | line`."""
    match = _PREFIX.fullmatch(line)
    return f"{match['pod']}/{match['container']} | {match['line']}" if match else line


def coloured(line: str) -> str:
    """Return the same, with a colour for each pod."""
    match = _PREFIX.fullmatch(line)
    if match is None:
        return line
    colour = _COLOURS[zlib.crc32(match["pod"].encode()) % len(_COLOURS)]
    return f"\x1b[{colour}m{match['pod']}/{match['container']}\x1b[0m | {match['line']}"


def as_json(line: str) -> str:
    """Return one JSON object a line."""
    match = _PREFIX.fullmatch(line)
    if match is None:
        return json.dumps({"pod": None, "container": None, "line": line.rstrip("\n")}) + "\n"
    return json.dumps({**match.groupdict(), "line": match["line"].rstrip("\n")}) + "\n"
