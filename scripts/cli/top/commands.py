"""The command, and where the figures of its dashboard come from."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any

import typer

from scripts.applications.engine_scaling import engine_states
from scripts.cli.options import Environment
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.overview import overview
from scripts.core.azure import az
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from scripts.cost.amount import HOURS
from scripts.cost.nodes import nodes_cost
from scripts.cost.prices import kept_prices
from scripts.dashboard.board import Board, Engine, Pool, gpu_rows, model_rows
from scripts.dashboard.prometheus import Prometheus
from scripts.dashboard.rates import Rates, rates
from scripts.dashboard.screen import EVERY_S, Dashboard
from stacks.platform.common.traffic import MONITORING
from stacks.platform.components.serving.engines import engines
from stacks.settings import Settings
from stacks.settings.monitoring import MetricsStore, MonitoringSettings

app = typer.Typer(add_completion=False, rich_markup_mode="rich")

SERVICE, PORT = "prometheus-prometheus", 9090
AZURE = "https://prometheus.monitor.azure.com"
"""What a token is asked for: https://learn.microsoft.com/azure/azure-monitor/metrics/prometheus-api-promql"""
OFF = "monitoring is off in this environment: no requests, tokens, queues"


@app.command()
def top(
    context: typer.Context,
    environment: Environment = None,
    *,
    every: Annotated[float, typer.Option(min=1, max=600, help="Seconds between two looks.")] = EVERY_S,
) -> None:
    """Show the platform at work, live: nodes, GPUs, models loaded, requests, tokens, people who wait, cost an hour.

    Reads the Kubernetes API, and Prometheus through a forwarded port. Keys: q ends, p pauses, r looks again at once.

    Examples: `llmctl top prod`, `llmctl top dev --every 15`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    if not tools.terminal.interactive():
        raise OperatorError("a dashboard needs a terminal", f"llmctl status {name}", ExitCode.REFUSED)
    kubectl = tools.kubectl_of(name)
    with prometheus_of(tools, settings.name, settings.monitoring, kubectl) as (prometheus, note):
        Dashboard(asking(tools, settings, kubectl, prometheus, note), every_s=every).run()


@contextmanager
def prometheus_of(
    tools: Tools, environment: str, monitoring: MonitoringSettings, kubectl: Kubectl
) -> Iterator[tuple[Prometheus | None, str]]:
    """Within, Prometheus can be asked; where it cannot, the sentence says why, and the rest is shown without it."""
    if not monitoring.enabled:
        yield None, OFF
        return
    if monitoring.metrics is MetricsStore.AZURE_MONITOR:
        yield from _azure(tools, environment)
        return
    with ExitStack() as stack:
        try:
            base = stack.enter_context(kubectl.forwarded(MONITORING, SERVICE, PORT))
        except OperatorError as error:
            yield None, f"Prometheus is not reached: {error.message}"
            return
        yield Prometheus(base), ""


def _azure(tools: Tools, name: str) -> Iterator[tuple[Prometheus | None, str]]:
    try:
        url = tools.outputs_of(name, "aks")["aks"]["metrics_url"]
        token: dict[str, Any] = az("account", "get-access-token", "--resource", AZURE)
    except (OperatorError, KeyError) as error:
        yield None, f"Azure Monitor is not reached: {error}"
        return
    yield Prometheus(str(url).rstrip("/"), token["accessToken"]), ""


def asking(
    tools: Tools, settings: Settings, kubectl: Kubectl, prometheus: Prometheus | None, note: str
) -> Callable[[], Board]:
    """Return what gives a new board each time."""
    api, prices = tools.cluster_of(kubectl), kept_prices(settings.azure.region)
    models = {
        engine.name: tuple(model.name for model in engine.models)
        for engine in engines(settings.models, settings.cluster)
    }

    def ask() -> Board:
        seen, notes, counted = overview(api, tools.now()), [note] if note else [], Rates()
        if prometheus:
            try:
                counted = rates(prometheus)
            except OperatorError as error:
                notes.append(error.message)
        states = engine_states(seen.scalers, seen.deployments)
        cost = nodes_cost(((pool.size, pool.spot, pool.nodes) for pool in seen.nodes), prices)
        rows = (Engine(s.name, s.ready, s.replicas, s.suspended, models.get(s.name, ())) for s in states)
        return Board(
            environment=settings.name,
            at=tools.now().astimezone(),
            pools=[Pool(p.pool, p.size, p.spot, p.ready, p.nodes, p.gpus) for p in seen.nodes],
            gpus_in_use=seen.gpus_in_use,
            models=list(model_rows(rows, counted)),
            gpu_nodes=gpu_rows(counted),
            waiting_pods=[f"{pod.namespace}/{pod.name}, {pod.minutes} min: {pod.why}" for pod in seen.waiting],
            usd_per_hour=cost.high / HOURS,
            usd_is_whole=cost.known,
            notes=notes,
        )

    return ask
