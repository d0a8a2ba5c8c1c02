"""Prices are kept for a week by region, and the dated list stands in where nobody can be asked."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripts.core.errors import OperatorError
from scripts.cost import meters
from scripts.cost.charges import Charge
from scripts.cost.meters import Meter
from scripts.cost.prices import kept_prices, listed, prices_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
VM, OTHER = meters.virtual_machine("Standard_D4ds_v5"), meters.virtual_machine("Standard_M8ms")


class Azure:
    """Answers with a price for D4ds_v5 alone, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, region: str, needed: Iterable[Meter]) -> Mapping[str, float]:
        self.asked.append([meter.name for meter in needed])
        return {VM.name: 197.1} if region == "westeurope" else {}


def test_a_region_is_asked_once_a_week_for_what_is_new(tmp_path: Path) -> None:
    azure = Azure()
    for needed in ([VM], [VM], [VM, OTHER], [OTHER]):
        prices = prices_of("westeurope", needed, azure, now=NOW, folder=tmp_path)
    assert azure.asked == [[VM.name], [OTHER.name]]
    assert prices.cost(Charge("nodes", VM, 2, 3)).high == pytest.approx(591.3)
    assert not prices.cost(Charge("nodes", OTHER)).known
    prices_of("westeurope", [VM], azure, now=NOW + timedelta(days=7), folder=tmp_path)
    assert azure.asked[2:] == [[VM.name]]


def test_kept_prices_are_those_of_the_region_or_the_dated_list(tmp_path: Path) -> None:
    prices_of("westeurope", [VM], Azure(), now=NOW, folder=tmp_path)
    assert str(kept_prices("westeurope", now=NOW, folder=tmp_path)) == "Azure's price list, westeurope, 2026-11-30"
    assert kept_prices("northeurope", now=NOW, folder=tmp_path) is listed()
    assert kept_prices("westeurope", now=NOW + timedelta(days=8), folder=tmp_path) is listed()


@pytest.mark.parametrize("content", ["", "[]", '{"day": "soon", "monthly": {}}', '{"day": "2026-11-30"}'])
def test_a_spoilt_file_is_asked_for_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "westeurope.json").write_text(content)
    assert prices_of("westeurope", [VM], Azure(), now=NOW, folder=tmp_path).cost(Charge("n", VM)).known


def test_a_failure_leaves_what_was_kept(tmp_path: Path) -> None:
    def fail(_region: str, _needed: Iterable[Meter]) -> Mapping[str, float]:
        raise OperatorError("no network")

    prices_of("westeurope", [VM], Azure(), now=NOW, folder=tmp_path)
    with pytest.raises(OperatorError):
        prices_of("westeurope", [OTHER], fail, now=NOW, folder=tmp_path)
    assert prices_of("westeurope", [VM], fail, now=NOW, folder=tmp_path).cost(Charge("n", VM)).known
