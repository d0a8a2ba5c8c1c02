"""The checks of `scripts/check` and `llmctl test`, as they are started."""

import os

from scripts.gates.source_checks import fast_tests, live_shared_out, shared_out


def test_test_modules_are_shared_out_whole() -> None:
    assert shared_out(3) == ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")


def test_every_processor_takes_part() -> None:
    assert shared_out()[:2] == ("-n", str((os.cpu_count() or 1) + 1))
    assert "--dist" in fast_tests().command


def test_nothing_is_shared_out_on_request() -> None:
    assert shared_out(0) == ()


def test_live_modules_are_shared_out_by_the_programs_that_they_ask() -> None:
    assert live_shared_out(1) == ("-n", "1", "--dist", "loadgroup", "--no-loadscope-reorder")
    assert live_shared_out()[:2] == ("-n", str(min(os.cpu_count() or 1, 2)))
    assert live_shared_out(0) == ()
