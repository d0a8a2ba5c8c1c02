"""`llmctl models fit`: which models of the catalogue run on which pool of an environment, and what a replica costs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.core.console import out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.notes.cloud import token_prices
from scripts.core.targets import default_environment
from scripts.cost.amount import HOURS
from scripts.cost.nodes import nodes_cost
from scripts.cost.prices import Prices, kept_prices
from stacks.settings.cluster import GpuPoolSettings
from stacks.settings.model_catalogue.entries import KIB_PER_GIB, CatalogueModel, Offer, Room, catalogue, room, search


@dataclass(frozen=True)
class Line:
    """One way to serve a model, on one pool."""

    model: CatalogueModel
    offer: Offer
    room: Room
    usd_per_hour: float | None
    """Price of one node of the pool; None where it is not known."""

    @property
    def text(self) -> str:
        """The line as people read it."""
        verdict = self.room.problem or f"fits: {self.room.needed_gib:.1f} of {self.room.usable_gib:.1f} GiB"
        price = "price unknown" if self.usd_per_hour is None else f"{self.usd_per_hour:.2f} USD an hour of its node"
        return (
            f"{self.model.name}: {self.offer.engine} {self.offer.quantization} on {self.room.pool}: {verdict}"
            f" ({price}; {self.model.licence})"
        )

    def as_json(self) -> dict[str, Any]:
        """The line for programs."""
        return {
            "name": self.model.name,
            "licence": self.model.licence,
            "engine": self.offer.engine,
            "id": self.offer.id,
            "quantization": self.offer.quantization,
            "pool": self.room.pool,
            "fits": self.room.fits,
            "problem": self.room.problem,
            "needed_gib": round(self.room.needed_gib, 2),
            "usable_gib": round(self.room.usable_gib, 2),
            "usd_per_hour": None if self.usd_per_hour is None else round(self.usd_per_hour, 3),
        }


def lines(models: list[CatalogueModel], pools: dict[str, GpuPoolSettings], prices: Prices) -> Iterator[Line]:
    """Yield every offer of the models on every pool, with the context that a name alone gets."""
    hourly = {name: _hourly(pool, prices) for name, pool in pools.items()}
    for model in models:
        cache = model.context_tokens * model.kv_cache_kib_per_token / KIB_PER_GIB
        for offer in model.offers:
            for name, pool in pools.items():
                found = room(offer, name, pool.model_dump(), cache_gib=cache)
                if found:
                    yield Line(model, offer, found, hourly[name])


def _hourly(pool: GpuPoolSettings, prices: Prices) -> float | None:
    cost = nodes_cost([(pool.vm_size, pool.priority == "spot", 1)], prices)
    return cost.high / HOURS if cost.known else None


def fit(
    context: typer.Context,
    environment: Environment = None,
    *,
    word: Annotated[str, typer.Option("--like", metavar="WORD", help="Part of a name; left out, all that fit.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show which models of the catalogue run on which pool of an environment, and what a replica costs an hour.

    Without a word only what fits; with one, also what does not, and why. Reads files alone, not the cluster.

    Examples: `llmctl models fit dev`, `llmctl models fit prod --like qwen3`
    """
    settings = tools_of(context).load(environment or default_environment())
    models = search(word) if word else list(catalogue().values())
    if not models:
        raise OperatorError(f"no model of the catalogue is like {word}", "llmctl models fit shows all", ExitCode.USAGE)
    found = list(lines(models, settings.cluster.gpu_pools, kept_prices(settings.azure.region)))
    shown = found if word else [line for line in found if line.room.fits]
    if as_json:
        print_json([line.as_json() for line in shown])
        return
    for line in shown:
        out.print(line.text, markup=False)
    for outside in token_prices(settings.cloud_models):
        out.print(f"outside the network, on no GPU: {outside}", markup=False)
