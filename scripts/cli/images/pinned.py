"""`llmctl images pinned`: what is known by digest or commit, who named it, and what is known by its version alone."""

from typing import Annotated

import typer
from rich.table import Table

from scripts.cli.options import AsJson
from scripts.core.console import err, out, print_json
from scripts.images import upstream
from scripts.images.evidence import Pin, explained, read_evidence
from stacks.platform.common import catalogue


def pinned(
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only what is known by its version alone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which images, charts and sources are pinned by digest or commit, who named it, and why others are not.

    Reads helm/ alone and asks nobody. `llmctl images pin` fills what is open, on a machine that reaches the publishers.

    Examples: `llmctl images pinned`, `llmctl images pinned --open --json`
    """
    listed = [*upstream.images_and_sources(catalogue.images()), *upstream.of_charts(catalogue.charts())]
    pins = explained(listed, read_evidence())
    shown = [pin for pin in pins if not (open_only and pin.upstream.pinned)]
    if as_json:
        print_json([_plain(pin) for pin in shown])
        return
    out.print(_table(shown))
    done = sum(pin.upstream.pinned is not None for pin in pins)
    err.print(f"{done} of {len(pins)} are pinned; `llmctl images pin` asks the publishers of the others.")


def _plain(pin: Pin) -> dict[str, str | None]:
    each = pin.upstream
    return {
        "kind": each.kind,
        "name": each.name,
        "reference": each.reference,
        "pinned": each.pinned,
        "why": pin.why,
    }


def _table(pins: list[Pin]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("kind", "name", "version", "pinned", "why"):
        table.add_column(column, no_wrap=column != "why")
    for pin in pins:
        each = pin.upstream
        version = each.reference.rpartition("#" if each.kind == "source" else " " if each.kind == "chart" else ":")[2]
        digest = (each.pinned or "").removeprefix("sha256:")[:12] or "[yellow]by version[/]"
        table.add_row(each.kind, each.name, version, digest, pin.why)
    return table
