"""Who holds the lock of a state, and whether that run is known to have ended.

A lock of the local backend goes with its process. One in a storage account, or in HCP Terraform, stays when the machine
of its run is switched off.
"""

import os
import pwd
import re
import socket
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePath

_FIELD = re.compile(r"^\s*(ID|Who|Operation|Created):\s+(.+)$", re.MULTILINE)
_PROGRAMS = frozenset({"terraform", "tofu"})


def here() -> str:
    """Return this user on this machine, as Terraform writes it into a lock."""
    return f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"


def programs() -> Iterable[str]:
    """Return the names of the programs that run on this machine; none where they cannot be listed."""
    try:
        listed = subprocess.run(
            ["ps", "-A", "-o", "comm="],  # noqa: S607 - the ps of the operator
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return []
    return [PurePath(line.strip()).name for line in listed.stdout.splitlines()]


@dataclass(frozen=True)
class LockHolder:
    """The lock that Terraform's error tells of."""

    lock: str
    who: str
    operation: str
    created: str

    @classmethod
    def of(cls, text: str) -> "LockHolder":
        """Read Terraform's error message."""
        found = dict(_FIELD.findall(text))
        return cls(*(found.get(name, "").strip() for name in ("ID", "Who", "Operation", "Created")))

    def ended(self, me: Callable[[], str] = here, running: Callable[[], Iterable[str]] = programs) -> bool:
        """Tell whether the holder was a run on this machine, and no Terraform runs here any more.

        False where that is not known: on another machine, or while any Terraform runs here.
        """
        if self.who != me():
            return False
        listed = list(running())
        return bool(listed) and not _PROGRAMS.intersection(listed)
