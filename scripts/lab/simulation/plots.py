"""What the comparison shows, as pictures."""

from collections.abc import Sequence
from itertools import groupby
from math import ceil, floor, log10
from pathlib import Path

from .compare import Case, waits_before_zero
from .outcome import SLOW_S
from .report import label
from .svg import Axis, Chart, document
from .traffic import DAY_S, HOUR_S, Request

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WAIT_TICKS = ((1, "≤ 1 s"), (10, "10 s"), (60, "1 min"), (300, "5 min"), (900, "15 min"))


def _ticks(high: float, steps: int = 4) -> list[tuple[float, str]]:
    rough = high / steps
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough)
    return [(step * index, f"{step * index:g}") for index in range(ceil(high / step) + 1)]


def _scaled(title: str, values: Sequence[float]) -> Axis:
    ticks = _ticks(max(*values, 1e-6, 0) if values else 1)
    return Axis(title, 0, ticks[-1][0], ticks)


def write(folder: Path, requests: Sequence[Request], cases: Sequence[Case]) -> list[Path]:
    """Write all plots into a folder, which is made if need be, and return the files."""
    pictures = {"week.svg": week(requests, cases), "waits.svg": waits(cases), "trade-off.svg": trade_off(cases)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pictures.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in pictures]


def week(requests: Sequence[Request], cases: Sequence[Case]) -> str:
    """Return arrivals and, below, the GPU nodes that each case pays for, hour by hour."""
    days = ceil(max(case.outcome.days for case in cases))
    x = Axis("", 0, days * 24, [(day * 24, WEEKDAYS[day % 7] if days <= 14 else "") for day in range(days)])
    arrivals = [0] * (days * 24)
    for request in requests:
        if request.arrival_s < days * DAY_S:
            arrivals[int(request.arrival_s // HOUR_S)] += 1
    demand = Chart("Requests per hour", x, _scaled("requests", arrivals), height=180)
    demand.area(list(enumerate(arrivals)), "arrivals")
    charts = [demand]
    for case in cases:
        nodes = [_paid(case, hour) for hour in range(days * 24)]
        most = max(1, ceil(max(nodes)))
        y = Axis("nodes", 0, most, [(count, str(count)) for count in range(most + 1)])
        lane = Chart(f"GPU nodes: {label(case, cases)}", x, y, height=150)
        points = [point for hour, count in enumerate(nodes) for point in ((hour, count), (hour + 1, count))]
        lane.area(points, f"{case.outcome.gpu_hours:.0f} GPU hours, {case.outcome.cost_usd:.2f} USD")
        charts.append(lane)
    return document(charts)


def _paid(case: Case, hour: int) -> float:
    start, end = hour * HOUR_S, (hour + 1) * HOUR_S
    overlap = (max(0.0, min(end, last) - max(start, first)) for first, last in case.outcome.node_intervals_s)
    return sum(overlap) / HOUR_S


def waits(cases: Sequence[Case]) -> str:
    """Return which part of the requests still waits after a time; those without an answer wait for ever."""
    x = Axis("time since arrival", 1, 900, _WAIT_TICKS, logarithmic=True)
    shares = [(share, f"{share:g} %") for share in (0.1, 1, 10, 100)]
    chart = Chart(
        "Requests that still wait", x, Axis("of all requests", 0.1, 100, shares, logarithmic=True), height=340
    )
    for case in cases:
        outcome = case.outcome
        moments = [float(x.low * (x.high / x.low) ** (step / 200)) for step in range(201)]
        still = [100 * outcome.slow_share(moment) for moment in moments]
        chart.line(list(zip(moments, still, strict=True)), label(case, cases))
    return document([chart])


def trade_off(cases: Sequence[Case]) -> str:
    """Return cost against slow answers; lines join the idle times of one policy."""
    costs = [case.outcome.cost_usd * case.outcome.per_week for case in cases]
    slow = [100 * case.outcome.slow_share(SLOW_S) for case in cases]
    chart = Chart(
        "Cost against waiting",
        _scaled("USD per week", costs),
        _scaled(f"% over {SLOW_S} s or 503", slow),
        height=340,
    )
    ordered = sorted(zip(cases, costs, slow, strict=True), key=lambda item: item[0].policy)
    for policy, group in groupby(ordered, key=lambda item: item[0].policy):
        members = list(group)
        texts = [
            f"{case.idle_minutes} min" if waits_before_zero(policy) and len(members) > 1 else ""
            for case, _, _ in members
        ]
        chart.line([(cost, share) for _, cost, share in members], policy.value, dots=texts)
    return document([chart])
