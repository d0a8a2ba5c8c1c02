"""What the LLM gateway counted over a period: dollars, requests and tokens of teams, keys, models, people or days.

From LiteLLM's daily counts, which it writes about once a minute and keeps when keys are gone
(litellm/proxy/management_endpoints/common_daily_activity.py, 1.101). Days are those of UTC.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from .api import GatewayApi

PAGE = 1000
NO_TEAM, NO_KEY = "(no team)", "(key without a name)"


class By(StrEnum):
    """Of what the sums are."""

    TEAM = "team"
    MODEL = "model"
    KEY = "key"
    PERSON = "person"
    DAY = "day"


@dataclass(frozen=True)
class Spend:
    """A sum over the period."""

    name: str
    usd: float = 0.0
    """US dollars at the prices of the environment file."""
    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def plus(self, metrics: Mapping[str, Any]) -> "Spend":
        """Return the sum with what LiteLLM's metrics of one day count."""
        return Spend(
            self.name,
            self.usd + float(metrics.get("spend") or 0),
            self.requests + int(metrics.get("api_requests") or 0),
            self.failed + int(metrics.get("failed_requests") or 0),
            self.prompt_tokens + int(metrics.get("prompt_tokens") or 0),
            self.completion_tokens + int(metrics.get("completion_tokens") or 0),
        )


def spend(api: GatewayApi, by: By, first: date, last: date) -> list[Spend]:
    """Return the sums from `first` to `last`, both included, the largest first. Raises OperatorError."""
    period = {"start_date": first.isoformat(), "end_date": last.isoformat()}
    if by is By.PERSON:
        days: Iterable[dict[str, Any]] = _people(api, period)
    else:
        days = api.call("GET", f"/user/daily/activity/aggregated?{urlencode(period)}")["results"]
    found: dict[str, Spend] = {}
    for day in days:
        for name, metrics in _parts(day, by):
            found[name] = found.get(name, Spend(name)).plus(metrics)
    if by is By.DAY:
        return sorted(found.values(), key=lambda item: item.name)
    return sorted(found.values(), key=lambda item: (-item.usd, -item.requests, item.name))


def _people(api: GatewayApi, period: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        query = urlencode({**period, "page": page, "page_size": PAGE})
        answer = api.call("GET", f"/customer/daily/activity?{query}")
        yield from answer["results"]
        if page >= int(answer["metadata"].get("total_pages") or 1):
            return
        page += 1


def _parts(day: Mapping[str, Any], by: By) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if by is By.DAY:
        yield str(day["date"]), day["metrics"]
        return
    parts = day["breakdown"]
    if by in (By.TEAM, By.KEY):
        for key in parts["api_keys"].values():
            about = key.get("metadata") or {}
            name = about.get("team_id") or NO_TEAM if by is By.TEAM else about.get("key_alias") or NO_KEY
            yield name, key["metrics"]
        return
    for name, part in parts["model_groups" if by is By.MODEL else "entities"].items():
        yield name, part["metrics"]


def total(found: Iterable[Spend]) -> Spend:
    """Return the sum of sums."""
    sums: dict[str, float] = defaultdict(float)
    for item in found:
        for name in ("usd", "requests", "failed", "prompt_tokens", "completion_tokens"):
            sums[name] += getattr(item, name)
    return Spend(
        "total",
        sums["usd"],
        int(sums["requests"]),
        int(sums["failed"]),
        int(sums["prompt_tokens"]),
        int(sums["completion_tokens"]),
    )
