"""Runs builders and other tools with everything they write in a log file."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scripts.core.processes import Processes

from .errors import BuildError

_LONGEST_REASON = 300


def run_logged(
    processes: Processes,
    command: Sequence[str],
    *,
    name: str,
    log: Path,
    env: Mapping[str, str],
    step: Callable[[str], object],
    accept: Sequence[int] = (0,),
) -> int:
    """Run a program to its end, append what it writes to `log`, and hand each line to `step`.

    Returns its status. Raises BuildError, which names the log, for a status that is not in `accept`, and
    KeyboardInterrupt once the user has interrupted.
    """

    def show(line: str) -> None:
        if text := line.strip():
            step(text)

    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8", errors="replace") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        try:
            result = processes.run(
                command,
                cwd=log.parent,
                env={**os.environ, **env},
                log=file,
                on_line=show,
                # A builder's own choice of modes ends up in the image.
                umask=-1,
            )
        except OSError as error:
            raise BuildError(name, f"{command[0]} cannot be started: {error.strerror}", log) from None
    if processes.interrupted:
        raise KeyboardInterrupt
    if result.status not in accept:
        raise BuildError(name, f"{command[0]} ended with status {result.status}: {_reason(result.output)}", log)
    return result.status


def _reason(output: str) -> str:
    """Return the last line that looks like an error, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it wrote nothing"])[-1][:_LONGEST_REASON]
