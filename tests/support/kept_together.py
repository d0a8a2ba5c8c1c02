"""A pytest plugin: live modules that ask the same running programs stay in one process of a parallel run.

Each process starts what its tests ask, and the chat with everything behind it takes a minute. Every other live module
is a group of its own. The groups of many modules come first, so that no process begins one when the others end.
"""

from pathlib import Path

import pytest

SHARED = ("chat", "stage")
"""Fixtures of programs that many modules ask, the one that needs the others first."""


@pytest.hookimpl(tryfirst=True)  # Before pytest-xdist writes the groups down.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each live test with the group of its module (`--dist loadgroup`), and sort by it; all other tests stay."""
    groups: dict[Path, int] = {}
    live = [item for item in items if item.get_closest_marker("live")]
    for item in live:
        groups[item.path] = min(groups.get(item.path, len(SHARED)), place(item))
    for item in live:
        group = groups[item.path]
        name = SHARED[group] if group < len(SHARED) else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: groups.get(item.path, -1))


def place(item: pytest.Item) -> int:
    """Return the place of the first shared fixture that a test needs; a test without any comes last."""
    needed = getattr(item, "fixturenames", ())
    return next((place for place, name in enumerate(SHARED) if name in needed), len(SHARED))
