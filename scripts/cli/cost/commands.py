"""The command, its table and its JSON."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from scripts.cli.options import AsJson, Environment
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.notes.cloud import token_prices
from scripts.core.processes import Processes
from scripts.core.targets import default_environment
from scripts.core.workspace import Workspace
from scripts.cost import estimate as bills
from scripts.cost.amount import Cost
from scripts.cost.estimate import Estimate
from scripts.cost.sources import Sources as PriceSources
from scripts.terraform.state.places import settings_of
from scripts.terraform.synthesis import synthesize
from stacks.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode="rich")

PROGRAM = Path(__file__).with_name("synthesized.py")
NOTHING_ASKED, ALL_FULL = "nothing asked", "all pools full"


def _write_stacks(settings: Settings, workspace: Workspace) -> None:
    file = workspace.base / f"{settings.name}.json"
    file.write_text(settings.model_dump_json(exclude_unset=True), "utf-8")
    synthesize(workspace, Processes(), PROGRAM, (str(file), str(workspace.output)))


@dataclass(frozen=True)
class Sources(PriceSources):
    """Where stacks and prices come from; tests hand over another one as `obj`."""

    write_stacks: Callable[[Settings, Workspace], None] = _write_stacks


@app.command()
def cost(
    context: typer.Context,
    environment: Environment = None,
    *,
    compare: Annotated[
        str | None,
        typer.Option(metavar="OTHER", help="Environment, or REVISION:ENV in git, to show the difference to."),
    ] = None,
    gpu_hours: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POOL=HOURS",
            help="Node hours a month of a pool instead of its range; repeatable. `llmctl simulate scaling` shows some.",
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Take the dated list of this release (East US) instead of Azure's.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Estimate what an environment costs a month, by stack and resource.

    Prices are those that Azure lists publicly for the environment's region, kept for a week. Contracts, reservations,
    traffic and what is billed by use are not in it. Two figures: while nobody asks, and with every pool full.

    Examples: `llmctl cost prod --gpu-hours t4=200`, `llmctl cost dev --compare HEAD:dev`
    """
    sources = context.find_object(Sources) or Sources()
    name, hours = environment or default_environment(), dict(_hours(gpu_hours or []))
    chosen = settings_of(name)
    if unknown := hours.keys() - {*chosen.cluster.gpu_pools, "workload", "system"}:
        raise OperatorError(
            f"no such pool: {', '.join(sorted(unknown))}",
            f"the pools are {', '.join(['system', 'workload', *chosen.cluster.gpu_pools])}",
            ExitCode.USAGE,
        )
    mine = _bill(name, chosen, hours, sources, offline=offline)
    other = _bill(compare, settings_of(compare), hours, sources, offline=offline) if compare else None
    if as_json:
        print_json(_as_json(mine, other))
    elif other:
        _show_difference(other, mine)
    else:
        _show(mine)
    if (outside := ", ".join(token_prices(chosen.cloud_models))) and not as_json:
        err.print(f"Not in it, billed by tokens outside: {outside}.", markup=False)
    share = chosen.cluster.off_hours.share()
    if share < 1 and not as_json:
        err.print(
            f"Off-hours: nodes and API are counted for {share:.0%} of the time (cluster.off_hours).", markup=False
        )


def _hours(given: Sequence[str]) -> Iterator[tuple[str, float]]:
    for text in given:
        pool, _, hours = text.partition("=")
        try:
            amount = float(hours)
        except ValueError:
            amount = -1
        if not pool or not 0 <= amount <= 1e6:
            raise OperatorError(f"--gpu-hours {text!r} is no POOL=HOURS", "write such as t4=200", ExitCode.USAGE)
        yield pool, amount


def _bill(word: str, settings: Settings, hours: dict[str, float], sources: Sources, *, offline: bool) -> Estimate:
    with tempfile.TemporaryDirectory(prefix="llmctl-cost-") as folder:
        workspace = Workspace(settings.name, base=Path(folder))
        with err.status(f"Reading the stacks of {word}"):
            sources.write_stacks(settings, workspace)
        stacks = {name: stack.folder for name, stack in workspace.stacks().items()}
        kept, share = bills.kept_nodes(settings), settings.cluster.off_hours.share()
        found = [
            (stack, bills.with_gpu_hours(bills.with_spill_over(bills.with_off_hours(each, share), settings), hours))
            for stack, charge in bills.charges(stacks)
            for each in (bills.with_kept_nodes(charge, kept),)
        ]
    with err.status("Reading prices"):
        prices = sources.prices(settings.azure.region, [charge for _, charge in found], offline=offline)
    return bills.estimate(word, found, prices)


def _span(cost: Cost) -> tuple[str, str]:
    if not cost.known:
        return "no price", ""
    low, high = f"{cost.low:,.2f}", f"{cost.high:,.2f}"
    return low, high if high != low else ""


def _show(bill: Estimate) -> None:
    table = Table("Stack", "What", box=None, header_style="bold", pad_edge=False)
    for title in (NOTHING_ASKED, ALL_FULL):
        table.add_column(title, justify="right")
    for stack in dict.fromkeys(line.stack for line in bill.lines):
        first = stack
        for line in (line for line in bill.lines if line.stack == stack and line.cost.known):
            table.add_row(first, bills.named(line), *_span(line.cost))
            first = ""
        if bill.of_stack(stack) != Cost():
            table.add_row("", f"[bold]{stack} together[/]", *_span(bill.of_stack(stack)))
    table.add_row("[bold]all[/]", f"[bold]{bill.environment}, USD a month[/]", *_span(bill.total))
    out.print(table)
    _notes(bill)


def _show_difference(before: Estimate, after: Estimate) -> None:
    table = Table("Stack", "What", box=None, header_style="bold", pad_edge=False)
    for title in (before.environment, after.environment):
        table.add_column(title, justify="right")
    for line in bills.differences(before, after):
        table.add_row(line.stack, line.what, _range(line.before), _range(line.after))
    table.add_row("[bold]all[/]", "[bold]USD a month[/]", _range(before.total), _range(after.total))
    out.print(table)
    change = Cost(after.total.low - before.total.low, after.total.high - before.total.high)
    out.print(f"{after.environment} against {before.environment}: {change}", markup=False)
    _notes(after)


def _range(cost: Cost) -> str:
    return " to ".join(filter(None, _span(cost)))


def _notes(bill: Estimate) -> None:
    err.print(f"Prices: {bill.prices}; pay as you go, without traffic.", markup=False)
    if bill.unpriced:
        err.print(f"Without a price here: {', '.join(bill.unpriced)}.", markup=False)


def _as_json(bill: Estimate, other: Estimate | None) -> dict[str, Any]:
    document = {
        "environment": bill.environment,
        "currency": "USD",
        "prices": {"source": bill.prices.source, "region": bill.prices.region, "date": bill.prices.day.isoformat()},
        "lines": [
            {"stack": line.stack, "what": line.what, "count": line.count, **_amounts(line.cost)} for line in bill.lines
        ],
        "total_per_month": _amounts(bill.total),
        "unpriced": bill.unpriced,
    }
    if other:
        document["compared_with"] = {"environment": other.environment, "total_per_month": _amounts(other.total)}
        document["differences"] = [
            {"stack": line.stack, "what": line.what, "before": _amounts(line.before), "after": _amounts(line.after)}
            for line in bills.differences(other, bill)
        ]
    return document


def _amounts(cost: Cost) -> dict[str, float | None]:
    return {"low": round(cost.low, 2) if cost.known else None, "high": round(cost.high, 2) if cost.known else None}
