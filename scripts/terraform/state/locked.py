"""The way out of a state that is locked, by the backend that it is in.

What each backend needs stands in Terraform's own code: `internal/backend/remote-state/azure/client.go`, `State.Unlock`
in `internal/cloud`, and `internal/states/statemgr/filesystem.go`.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .lock_holder import LockHolder

_HELD_WORKSPACE = re.compile(r'workspace already locked \(lock ID: "(?P<id>[^"]+)"\)')
_HELD_FILE = re.compile(r"resource temporarily unavailable|another process has locked a portion of the file")
_NOT_LOCKED = "LocalState not locked"
_OF_A_PROCESS = (
    "a state in a file is locked by a Terraform process that runs on this machine, or on one that shares its folder,"
    " and by nothing else: wait for it, or end it with Ctrl-C, and its lock is gone"
)
_LEASE_OF_NOBODY = 'blob metadata "terraformlockid" was empty'
"""A run that ended between taking the lease of the blob and writing its name, or giving its name back and the lease:
`terraform force-unlock` compares names and refuses, whatever it is given."""


def unlock(text: str, folder: str, redeploy: str, ended: Callable[[LockHolder], bool] = LockHolder.ended) -> str:
    """Return the way out; `ended` tells whether the holder is known to be dead."""
    if held := _HELD_WORKSPACE.search(text):
        # The fields of the message are those of the lock that was asked for; the id is organization and workspace.
        return (
            f"another run holds the workspace {held['id']}, whose page in HCP Terraform tells whose; wait for it. A run"
            " of HCP Terraform is cancelled there. If it was a Terraform somewhere that is dead:"
            f" `llmctl state unlock {named(folder)} {held['id']}`, which needs the right to lock and unlock it; then"
            f" {redeploy}"
        )
    if _HELD_FILE.search(text):
        return f"{_OF_A_PROCESS} (taken {LockHolder.of(text).created or '?'}); then {redeploy}"
    if _LEASE_OF_NOBODY in text:
        return f"{_nobodys(folder)}, then {redeploy}"
    holder = LockHolder.of(text)
    command = f"`llmctl state unlock {named(folder)} {holder.lock or 'LOCK'}`, then {redeploy}"
    if ended(holder):
        return (
            f"the run that took the lock on this machine at {holder.created} has ended without giving it back (no"
            f" Terraform runs here): {command}"
        )
    return (
        f"another run holds the state since {holder.created or '?'} ({holder.who or '?'}); wait for it. "
        f"If it is dead: {command}"
    )


def not_unlocked(text: str, folder: str) -> str:
    """Return the way out where `terraform force-unlock` has failed; empty where only its own words help."""
    if _NOT_LOCKED in text:
        return _OF_A_PROCESS
    return _nobodys(folder) if _LEASE_OF_NOBODY in text else ""


def _nobodys(folder: str) -> str:
    return (
        "the state's blob is leased by a run that ended before it wrote its name, so that Terraform cannot break the"
        f" lock; once nobody deploys any more: `{_break_lease(folder)}`"
    )


def _break_lease(folder: str) -> str:
    backend = _backend(Path(folder) / "cdk.tf.json")
    return (
        "az storage blob lease break --auth-mode login"
        f" --account-name {backend.get('storage_account_name', 'ACCOUNT')}"
        f" --container-name {backend.get('container_name', 'CONTAINER')} --blob-name {backend.get('key', 'BLOB')}"
    )


def _backend(synthesized: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(synthesized.read_text("utf-8"))["terraform"]["backend"]["azurerm"]
    except (OSError, ValueError, KeyError):
        return {}
    return dict(found)


def named(folder: str) -> str:
    """Return environment and stack of a stack's folder, as commands take them."""
    parts = Path(folder).parts
    return f"{parts[-3]} {parts[-1]}" if len(parts) > 2 else "ENV STACK"
