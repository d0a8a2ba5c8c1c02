"""What a set costs at most: each snapshot in full, at the price of the region that it lies in."""

from datetime import date

from scripts.backup import cost
from scripts.cost.prices import Prices
from tests.support.backup.environment import Backed

MONTHLY = {"westeurope": 0.05, "northeurope": 0.1}


def prices(region: str) -> Prices:
    known = {"disk snapshot GiB": MONTHLY[region]} if region in MONTHLY else {}
    return Prices(region, date(2026, 11, 30), "a list", known)


def test_a_copy_is_counted_at_the_price_of_its_own_region() -> None:
    alone = Backed().making().run()
    copied = Backed("backups: {copy_to_region: northeurope}\n").making().run()
    assert {snapshot.copy_region for snapshot in copied.snapshots} == {"northeurope"}
    assert cost.in_words(cost.most(alone, prices)) == "at most 12.80 USD a month"
    assert cost.in_words(cost.most(copied, prices)) == "at most 38.40 USD a month"
    assert cost.together([alone, copied], prices).high == 51.2


def test_a_region_without_a_price_makes_the_whole_unknown() -> None:
    copied = Backed("backups: {copy_to_region: swedencentral}\n").making().run()
    assert cost.in_words(cost.most(copied, prices)) == "no price"
