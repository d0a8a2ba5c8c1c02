"""The capacity page says what was measured and when, and keeps it apart from what is computed."""

from typing import Any

from scripts.cli.models.capacity import NOTHING, PAGE, measured, renewed

LEVEL: dict[str, Any] = {
    "people": 4, "answers": 8, "failed": 1, "first_s": 0.4, "first_p95_s": 1.25, "person_tokens_per_s": None,
    "tokens_per_s": 81.25, "problem": "503: no GPU",
}  # fmt: skip


def test_the_page_is_current() -> None:
    page = PAGE.read_text("utf-8")
    assert page == renewed(page), "python -m scripts.cli.models.capacity"


def test_what_bench_prints_is_a_line_for_each_number_of_people() -> None:
    found = {"model": "qwen2-5-7b", "gpu": "1 x T4", "date": "2026-12-01", "levels": [LEVEL]}
    line = measured([found]).splitlines()[-1]
    assert line == "| qwen2-5-7b | 1 x T4 | 2026-12-01 | 4 | 0.40 | 1.25 | - | 81.2 | 1 of 8 |"


def test_without_a_measurement_the_page_says_so() -> None:
    assert measured([]) == NOTHING
