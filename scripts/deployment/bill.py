"""What a first deployment will cost a month, told before anybody agrees to it."""

from collections.abc import Callable, Mapping

from scripts.core.workspace import Stack
from scripts.cost.amount import Cost
from scripts.cost.charges import Charge
from scripts.cost.estimate import charges, estimate, kept_nodes, with_kept_nodes, with_spill_over
from scripts.cost.sources import prices_in_passing
from scripts.review.plan import total
from scripts.terraform.rollout import Rollout
from stacks.settings import Settings

CLUSTER = "aks"


def first_bill(run: Rollout, load: Callable[[], Settings]) -> str | None:
    """Return a sentence about the bill where the plans make a cluster and touch nothing that stands; else None.

    `load` gives the settings, which are read in that case only.
    """
    changes = total(run.plans.values())
    cluster = run.plans.get(CLUSTER)
    touched = changes.update or changes.replace or changes.destroy or changes.move
    if CLUSTER not in run.stacks or touched or not changes.create or (cluster and not cluster.changes.create):
        return None
    settings = load()
    found = expected(settings, run.stacks)
    bill = estimate(settings.name, found, prices_in_passing(settings.azure.region, (charge for _, charge in found)))
    return f"This will cost about {_span(bill.total)} USD a month ({bill.prices}): llmctl cost {settings.name}"


def expected(settings: Settings, stacks: Mapping[str, Stack]) -> list[tuple[str, Charge]]:
    """Return what Azure will bill of synthesized stacks, by their names, with the nodes that the pods keep."""
    kept = kept_nodes(settings)
    found = charges({name: stack.folder for name, stack in stacks.items()})
    return [(name, with_spill_over(with_kept_nodes(charge, kept), settings)) for name, charge in found]


def _span(cost: Cost) -> str:
    low, high = f"{cost.low:,.0f}", f"{cost.high:,.0f}"
    return low if low == high else f"{low} (nothing asked) to {high} (all pools full)"
