"""`llmctl state unlock-release`: what a killed Helm run has left pending."""

from collections.abc import Callable
from typing import Any

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.releases import PendingRelease, clear, pending_releases
from scripts.core.consent import Consent
from scripts.core.console import report
from scripts.core.errors import ExitCode, OperatorError


def unlock(kubectl: Kubectl, consent: Consent, name: str, *, dry_run: bool) -> list[dict[str, Any]]:
    """Show what is pending, ask, and clear it; return it for a program to read.

    `name` is NAMESPACE/RELEASE; empty means all. Raises OperatorError.
    """
    pending = pending_releases(kubectl)
    found = [release for release in pending if name in ("", release.path)]
    if name and not found:
        others = ", ".join(release.path for release in pending) or "none is"
        raise OperatorError(f"{name} is not pending ({others})", code=ExitCode.USAGE)
    for release in found:
        report(_said(release))
    if found and not dry_run:
        consent.obtain(f"Have the runs that began {', '.join(release.path for release in found)} really ended?", {})
        _each(kubectl, found, clear)
    return [{"release": it.path, "status": it.status, "revision": it.revision, "kept": it.kept} for it in found]


def _each(kubectl: Kubectl, found: list[PendingRelease], do: Callable[[Kubectl, PendingRelease], None]) -> None:
    for release in found:
        do(kubectl, release)
        report(f"{release.path}: the record of revision {release.revision} is removed")


def _said(release: PendingRelease) -> str:
    stays = (
        f"revision {release.kept} stays the deployed one, and the next deployment upgrades from it"
        if release.kept
        else "nothing was ever deployed; the next deployment installs it over what is there"
    )
    return f"{release.path}: revision {release.revision} is {release.status} since {release.since}; {stays}"
