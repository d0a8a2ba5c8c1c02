"""Fault injection: errors, delays and lost answers that a file in the rehearsal folder asks for.

``faults.yaml`` (or the file that ``REHEARSAL_FAULTS`` names) holds a list; ``docs/how-to/rehearse.md`` has its keys.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NoReturn

from scripts.lab.rehearsal.cloud import Cloud

from .service import RefusedError

FILE = "REHEARSAL_FAULTS"
EFFECTS = (
    "fail",
    "throttle",
    "hang",
    "wait",
    "lose-answer",
    "no-role-yet",
    "no-capacity",
    "kill",
    "kill-after",
)
OPERATIONS = ("validate", "plan", "create", "read", "update", "delete", "open")

_DEFAULT_MESSAGE = "unexpected status 500 (500 Internal Server Error) with error: InternalServerError: {address}"

_REAL_TEXTS = {
    # Key Vault, for the minutes that a role takes to reach it:
    # https://learn.microsoft.com/azure/key-vault/general/rbac-guide
    "no-role-yet": (
        "unexpected status 403 (403 Forbidden) with error: Forbidden: Caller is not authorized to perform action on"
        " resource. If role assignments, deny assignments or role definitions were changed recently, please observe"
        " propagation time. Inner error: ForbiddenByRbac"
    ),
    # https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/create-upgrade-delete/error-code-zonalallocationfailed
    "no-capacity": (
        "creating {address}: unexpected status 409 (409 Conflict) with error: AllocationFailed: Allocation failed. We"
        " do not have sufficient capacity for the requested VM size in this region."
    ),
}
"""Effects that fail as Azure does, in its words."""


class FaultFileError(Exception):
    """`faults.yaml` cannot be used; the text says where and why."""


@dataclass(frozen=True)
class Fault:
    """One fault to inject. ``resource`` is an address, a type or a pattern of either; ``times`` None means always.

    ``skip`` calls pass before it; with ``each`` both numbers count for every resource apart.
    """

    resource: str
    effect: str = "fail"
    on: str = "create"
    times: int | None = 1
    seconds: float = 2.0
    message: str = _DEFAULT_MESSAGE
    stack: str = "*"
    skip: int = 0
    each: bool = False

    def matches(self, operation: str, stack: str, type_name: str, address: str) -> bool:
        """Tell whether this fault is injected into a call."""
        return (
            self.on == operation
            and fnmatchcase(stack, self.stack)
            and any(fnmatchcase(name, self.resource) for name in (type_name, address))
        )


def read_faults(path: Path) -> tuple[Fault, ...]:
    """Read `faults.yaml` or JSON; without a file nothing is injected.

    Raises FaultFileError where it is not a list of known keys and values.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    if path.suffix == ".json":
        entries = json.loads(text)
    else:
        from ruamel.yaml import YAML  # noqa: PLC0415 - only rehearsals with faults pay for it

        entries = YAML(typ="safe", pure=True).load(text) or []
    return tuple(_fault(path, position, entry) for position, entry in enumerate(entries, 1))


def _fault(path: Path, position: int, entry: Any) -> Fault:
    where = f"{path}, entry {position}"
    if not isinstance(entry, dict) or "resource" not in entry:
        raise FaultFileError(f"{where}: a mapping with the key 'resource' is needed")
    known = [field.name for field in fields(Fault)]
    for key in entry:
        if key not in known and key is not True:  # YAML 1.1 readers turn a bare "on" into true
            raise FaultFileError(f"{where}: unknown key {key!r}; known are {', '.join(known)}")
    fault = Fault(**{("on" if key is True else key): value for key, value in entry.items()})
    for name, value, allowed in (("effect", fault.effect, EFFECTS), ("on", fault.on, OPERATIONS)):
        if value not in allowed:
            raise FaultFileError(f"{where}: {name} is {value!r}; one of {', '.join(allowed)} is needed")
    return fault


class Faults:
    """The faults to inject in one rehearsal, counted across all provider processes.

    `group` is Terraform's process group, 0 for that of this process.
    """

    def __init__(self, cloud: Cloud, stack: str, stopped: threading.Event, *, group: int = 0) -> None:
        path = Path(os.environ.get(FILE) or cloud.folder / "faults.yaml")
        self._faults = read_faults(path)
        self._cloud = cloud
        self._stack = stack
        self._stopped = stopped
        self._group = group

    def __bool__(self) -> bool:
        return bool(self._faults)

    def strike(self, operation: str, type_name: str, address: str) -> Fault | None:
        """Inject what matches a call, before it; return the fault that loses the answer, if any.

        Raises RefusedError for a failure, and when Terraform stops a call that hangs.
        """
        lost = None
        for position, fault in enumerate(self._faults):
            if not fault.matches(operation, self._stack, type_name, address):
                continue
            counted = f"{position} {fault}{f' {self._stack} {address}' if fault.each else ''}"
            if not self._cloud.use_fault(counted, fault.times, skip=fault.skip):
                continue
            if fault.effect == "fail" or fault.effect in _REAL_TEXTS:
                message = _REAL_TEXTS.get(fault.effect, fault.message)
                raise RefusedError(message.format(address=address, type=type_name))
            if fault.effect == "kill":
                self.power_off()
            if fault.effect in {"lose-answer", "kill-after"}:
                lost = fault
            elif fault.effect == "wait":
                # As the kubernetes provider waits for a Job: whoever asks it to stop waits as well.
                time.sleep(fault.seconds)
            elif self._stopped.wait(fault.seconds) or fault.effect == "hang":
                raise RefusedError(f"context deadline exceeded while waiting for {address}")
        return lost

    def power_off(self) -> NoReturn:
        """End Terraform and all of its providers at once, as a machine that is switched off does."""
        os.killpg(self._group, signal.SIGKILL)
        os._exit(1)  # a forked provider is of another group
