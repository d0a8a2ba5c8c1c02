"""Every line that the pages of the LLM gateway tell to type is one that a test runs, parses or finds."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("how-to/llm-gateway.md", "reference/llm-gateway.md", "reference/cloud-models.md")
PYTEST = ".venv/bin/python -m pytest "
INSTALL = "scripts/lab/install-live"
RUN_AGAINST_THE_REAL_GATEWAY = ("export ", "curl ")
"""By tests/live/programs/gateway/test_gateway.py, as they stand on the page."""


def lines(page: str) -> Iterator[str]:
    """Yield the lines of a page's blocks for a shell, without comments."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            command = " ".join(shlex.split(line, comments=True, posix=False))
            yield from (part.removeprefix("sudo ") for part in command.split(" && ") if part)


RECIPES = [(page, line) for page in PAGES for line in lines(page)]


def test_the_pages_have_recipes() -> None:
    assert len(RECIPES) > 20


@pytest.mark.parametrize(("page", "line"), RECIPES)
def test_a_recipe_is_of_a_kind_that_tests_know(page: str, line: str) -> None:
    """What begins with llmctl is read by the parser itself (test_command_lines)."""
    assert line.startswith(("llmctl ", PYTEST, INSTALL, *RUN_AGAINST_THE_REAL_GATEWAY)), f"{page}: who runs {line!r}?"


@pytest.mark.parametrize("line", [line for _, line in RECIPES if line.startswith(PYTEST)])
def test_a_recipe_that_proves_names_tests_that_are_run_as_they_stand(line: str) -> None:
    files = line.removeprefix(PYTEST).split()
    assert files
    for file in files:
        text = (ROOT / file).read_text("utf-8")
        assert "def test_" in text
        assert "pytest.mark.live" in text, f"{file}: not among what CI runs with real programs"


@pytest.mark.parametrize("line", [line for _, line in RECIPES if line.startswith(INSTALL)])
def test_a_recipe_brings_parts_that_the_script_knows(line: str) -> None:
    usage = (ROOT / INSTALL).read_text("utf-8").partition("[")[2].partition("]")[0]
    assert set(line.split()[1:]) <= set(usage.split("|"))
