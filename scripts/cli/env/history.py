"""`llmctl env history`: what is deployed, from which commit, by whom and when."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from scripts.cli.tools import Tools
from scripts.core.errors import OperatorError
from scripts.core.tiers import STACKS
from scripts.deployment.history import Deployment, read
from scripts.terraform.deployed.versions import Versions, versions_of

SHOWN = 10
"""Deployments on the screen; `--json` has all."""
_LATER = timedelta(minutes=30)
"""A release of Helm that much after the last deployment belongs to none: the note is written as a run ends."""


def history_of(tools: Tools, name: str) -> tuple[Versions, tuple[Deployment, ...], str]:
    """Return what the states say, what the registry says, and why it says nothing, if so. Raises OperatorError."""
    settings = tools.load(name)
    versions = versions_of(tools.states_of(settings, tools.workspace(name)))
    if "acr" not in versions.writes:
        return versions, (), ""
    try:
        return versions, read(tools.registry_of(settings)), ""
    except OperatorError as error:
        return versions, (), error.message


def screen(name: str, versions: Versions, deployments: tuple[Deployment, ...], unread: str) -> Iterator[str]:
    """Yield the lines of the screen."""
    if not versions.writes:
        yield f"{name}: nothing is deployed"
        return
    yield f"{name}, as its states and its registry say"
    yield f"Deployed    {_last(deployments, unread)}"
    if unrecorded := _unrecorded(versions, deployments):
        yield f"            {unrecorded}"
    yield from _listed("Azure", versions.services)
    yield from _listed("Programs", versions.programs)
    yield from _listed("Charts", versions.charts)
    if versions.images:
        of = f", change {versions.images_serial} of the shared lock" if versions.images_serial else ""
        yield f"Images      {len(versions.images)}{of}; `llmctl outputs {name} platform` lists them"
    yield f"States      {', '.join(f'{stack} {count}' for stack, count in versions.writes.items())} (writes)"
    if missing := [stack for stack in STACKS if stack not in versions.writes]:
        yield f"            not deployed: {', '.join(missing)}"
    if deployments:
        yield "Deployments"
    for one in deployments[:SHOWN]:
        failed = "" if one.ok else ", not all done"
        changes = "; ".join(f"{stack}: {text}" for stack, text in one.changes.items())
        yield f"  {_minute(one.time)}  {one.who}  {one.commit or 'no commit'}  {one.action}{failed}: {changes}"
    if len(deployments) > SHOWN:
        yield f"  and {len(deployments) - SHOWN} before: --json"


def as_json(versions: Versions, deployments: tuple[Deployment, ...], unread: str) -> dict[str, Any]:
    """Return all of it for a program."""
    return {
        "versions": asdict(versions),
        "deployments": [asdict(one) for one in deployments],
        "deployments_unread": unread or None,
    }


def _last(deployments: tuple[Deployment, ...], unread: str) -> str:
    if unread:
        return f"by whom is not known: {unread}"
    if not deployments:
        return "by whom is not known: no deployment by llmctl is in its registry"
    last = deployments[0]
    state = "" if last.ok else ", not all done"
    return f"{_minute(last.time)} by {last.who}, commit {last.commit or 'unknown'} ({last.release}){state}"


def _unrecorded(versions: Versions, deployments: tuple[Deployment, ...]) -> str:
    if not deployments or versions.last_release is None:
        return ""
    noted = datetime.fromisoformat(deployments[0].time)
    if versions.last_release <= noted + _LATER:
        return ""
    return f"{versions.last_release:%Y-%m-%d %H:%M} UTC something was deployed past llmctl (plain cdktf, HCP, Helm)"


def _listed(title: str, versions: Mapping[str, str]) -> Iterator[str]:
    if versions:
        yield f"{title:<12}{', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}"


def _minute(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M} UTC"
