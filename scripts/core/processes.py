"""Child processes that can be stopped gracefully, all together."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

_PRIVATE = 0o077
"""State and plan files are for their owner alone."""


@dataclass(frozen=True)
class Result:
    """How a process ended, and what it printed."""

    status: int
    output: str


@dataclass
class Processes:
    """Runs processes and passes an interruption on to all that run.

    Each gets a session of its own: the terminal's Ctrl-C reaches only this program, which then sends Terraform exactly
    one SIGINT. Terraform finishes the operations in flight, writes the state and releases its lock; a second one
    would make it quit at once.
    """

    on_interrupt: Callable[[int], None] = lambda _times: None
    """Told how often the user has interrupted."""
    interrupted: int = 0
    _running: set["subprocess.Popen[str]"] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        log: IO[str] | None = None,
        on_line: Callable[[str], None] = lambda _line: None,
        umask: int = _PRIVATE,
    ) -> Result:
        """Run `command` and return its status and its output, both streams together, also written to `log`.

        What it creates is for its owner alone, unless another `umask` is given; -1 leaves it as it is.
        Raises KeyboardInterrupt instead of starting anything once the user has interrupted.
        """
        with self._lock:
            if self.interrupted:
                raise KeyboardInterrupt
            process = subprocess.Popen(  # noqa: S603 - programs of the tool chain, no shell
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
                umask=umask,
            )
            self._running.add(process)
        lines = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if log:
                    log.write(line)
                    log.flush()
                on_line(line.rstrip("\n"))
            status = process.wait()
        finally:
            with self._lock:
                self._running.discard(process)
        return Result(status, "".join(lines))

    def interrupt(self) -> None:
        """Ask every running process to stop: gracefully the first time, at once the second."""
        with self._lock:
            self.interrupted += 1
            for process in self._running:
                os.killpg(process.pid, signal.SIGINT)
        self.on_interrupt(self.interrupted)

    @contextmanager
    def forwarding_signals(self) -> Iterator[None]:
        """Within, Ctrl-C and SIGTERM reach the running processes instead of ending this program."""

        def forward(_signal: int, _frame: FrameType | None) -> None:
            self.interrupt()

        previous = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
