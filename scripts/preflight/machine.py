"""The programs of this machine, asked for their versions."""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence

from scripts.bootstrap import terraform
from scripts.bootstrap.problems import NotReadyError
from scripts.core.errors import OperatorError
from scripts.images.builders.choice import choose

_TIMEOUT_S = 30


class Machine:
    """Finds programs and runs them; tests hand over another one."""

    def __init__(self, which: Callable[[str], str | None] = shutil.which) -> None:
        self._which = which

    def has(self, program: str) -> bool:
        """Tell whether a program is installed."""
        return self._which(program) is not None

    def terraform(self) -> NotReadyError | None:
        """Return what is wrong with Terraform, None where nothing is."""
        try:
            terraform.find()
        except NotReadyError as error:
            return error
        return None

    def builder(self, name: str, registry: str) -> OperatorError | None:
        """Return why nothing here can build images for a registry, None where something can."""
        try:
            choose(name, registry)
        except OperatorError as error:
            return error
        return None

    def output(self, *command: str) -> str | None:
        """Return what a command prints, both streams; None where it is missing, fails or hangs."""
        path = self._which(command[0])
        return _output([path, *command[1:]]) if path else None

    def version(self, *command: str) -> tuple[int, ...] | None:
        """Return the first version number that a command prints; None where there is none."""
        found = re.search(r"v?(\d+)\.(\d+)(?:\.(\d+))?", self.output(*command) or "")
        return tuple(int(part) for part in found.groups() if part) if found else None


def _output(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own programs
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return f"{done.stdout}\n{done.stderr}" if done.returncode == 0 else None
