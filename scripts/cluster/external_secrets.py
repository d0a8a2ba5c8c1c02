"""Kubernetes Secrets brought up to date with the vault at once, instead of within the hour of their interval."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from scripts.core.errors import ExitCode, OperatorError

from .kubectl import Kubectl

KIND = "externalsecrets.external-secrets.io"
MARK = "force-sync"
"""Any change of an annotation makes the operator read the vault: https://external-secrets.io/latest/introduction/faq/"""
PATIENCE_S = 300.0
_POLL_S = 3.0


def refresh(
    kubectl: Kubectl,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Return when every Secret holds what the vault has now. Raises OperatorError when one does not in time."""
    begun = now().replace(microsecond=0)
    kubectl.run("annotate", KIND, "--all", "--all-namespaces", "--overwrite", f"{MARK}={begun.timestamp():.0f}")
    end = clock() + PATIENCE_S
    while stale := [_name(item) for item in kubectl.items(KIND, "--all-namespaces") if not _is_fresh(item, begun)]:
        if clock() >= end:
            raise OperatorError(
                f"{', '.join(stale)} is not up to date with the vault",
                "`kubectl describe externalsecrets --all-namespaces` says why; then run the same command again",
                ExitCode.NOT_READY,
            )
        pause(_POLL_S)


def _is_fresh(item: Mapping[str, Any], begun: datetime) -> bool:
    status = item.get("status") or {}
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or [])
    read = str(status.get("refreshTime") or "")
    return ready and read != "" and datetime.fromisoformat(read) >= begun


def _name(item: Mapping[str, Any]) -> str:
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"
