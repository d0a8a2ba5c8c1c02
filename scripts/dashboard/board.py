"""What the dashboard shows at one moment, put together from what the cluster lists and what Prometheus counts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .rates import Rates


@dataclass(frozen=True)
class Engine:
    """One engine as the cluster has it."""

    name: str
    ready: int
    replicas: int
    suspended: bool
    models: tuple[str, ...]


@dataclass(frozen=True)
class Pool:
    """Nodes of one pool that are alike."""

    name: str
    size: str
    spot: bool
    ready: int
    nodes: int
    gpus: int


@dataclass(frozen=True)
class ModelRow:
    """One model."""

    name: str
    engine: str
    state: str
    requests_per_minute: float
    tokens_per_second: float
    open: int
    """Requests at its engine, those of the engine's other models included."""
    waiting: int
    """Of them, those that nothing answers yet."""


@dataclass(frozen=True)
class GpuRow:
    """The GPUs of one node."""

    node: str
    percent: float
    memory: float
    """Share in use, 0 to 1."""


@dataclass(frozen=True)
class Board:
    """All of it."""

    environment: str
    at: datetime
    pools: Sequence[Pool]
    gpus_in_use: int
    models: Sequence[ModelRow]
    gpu_nodes: Sequence[GpuRow]
    waiting_pods: Sequence[str]
    usd_per_hour: float
    usd_is_whole: bool
    """Whether the price of every node is known."""
    notes: Sequence[str] = ()
    """What could not be read."""

    @property
    def people_waiting(self) -> int:
        """Requests that nothing answers yet, each engine counted once."""
        return sum({row.engine: row.waiting for row in self.models}.values())

    @property
    def tokens_per_second(self) -> float:
        """Of all models together."""
        return sum(row.tokens_per_second for row in self.models)


def model_rows(engines: Iterable[Engine], rates: Rates) -> Iterator[ModelRow]:
    """Return a row for each model."""
    for engine in engines:
        open_ = round(rates.open.get(engine.name, 0))
        queued = sum(rates.queued.get(model, 0) for model in engine.models)
        waiting = round(queued) if engine.ready else open_
        for model in engine.models:
            yield ModelRow(
                model,
                engine.name,
                _state(engine),
                60 * rates.requests.get(model, 0),
                rates.tokens.get(model, 0),
                open_,
                waiting,
            )


def gpu_rows(rates: Rates) -> list[GpuRow]:
    """Return a row for each node with a GPU."""
    nodes = sorted(set(rates.gpu_percent) | set(rates.gpu_memory))
    return [GpuRow(node, rates.gpu_percent.get(node, 0), _share(rates.gpu_memory, node)) for node in nodes if node]


def _share(found: Mapping[str, float], node: str) -> float:
    share = found.get(node, 0)
    return share if share == share else 0  # noqa: PLR0124 - NaN, of a card that reports no memory


def _state(engine: Engine) -> str:
    if engine.suspended:
        return "suspended"
    if engine.ready:
        return "loaded" if engine.ready == engine.replicas else f"{engine.ready} of {engine.replicas} loaded"
    return "starting" if engine.replicas else "at zero"
