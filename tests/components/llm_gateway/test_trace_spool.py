"""What waits for Opik on disk: in order, within its bound, beyond the life of the process."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.common.catalogue import HELM

KIB = 1024


@pytest.fixture(scope="module")
def spool() -> Any:
    """The class of the gateway's own file, which stands in no package."""
    return runpy.run_path(str(HELM / "litellm" / "trace_spool.py"))["TraceSpool"]


def _batch(name: str, items: int = 1, length: int = 1) -> list[tuple[str, dict[str, Any]]]:
    return [("traces", {"name": name, "text": "x" * length}) for _ in range(items)]


def _names(spool: Any) -> list[str]:
    return [batch[0][1]["name"] for _, batch in spool.batches()]


def test_oldest_comes_first_and_a_new_process_finds_all(spool: Any, tmp_path: Path) -> None:
    folder = tmp_path / "traces"
    for name in ("first", "second", "third"):
        assert spool(folder, 10 * KIB).put(_batch(name)) == 0
    found = spool(folder, 10 * KIB)
    assert _names(found) == ["first", "second", "third"]
    assert found.count() == 3
    assert next(found.batches())[1] == [("traces", {"name": "first", "text": "x"})]


def test_oldest_goes_when_there_is_no_room_and_its_items_are_told(spool: Any, tmp_path: Path) -> None:
    found = spool(tmp_path, 3 * KIB)
    assert found.put(_batch("first", items=4, length=200)) == 0
    assert found.put(_batch("second", length=KIB)) == 0
    assert found.put(_batch("third", length=KIB)) == 4
    assert _names(found) == ["second", "third"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * KIB


def test_batch_larger_than_the_bound_is_told_as_lost_and_moves_nothing(spool: Any, tmp_path: Path) -> None:
    found = spool(tmp_path, KIB)
    assert found.put(_batch("kept")) == 0
    assert found.put(_batch("huge", items=2, length=KIB)) == 2
    assert _names(found) == ["kept"]


def test_half_a_batch_is_none(spool: Any, tmp_path: Path) -> None:
    (tmp_path / "0001.part").write_text('[["traces", {"na')
    assert spool(tmp_path, KIB).count() == 0


def test_nothing_waits_in_a_folder_that_does_not_exist(spool: Any, tmp_path: Path) -> None:
    assert list(spool(tmp_path / "none", KIB).batches()) == []
