"""The page of symptoms is what the command looks for."""

from scripts.diagnostics.doctor.page import PAGE, page
from scripts.diagnostics.doctor.problems import PROBLEMS


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(PROBLEMS), "run: llmctl docs symptoms --write"


def test_what_a_trial_searched_for_is_found() -> None:
    text = page(PROBLEMS)
    for word in (
        "ImagePull",
        "AADSTS",
        "pending-upgrade",
        "nvidia.com/gpu",
        "Terminating",
        "OOMKilled",
        "No space left",
    ):
        assert word in text
