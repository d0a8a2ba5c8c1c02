"""A pytest plugin: modules that take minutes begin first.

Test processes take one module after the other, and at the end all wait for the last. pytest-xdist by itself begins with
the modules of the most tests, and so ends with rehearsals of one test each.
"""

import pytest

MARKERS = ("rehearsal", "cluster", "images", "policy", "programs", "slow")
"""Markers of tests that are no part of the fast set, those of the longest modules first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort modules by the longest kind of their tests; within a module, and a kind, the order stays."""
    ranks: dict[object, int] = {}
    for item in items:
        ranks[item.path] = min(ranks.get(item.path, len(MARKERS)), rank(item))
    items.sort(key=lambda item: ranks[item.path])


def rank(item: pytest.Item) -> int:
    """Return the place of the test's first marker in `MARKERS`; a test without any comes last."""
    found = {mark.name for mark in item.iter_markers()}
    return next((place for place, name in enumerate(MARKERS) if name in found), len(MARKERS))
