"""Asks the Azure Retail Prices API, which needs no login: https://prices.azure.com/api/retail/prices."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import httpx

from scripts.core.errors import ExitCode, OperatorError

from .meters import Meter

URL = "https://prices.azure.com/api/retail/prices"
VERSION = "2023-01-01-preview"
GLOBAL = ("Global", "", "Zone 1")
"""Regions under which prices stand that are the same everywhere; those of Azure DNS are by billing zone."""
ATTEMPTS = 4
_MOST_PAGES = 50
_LONGEST_WAIT_S = 30.0

Wait = Callable[[float], None]


def retail_prices(
    region: str, meters: Iterable[Meter], *, client: httpx.Client | None = None, wait: Wait = time.sleep
) -> dict[str, float]:
    """Return the prices a month in US dollars, by the meters' names; those that Azure does not list are missing.

    Raises OperatorError when the price list cannot be read.
    """
    questions: defaultdict[str, list[Meter]] = defaultdict(list)
    for meter in meters:
        questions[_filter(region, meter)].append(meter)
    own = httpx.Client(timeout=20) if client is None else nullcontext(client)
    with own as http, ThreadPoolExecutor(max_workers=6) as pool:
        answers = dict(zip(questions, pool.map(lambda asked: _items(http, asked, wait), questions), strict=True))
        found: dict[str, float] = {}
        for asked, those in questions.items():
            for meter in those:
                price = meter.monthly(answers[asked])
                if price is None and not meter.size:
                    price = _everywhere(http, meter, wait)
                if price is not None:
                    found[meter.name] = price
    return found


def _everywhere(http: httpx.Client, meter: Meter, wait: Wait) -> float | None:
    for place in GLOBAL:
        price = meter.monthly(_items(http, _filter(place, meter), wait))
        if price is not None:
            return price
    return None


def _filter(region: str, meter: Meter) -> str:
    terms = [f"armRegionName eq '{region}'", f"serviceName eq '{meter.service}'", "priceType eq 'Consumption'"]
    if meter.size:
        terms.append(f"armSkuName eq '{meter.size}'")
    return " and ".join(terms)


def _items(http: httpx.Client, asked: str, wait: Wait) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    page: httpx.Request | None = http.build_request("GET", URL, params={"api-version": VERSION, "$filter": asked})
    for _ in range(_MOST_PAGES):
        if page is None:
            break
        content = _answer(http, page, wait)
        items, more = content.get("Items"), content.get("NextPageLink")
        if not isinstance(items, list):
            raise _unreadable("an answer without a list of prices")
        found += [item for item in items if isinstance(item, dict)]
        page = http.build_request("GET", more) if more else None
    return found


def _answer(http: httpx.Client, request: httpx.Request, wait: Wait) -> dict[str, Any]:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = http.send(request)
        except httpx.HTTPError as error:
            raise _unreadable(str(error) or type(error).__name__) from None
        if answer.status_code == httpx.codes.OK:
            break
        if attempt == ATTEMPTS or not (answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error):
            raise _unreadable(f"status {answer.status_code}")
        asked = answer.headers.get("Retry-After", "")
        wait(min(float(asked) if asked.isdigit() else 2.0**attempt, _LONGEST_WAIT_S))
    try:
        content = answer.json()
    except ValueError:
        raise _unreadable("an answer that is no JSON") from None
    if not isinstance(content, dict):
        raise _unreadable("an answer of another shape")
    return content


def _unreadable(why: str) -> OperatorError:
    return OperatorError(
        f"Azure's price list cannot be read: {why}",
        "check the network and the proxy (HTTPS_PROXY), or use the dated list: --offline",
        ExitCode.NOT_READY,
    )
