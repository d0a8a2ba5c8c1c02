"""Run a command and measure what it, and every process it starts, takes."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_INTERVAL_S = 0.01
MIB = 1024 * 1024
WATCHER = Path(__file__).with_name("watcher.py")


class BenchError(Exception):
    """A measured command failed; the text names it and ends with the last lines that it wrote."""


@dataclass(frozen=True)
class Usage:
    """What one run took."""

    wall_s: float
    cpu_s: float
    """User and system time of the command and of all processes that it waited for."""
    largest_mib: float
    """Peak resident memory of the largest single process."""
    output: str


def run(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> Usage:
    """Run the command to its end and return what it took. Raises BenchError when it fails.

    Nothing is sampled meanwhile: time and memory come from the kernel's own accounting (`wait4`).
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile("w+") as report:
        watcher = [sys.executable, "-I", "-S", str(WATCHER), str(report.fileno()), *command]
        subprocess.run(  # noqa: S603
            watcher, env=env, cwd=cwd, stdout=output, stderr=subprocess.STDOUT, pass_fds=[report.fileno()], check=True
        )
        output.seek(0)
        report.seek(0)
        text = output.read().decode(errors="replace")
        status, wall_s, cpu_s, largest_kib = json.load(report)
    _check(command, status, text)
    return Usage(wall_s, cpu_s, largest_kib * 1024 / MIB, text)


def peak_memory_mib(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> float:
    """Run the command and return the peak memory of all its processes together.

    The sum is sampled every 10 ms, so use a run of its own. It is the proportional set size, which counts a page
    that several processes share once; where the system has none, the resident set size. Raises BenchError
    when the command fails.
    """
    peak = 0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=env, cwd=cwd, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603
        root = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _tree_bytes(root))
            time.sleep(SAMPLE_INTERVAL_S)
        output.seek(0)
        text = output.read().decode(errors="replace")
    _check(command, process.returncode, text)
    return peak / MIB


def _tree_bytes(root: psutil.Process) -> int:
    total = 0
    try:
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    for process in processes:
        try:
            memory = process.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(memory, "pss", memory.rss)
    return total


def _check(command: Sequence[str], status: int, output: str) -> None:
    if status != 0:
        tail = "\n".join(output.splitlines()[-12:])
        raise BenchError(f"{' '.join(command)} ended with status {status}:\n{tail}")
