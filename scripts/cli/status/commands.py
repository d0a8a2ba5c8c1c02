"""The command, its screen and its JSON."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer

from scripts.applications.engine_scaling import EngineState, engine_states
from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.cluster.overview import NodeState, Overview, WorkloadState, overview
from scripts.core.console import out, print_json
from scripts.core.targets import default_environment
from scripts.cost.amount import HOURS, Cost
from scripts.cost.nodes import nodes_cost
from scripts.cost.prices import Prices, kept_prices
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.serving.engines import engines
from stacks.settings import Settings
from stacks.settings.cluster import ClusterSettings
from stacks.settings.models import ModelSettings
from stacks.settings.opik import OpikSettings

app = typer.Typer(add_completion=False, rich_markup_mode="rich")

SOON_DAYS = 14
"""Days of a certificate below which it is shown as late: cert-manager renews at a third of 90."""
LATE_HOURS = 36
"""Hours of a backup above which it is shown as late: the schedule makes one a day."""
OTHERS = "cluster"
"""Heading of what runs in namespaces of no component, AKS's own above all."""


@app.command()
def status(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show the platform on one screen: what runs, what waits and why, models, nodes, GPUs, certificates, backup, cost.

    Reads only, through the Kubernetes API. `llmctl health` sends real requests and ends by result.

    Examples: `llmctl status prod`, `llmctl status --json`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    seen = overview(tools.cluster_of(tools.kubectl_of(name)), datetime.now(UTC))
    models = _models(seen, settings.models, settings.cluster)
    prices = kept_prices(settings.azure.region)
    if as_json:
        print_json(_as_json(seen, models, prices))
        return
    for line in _screen(name, settings, seen, models, prices):
        out.print(line, markup=False, soft_wrap=True)


def _models(seen: Overview, models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> dict[str, str]:
    """Return what each model's engine does, by the model's name."""
    states = {state.name: state for state in engine_states(seen.scalers, seen.deployments)}
    return {
        model.name: _engine(states.get(engine.name), model.min_replicas)
        for engine in engines(models, cluster)
        for model in engine.models
    }


def _engine(state: EngineState | None, least: int) -> str:
    if state is None:
        return "has no engine in the cluster"
    if state.suspended:
        return "suspended: llmctl gpu resume"
    if state.ready:
        return f"{state.ready} of {state.replicas} engines ready"
    if state.replicas:
        return "its engine starts"
    return "at zero, starts at the first question" if not least else "at zero, though one should be loaded"


def _screen(name: str, settings: Settings, seen: Overview, models: Mapping[str, str], prices: Prices) -> Iterator[str]:
    yield f"{name}: {sum(_runs(one) for one in seen.workloads)} of {len(seen.workloads)} workloads run"
    yield from _components(settings, seen)
    if seen.waiting:
        yield "Waiting"
        for pod in seen.waiting:
            yield f"  {pod.namespace}/{pod.name}, {pod.minutes} min: {pod.why}"
    if models:
        yield "Models"
        for model, how in models.items():
            yield f"  {model:<20} {how}"
    yield "Nodes"
    for pool in seen.nodes:
        gpus = f", {pool.gpus} GPUs" if pool.gpus else ""
        yield f"  {pool.pool:<12} {pool.ready} of {pool.nodes} ready, {pool.size}{' spot' if pool.spot else ''}{gpus}"
    total = sum(pool.gpus for pool in seen.nodes)
    yield f"  GPUs         {seen.gpus_in_use} of {total} in use" if total else "  GPUs         none now"
    yield f"Last backup    {_backup(seen, settings.opik)}"
    if seen.certificates:
        yield "Certificates"
        for one in seen.certificates:
            left = "none yet" if one.days_left is None else f"{one.days_left} days left"
            late = ", renewal is late" if one.days_left is not None and one.days_left < SOON_DAYS else ""
            yield f"  {one.name:<20} {left}{late}{f': {one.trouble}' if one.trouble else ''}"
    cost = _cost(seen.nodes, prices)
    at_least = "" if cost.known else "at least "
    yield f"Nodes cost {at_least}{cost.high / HOURS:,.2f} USD an hour now ({prices}); the rest: llmctl cost {name}"


def _backup(seen: Overview, opik: OpikSettings) -> str:
    if seen.backup:
        late = ", which is late" if seen.backup.hours > LATE_HOURS else ""
        return f"{seen.backup.set_id}, {seen.backup.hours} h ago{late}"
    if not opik.enabled:
        return "not noted without Opik: llmctl backup list"
    return "none yet: llmctl backup create"


def _components(settings: Settings, seen: Overview) -> Iterator[str]:
    enabled = enabled_components(settings)
    owner = {rules.name: component.name for component in enabled for rules in component.namespaces(enabled)}
    grouped: dict[str, list[WorkloadState]] = {}
    for one in seen.workloads:
        grouped.setdefault(owner.get(one.namespace, OTHERS), []).append(one)
    yield "Components"
    for component in [*dict.fromkeys(owner.values()), OTHERS]:
        mine = grouped.get(component, [])
        if not mine:
            continue
        stopped = [one.name for one in mine if one.stopped]
        late = [f"{one.name} {one.ready}/{one.wanted}" for one in mine if not _runs(one)]
        how = "; ".join(
            filter(
                None,
                [
                    f"stopped: {', '.join(stopped)}" if stopped else "",
                    f"not ready: {', '.join(late)}" if late else "",
                ],
            )
        )
        runs = "1 workload runs" if len(mine) == 1 else f"{len(mine)} workloads run"
        yield f"  {component:<14} {how or runs}"


def _runs(one: WorkloadState) -> bool:
    return one.ready >= one.wanted


def _cost(nodes: Iterable[NodeState], prices: Prices) -> Cost:
    return nodes_cost(((pool.size, pool.spot, pool.nodes) for pool in nodes), prices)


def _as_json(seen: Overview, models: Mapping[str, str], prices: Prices) -> dict[str, Any]:
    cost = _cost(seen.nodes, prices)
    return {
        **{key: value for key, value in asdict(seen).items() if key not in ("scalers", "deployments")},
        "models": dict(models),
        "nodes_usd_per_hour": {"amount": round(cost.high / HOURS, 4), "complete": cost.known, "prices": str(prices)},
    }
