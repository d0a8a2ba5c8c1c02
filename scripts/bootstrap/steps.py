"""Runs one installer at a time, shows what it is and how long it takes, and keeps its output in a log."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .problems import NotReadyError, explain

_CLEAR_LINE = "\r\x1b[2K"


class Steps:
    """Shows steps on standard error, which keeps standard output for the command itself."""

    def __init__(self, log: Path, *, every_s: float = 20) -> None:
        self.log = log
        self.every_s = every_s
        """How often a step says where nobody sees a running clock, such as in a pipeline, that it goes on."""

    def run(
        self, title: str, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], about_s: float | None = None
    ) -> None:
        """Run `command` as the step `title`, which takes `about_s` seconds and shows how far it has come.

        Raises NotReadyError when it cannot start or fails, KeyboardInterrupt (with the command stopped) on Ctrl-C.
        """
        started = time.monotonic()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a+", encoding="utf-8", errors="replace") as log:
            log.write(f"== {title}: {' '.join(command)}\n")
            log.flush()
            begin = log.tell()
            try:
                process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                    command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise NotReadyError(f"{title} failed: {error}", "run this again") from error
            try:
                status = self._wait(process, title, started, about_s)
            except KeyboardInterrupt:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
                self._show(f"✗ {title}: interrupted, the next run goes on from here", final=True)
                raise
            elapsed = time.monotonic() - started
            if status:
                self._show(f"✗ {title} ({elapsed:.0f} s)", final=True)
                log.seek(begin)
                raise explain(title, log.read(), str(self.log))
        self._show(f"✓ {title} ({elapsed:.0f} s)", final=True)

    def _wait(self, process: "subprocess.Popen[bytes]", title: str, started: float, about_s: float | None) -> int:
        live = sys.stderr.isatty()
        of = f" of about {about_s:.0f}" if about_s else ""
        if not live:
            self._show(f"… {title}", final=True)
        while True:
            if live:
                self._show(f"… {title} {time.monotonic() - started:3.0f}{of} s", final=False)
            try:
                return process.wait(timeout=0.5 if live else self.every_s)
            except subprocess.TimeoutExpired:
                if not live:
                    self._show(f"… {title} {time.monotonic() - started:.0f}{of} s", final=True)

    def _show(self, text: str, *, final: bool) -> None:
        clear = _CLEAR_LINE if sys.stderr.isatty() else ""
        sys.stderr.write(f"{clear}{text}" + ("\n" if final else ""))
        sys.stderr.flush()
