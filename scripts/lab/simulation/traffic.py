"""Requests over time: generated patterns and recorded traces."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import exp, log
from pathlib import Path
from random import Random

from .assumptions import Traffic

HOUR_S = 3600
DAY_S = 24 * HOUR_S
WEEK_S = 7 * DAY_S
LONGEST_TRACE_S = 366 * DAY_S


class TraceError(Exception):
    """A trace that cannot be used; the message names file, line and fix."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; tokens of the prompt and of the answer."""

    arrival_s: float
    prompt_tokens: int
    answer_tokens: int


def office_hours(at_s: float) -> float:
    """Return the relative demand of an office: two humps on weekdays, a little in the evening, next to none else."""
    day, hour = int(at_s // DAY_S) % 7, at_s % DAY_S / HOUR_S
    if day < 5 and 8 <= hour < 18:
        return 0.55 if 12 <= hour < 13 else 1.0
    if day < 5 and 18 <= hour < 20:
        return 0.15
    return 0.01 if 7 <= hour < 23 else 0.001


def steady(at_s: float) -> float:
    """Return the same demand at any time."""
    del at_s
    return 1.0


def bursty(at_s: float) -> float:
    """Return the demand of batches: a quarter of an hour at 6:10, 10:40, 14:10 and 21:40, almost none between."""
    minute = at_s % DAY_S / 60
    return 1.0 if any(start <= minute < start + 15 for start in (370, 640, 850, 1300)) else 0.002


PATTERNS: dict[str, Callable[[float], float]] = {"office-hours": office_hours, "steady": steady, "bursty": bursty}
_STEP_S = 60


def generate(pattern: str, requests_per_week: float, days: float, traffic: Traffic, seed: int) -> list[Request]:
    """Return Poisson arrivals whose rate follows the pattern, `requests_per_week` on average.

    Raises TraceError for an unknown pattern.
    """
    if pattern not in PATTERNS:
        raise TraceError(f"there is no pattern {pattern}; there are {', '.join(PATTERNS)}")
    shape = PATTERNS[pattern]
    total = sum(shape(step * _STEP_S) * _STEP_S for step in range(WEEK_S // _STEP_S))
    scale = requests_per_week / total
    random = Random(f"{seed} arrivals")  # noqa: S311 - a simulation has to be repeatable
    sizes = Random(f"{seed} sizes")  # noqa: S311
    requests, now = [], 0.0
    while scale and (now := now + random.expovariate(scale)) < days * DAY_S:
        if random.random() < shape(now):
            requests.append(Request(now, *_tokens(traffic, sizes)))
    return requests


def _tokens(traffic: Traffic, random: Random) -> tuple[int, int]:
    medians = (traffic.prompt_tokens_median, traffic.answer_tokens_median)
    prompt, answer = (max(1, round(exp(random.gauss(log(median), traffic.token_spread)))) for median in medians)
    return prompt, answer


def read_trace(path: Path, traffic: Traffic, seed: int) -> list[Request]:
    """Return the requests of a CSV file with the columns `arrival`, and `prompt_tokens`, `answer_tokens` if known.

    `arrival` is in seconds from Monday 00:00, or an ISO 8601 time, which is taken as local and counted from the Monday
    of the earliest. Missing token counts are drawn. Raises TraceError for what cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(csv.DictReader(file), path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TraceError(f"{path} cannot be read as CSV: {error}") from None
    if not rows:
        raise TraceError(f"{path} holds no request")
    first = min(arrival for arrival, _, _ in rows)
    start = first // WEEK_S * WEEK_S
    if max(arrival for arrival, _, _ in rows) - start > LONGEST_TRACE_S:
        raise TraceError(f"{path} spans more than a year; is `arrival` in seconds?")
    random = Random(f"{seed} sizes")  # noqa: S311
    requests = []
    for arrival, prompt, answer in sorted(rows, key=lambda row: row[0]):
        drawn = _tokens(traffic, random)
        requests.append(Request(arrival - start, prompt or drawn[0], answer or drawn[1]))
    return requests


_MONDAY = datetime(1900, 1, 1)
"""A Monday before every trace."""


def _rows(reader: "csv.DictReader[str]", path: Path) -> Iterator[tuple[float, int, int]]:
    if "arrival" not in (reader.fieldnames or ()):
        raise TraceError(f"{path} has no column `arrival`; its first line must name the columns")
    for row in reader:
        try:
            counts = [int(row.get(name) or 0) for name in ("prompt_tokens", "answer_tokens")]
            arrival = _seconds(row["arrival"])
            if min(arrival, *counts) < 0:
                raise ValueError("a negative number")
        except (ValueError, TypeError) as error:
            raise TraceError(f"{path}, line {reader.line_num}: {error}; want seconds or a time, then tokens") from None
        yield arrival, counts[0], counts[1]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return (datetime.fromisoformat(text).replace(tzinfo=None) - _MONDAY).total_seconds()
    if not abs(seconds) < float("inf"):
        raise ValueError(f"{text} is no moment")
    return seconds
