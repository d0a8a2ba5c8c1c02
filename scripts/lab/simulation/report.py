"""Cases as a table and as data."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from .compare import Case, waits_before_zero
from .outcome import SLOW_S
from .sources import Origin

COLUMNS = (
    "policy",
    "GPU h/week",
    "USD/week",
    "p50 wait",
    "p95 wait",
    "p99 wait",
    f"> {SLOW_S} s or 503",
    "cold starts",
    "503",
    "USD/1000",
)


def label(case: Case, cases: Sequence[Case]) -> str:
    """Return a case's name: its policy, and what tells it apart from the others of that policy."""
    parts = [case.policy.value]
    same = [other for other in cases if other.policy is case.policy]
    if waits_before_zero(case.policy) and len({other.idle_minutes for other in same}) > 1:
        parts.append(f"idle {case.idle_minutes} min")
    if len({other.max_replicas for other in same}) > 1:
        parts.append(f"max {case.max_replicas}")
    if len({other.pools for other in same}) > 1:
        parts.append("first pool alone" if case.pools == 1 else f"{case.pools} pools")
    return ", ".join(parts)


def seconds(value: float) -> str:
    """Return a duration for people."""
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.1f} min"


def row(case: Case, cases: Sequence[Case]) -> list[str]:
    """Return a case's line of the table; GPU hours, cost and cold starts are for a week."""
    outcome = case.outcome
    per_thousand = outcome.usd_per_1000_answers
    return [
        label(case, cases),
        f"{outcome.gpu_hours * outcome.per_week:.0f}",
        f"{outcome.cost_usd * outcome.per_week:.2f}",
        *(seconds(outcome.wait_s(share)) for share in (0.5, 0.95, 0.99)),
        f"{outcome.slow_share(SLOW_S):.1%}",
        f"{outcome.cold_starts * outcome.per_week:.0f}",
        f"{outcome.refused + outcome.timed_out}",
        "" if per_thousand is None else f"{per_thousand:.2f}",
    ]


def table(title: str, cases: Sequence[Case]) -> Table:
    """Return the table for a terminal."""
    shown = Table(title=title, title_justify="left")
    for index, column in enumerate(COLUMNS):
        shown.add_column(column, justify="right" if index else "left")
    for case in cases:
        shown.add_row(*row(case, cases))
    return shown


def markdown(cases: Sequence[Case]) -> str:
    """Return the table as Markdown."""
    aligned = ["---"] + ["---:"] * (len(COLUMNS) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in (COLUMNS, aligned, *(row(case, cases) for case in cases)))


def assumptions_markdown(origins: Sequence[Origin]) -> str:
    """Return the assumptions with their sources as a Markdown table."""
    lines = ["| assumption | value | source |", "| --- | --- | --- |"]
    for origin in origins:
        value = origin.value
        shown = ", ".join(f"{key}: {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)
        source = " ".join(origin.source.split())
        lines.append(f"| `{origin.key}` | {shown} | {source}{'' if origin.verified else ' **(unverified)**'} |")
    return "\n".join(lines)


def plain(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return the cases for a program."""
    return [
        {
            "idle_minutes": case.idle_minutes,
            "max_replicas": case.max_replicas,
            "pools": case.pools,
            **case.outcome.plain(),
        }
        for case in cases
    ]
