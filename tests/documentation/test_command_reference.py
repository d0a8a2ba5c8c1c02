"""The page of the command line is made from the commands; each help ends with examples that the parser takes."""

import re
import shlex
from typing import Any

import pytest

from scripts.cli.app import COMMANDS
from scripts.cli.develop.reference import END, MORE, PAGE, START, examples, leaves, page

LEAVES = leaves()


def test_the_page_says_what_the_commands_take() -> None:
    text = PAGE.read_text("utf-8")
    assert page(text) == text, "run: llmctl docs cli --write"


def test_the_page_has_every_command_with_arguments_options_and_examples() -> None:
    made = page(f"kept\n{START}\nold\n{END}\nkept too\n")
    assert made.startswith(f"kept\n{START}\n")
    assert made.endswith(f"{END}\nkept too\n")
    assert "old" not in made.splitlines()
    assert "#### `llmctl chat`\n\nThe same as [`llmctl webui`](#llmctl-webui)." in made
    named = [words for words in LEAVES if not words.startswith("chat ")]
    assert [words for words in named if not re.search(rf"`llmctl {words}\b", made)] == []
    section = made.partition("##### `llmctl images ensure`\n")[2].partition("\n#####")[0]
    assert "`llmctl images ensure [ENV] [OPTIONS]`" in section
    assert "| `--image NAME` | Only this image or release, such as opik/backend; repeatable. |" in section
    assert "```sh\nllmctl images ensure prod\n" in section


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("cli.md lacks")):
        page("a page")


def test_the_pages_about_commands_are_about_commands() -> None:
    assert sorted(MORE.keys() - COMMANDS.keys()) == []


@pytest.mark.parametrize("words", LEAVES)
def test_the_help_of_a_command_ends_with_two_examples(words: str) -> None:
    assert len(set(examples(LEAVES[words]))) >= 2


@pytest.mark.parametrize("words", LEAVES)
def test_the_examples_are_command_lines_that_the_parser_takes(words: str) -> None:
    for line in examples(LEAVES[words]):
        _parse(line)


@pytest.mark.parametrize(
    "wrong",
    ["llmctl deploy prod --typo", "llmctl scale ingress many prod", "llmctl cleanup all dev", "llmctl env new a b"],
)
def test_an_example_that_the_parser_refuses_would_be_noticed(wrong: str) -> None:
    with pytest.raises(Exception, match=r"--typo|many|all|b"):
        _parse(wrong)


@pytest.mark.parametrize("words", LEAVES)
def test_completion_is_installed_by_the_root_alone(words: str) -> None:
    assert [each.name for each in LEAVES[words].params if "completion" in (each.name or "")] == []


def _parse(line: str) -> None:
    """Let the parser check names, options and values, without running anything."""
    given = shlex.split(line)[1:]
    size = next(size for size in (1, 2) if " ".join(given[:size]) in LEAVES)
    command: Any = LEAVES[" ".join(given[:size])]
    command.make_context(command.name, given[size:])
