"""Who deployed what, when and from which commit: kept in the environment's registry, for every checkout and pipeline.

Only `llmctl` writes it. What plain cdktf or HCP Terraform deployed is in the states, and not here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from scripts.core.console import report
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.person import person
from scripts.core.targets import load_environment
from scripts.core.version import commit, release
from scripts.core.workspace import ROOT
from scripts.images.registry.client import Registry
from scripts.images.registry.document import TAG, Document
from scripts.terraform.rollout import Rollout
from stacks.platform.common.images import login_server

DOCUMENT = Document(
    "llm-platform/deployments", "application/vnd.llm-platform.deployments.v1+json", "history of deployments"
)
FORMAT = 1
KEPT = 100
"""Deployments that are kept, the newest."""


@dataclass(frozen=True)
class Deployment:
    """One run that changed something."""

    time: str
    """UTC, such as 2026-11-30T19:40:00Z."""
    who: str
    commit: str
    """As git describes it; ends in `-dirty` where files of the checkout were changed."""
    release: str
    action: str
    """`deploy` or `destroy`."""
    ok: bool
    """Whether every stack was done."""
    changes: Mapping[str, str]
    """What was done, by stack: `2 created, 1 changed`."""


def read(registry: Registry) -> tuple[Deployment, ...]:
    """Return what was deployed, the newest first. Raises OperatorError."""
    content = DOCUMENT.read(registry)
    try:
        return () if content is None else _parse(json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(
            f"{registry.name}/{DOCUMENT.repository}:{TAG} is no history that this version reads ({error})",
            "use the version of this project that wrote it",
            ExitCode.NOT_READY,
        ) from None


def add(registry: Registry, deployment: Deployment, *, keep: int = KEPT) -> tuple[Deployment, ...]:
    """Add a deployment to those that the registry knows, and return the newest. Raises OperatorError."""

    def added(known: tuple[Deployment, ...]) -> tuple[Deployment, ...]:
        if deployment in known:
            return known
        return tuple(sorted([deployment, *known], key=lambda one: one.time, reverse=True))[:keep]

    return DOCUMENT.update(registry, read=lambda: read(registry), change=added, render=_rendered)


def note(
    run: Rollout,
    ok: bool,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    who: Callable[[], str] = person,
    registry: Callable[[str], Registry] = lambda name: Registry.connect(
        login_server(load_environment(name).azure_names)
    ),
) -> None:
    """Keep what a run did in the registry. Where that cannot be, one line says so, and nothing else happens."""
    changes = {name: done.changes.past for name, done in run.reports.items() if not done.changes.empty}
    # A rehearsal has no registry.
    if run.workspace.base != ROOT or not changes:
        return
    action = "destroy" if run.destroy else "deploy"
    time = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        add(
            registry(run.workspace.environment),
            Deployment(time, who(), commit(), release(), action, ok, changes),
        )
    except OperatorError as error:
        if "acr" in run.reports or "platform" in run.reports:
            report(f"This is not in the history of deployments (llmctl env history): {error.message}")


def _rendered(deployments: tuple[Deployment, ...]) -> Mapping[str, Any]:
    return {"format": FORMAT, "deployments": [asdict(one) for one in deployments]}


def _parse(content: Mapping[str, Any]) -> tuple[Deployment, ...]:
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']!r}")
    return tuple(Deployment(**entry) for entry in content["deployments"])
