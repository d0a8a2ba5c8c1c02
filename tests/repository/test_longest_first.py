"""Modules of rehearsals begin before those of the fast set, and stay whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.support.longest_first import MARKERS, pytest_collection_modifyitems
from tests.support.program_gate import MARKERS as OUTSIDE_THE_FAST_SET


@dataclass(frozen=True)
class Item:
    path: Path
    name: str
    markers: tuple[str, ...] = ()

    def iter_markers(self) -> list[pytest.Mark]:
        return [pytest.Mark(name, (), {}, _ispytest=True) for name in self.markers]


def test_long_modules_begin_and_stay_whole() -> None:
    fast, mixed, long = Path("test_a.py"), Path("test_b.py"), Path("test_c.py")
    items = [
        Item(fast, "first"),
        Item(fast, "second", ("parametrize",)),
        Item(mixed, "quick"),
        Item(mixed, "rendering", ("programs",)),
        Item(long, "on a cluster", ("cluster",)),
        Item(long, "deployed", ("cluster", "rehearsal")),
    ]
    pytest_collection_modifyitems(cast("list[pytest.Item]", items))
    assert [item.name for item in items] == ["on a cluster", "deployed", "quick", "rendering", "first", "second"]


def test_every_kind_that_takes_time_has_a_place() -> None:
    assert set(MARKERS) == OUTSIDE_THE_FAST_SET - {"live"}, "live tests have a run of their own"
