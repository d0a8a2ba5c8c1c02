"""Azure's price list is asked narrowly, read to its end, and never guessed from."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.cost import meters
from scripts.cost.meters import Meter
from scripts.cost.retail import retail_prices

VM = meters.virtual_machine("Standard_D4ds_v5")
SPOT = meters.virtual_machine("Standard_D4ds_v5", spot=True)


def item(**changed: Any) -> dict[str, Any]:
    return {
        "type": "Consumption",
        "retailPrice": 0.27,
        "tierMinimumUnits": 0.0,
        "unitOfMeasure": "1 Hour",
        "productName": "Virtual Machines Ddsv5 Series",
        "skuName": "Standard_D4ds_v5",
        "meterName": "D4ds v5",
        "armSkuName": "Standard_D4ds_v5",
    } | changed


MACHINES = [
    item(),
    item(retailPrice=0.06, skuName="Standard_D4ds_v5 Spot", meterName="D4ds v5 Spot"),
    item(retailPrice=0.1, skuName="Standard_D4ds_v5 Low Priority"),
    item(retailPrice=0.45, productName="Virtual Machines Ddsv5 Series Windows"),
    item(retailPrice=1400.0, type="Reservation", unitOfMeasure="1 Hour"),
]


def asked(handler: Callable[[httpx.Request], httpx.Response], *needed: Meter) -> dict[str, float]:
    waits: list[float] = []
    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        return retail_prices("westeurope", needed, client=client, wait=waits.append)


def page(items: list[dict[str, Any]], more: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"Items": items, "NextPageLink": more})


def test_linux_and_spot_prices_are_told_apart_and_counted_for_a_month() -> None:
    found = asked(lambda _request: page(MACHINES), VM, SPOT)
    assert found == {"vm Standard_D4ds_v5": pytest.approx(197.1), "vm Standard_D4ds_v5 spot": pytest.approx(43.8)}


def test_a_question_names_region_service_and_size() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.params["$filter"])
        return page(MACHINES)

    asked(answer, VM, SPOT)
    (question,) = seen
    assert question.split(" and ") == [
        "armRegionName eq 'westeurope'",
        "serviceName eq 'Virtual Machines'",
        "priceType eq 'Consumption'",
        "armSkuName eq 'Standard_D4ds_v5'",
    ]


def test_every_page_is_read() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "skip" in str(request.url):
            return page(MACHINES)
        return page([], "https://prices.azure.com/api/retail/prices?skip=100")

    assert "vm Standard_D4ds_v5" in asked(answer, VM)


def test_two_prices_that_fit_are_no_price() -> None:
    assert asked(lambda _request: page([item(), item(retailPrice=0.3)]), VM) == {}


def test_a_price_that_is_the_same_everywhere_is_found_too() -> None:
    endpoint = item(
        productName="Virtual Network Private Link",
        meterName="Standard Private Endpoint",
        retailPrice=0.01,
        armSkuName="",
    )

    def answer(request: httpx.Request) -> httpx.Response:
        return page([endpoint] if "'Global'" in request.url.params["$filter"] else [])

    assert asked(answer, meters.PRIVATE_ENDPOINT) == {"private endpoint": pytest.approx(7.3)}


def test_a_postgresql_server_is_paid_by_its_cores() -> None:
    server = item(
        productName="Azure Database for PostgreSQL Flexible Server General Purpose - Ddsv5 Series Compute",
        skuName="1 vCore",
        meterName="vCore",
        retailPrice=0.1,
    )
    meter = meters.postgresql_compute("GP_Standard_D4ds_v5")
    assert meter
    assert asked(lambda _request: page([server]), meter) == {meter.name: pytest.approx(0.1 * 730 * 4)}


def test_a_busy_list_is_asked_again_and_one_that_stays_away_is_one_sentence() -> None:
    answers = [httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(503), page(MACHINES)]
    waits: list[float] = []
    with httpx.Client(transport=httpx.MockTransport(lambda _request: answers.pop(0))) as client:
        assert retail_prices("westeurope", [VM], client=client, wait=waits.append)
    assert waits == [7.0, 4.0]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(400),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"Items": None}),
    ],
    ids=["down", "refused", "no JSON", "a list", "no items"],
)
def test_an_answer_that_cannot_be_read_says_so(answer: httpx.Response) -> None:
    with pytest.raises(OperatorError, match="Azure's price list cannot be read") as refusal:
        asked(lambda _request: answer, VM)
    assert refusal.value.code == ExitCode.NOT_READY
    assert "--offline" in (refusal.value.fix or "")


def test_no_network_says_so() -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to host")

    with pytest.raises(OperatorError, match="no route to host"):
        asked(fail, VM)


def test_snapshots_of_disks_have_one_price_on_either_redundancy_and_none_where_they_differ() -> None:
    lrs = item(
        retailPrice=0.05,
        unitOfMeasure="1 GB/Month",
        productName="Standard HDD Managed Disks",
        skuName="Snapshots LRS",
        meterName="LRS Snapshots",
        armSkuName="",
    )
    zrs = lrs | {"skuName": "Snapshots ZRS", "meterName": "ZRS Snapshots"}
    premium = lrs | {"productName": "Premium SSD Managed Disks", "retailPrice": 0.132}
    assert meters.DISK_SNAPSHOT.monthly([lrs, zrs, premium]) == 0.05
    assert meters.DISK_SNAPSHOT.monthly([lrs, zrs | {"retailPrice": 0.06}]) is None
