"""Every command of README, pages and messages is one that the real command line takes, options included."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer._click.exceptions import UsageError

from scripts.cli.app import COMMANDS, load

ROOT = Path(__file__).parents[2]
_LINE = re.compile(r"(?<![\w/])(?:\./scripts/)?llmctl (?P<rest>[a-z-][^`\n]*)")
_PLACEHOLDERS = {"…", "..."}
_PROSE = {"and", "or", "is", "on", "with", "itself", "the", "has", "waits", "does", "plans", "of"}
"""Words that follow the name in sentences."""


def _on_pages() -> Iterator[tuple[str, str]]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / ".github").rglob("*.yml"))]
    for page in pages:
        block = page.suffix == ".yml"
        for number, raw in enumerate(page.read_text("utf-8").splitlines(), start=1):
            line = re.sub(r"\"?\$\([^)]*\)\"?", "VALUE", raw)  # what another command prints
            if page.suffix == ".md" and line.lstrip().startswith("```"):
                block = not block
                continue
            for part in [line] if block else re.findall(r"`([^`]+)`", line):
                yield from ((text, f"{page.relative_to(ROOT)}:{number}") for text in _lines(part))


def _in_messages() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "scripts").rglob("*.py")):
        source = path.read_text("utf-8")
        if "`llmctl " not in source and "`./scripts/llmctl " not in source:
            continue  # parsing takes a second in each process that collects this
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for part in re.findall(r"`([^`]+)`", node.value):
                    yield from ((text, f"{path.relative_to(ROOT)}:{node.lineno}") for text in _lines(part))


def _lines(part: str) -> Iterator[str]:
    for match in _LINE.finditer(part):
        rest = re.split(
            r"\s+(?:&&|\|\||\||;|#|>)(?:\s|$)|[;)|]|-->|,\s|\s+for\s|\s+in place", match["rest"], maxsplit=1
        )[0]
        if rest.split()[0] not in _PROSE:
            yield rest.strip().rstrip(".:,'\"")


FOUND = sorted(dict((*_on_pages(), *_in_messages())).items())


@cache
def _command(name: str) -> Any:
    return load(COMMANDS[name], name)


def _words(text: str) -> list[str]:
    text = text.replace('"$PLATFORM_ENV"', "dev").replace("$PLATFORM_ENV", "dev")
    text = re.sub(r"\[[^\]]*\](?:\.\.\.)?", "", text)  # what may be left out is
    try:
        words = shlex.split(text)
    except ValueError:  # cut off inside quotes
        words = text.split()
    return [word for word in words if word not in _PLACEHOLDERS]


def _parse(words: list[str]) -> None:
    """Let the parser of the command check the words, without running anything."""
    command, name, rest = _command(words[0]), words[0], words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        context = command.make_context(name, [], resilient_parsing=True)
        if rest[0] not in command.list_commands(context):
            raise UsageError(f"no such command: {rest[0]}")
        command, name, rest = command.get_command(context, rest[0]), rest[0], rest[1:]
    given = {word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"}
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "-h"}
    if not command.context_settings.get("ignore_unknown_options") and (unknown := given - known):
        raise UsageError(f"{name} has no {', '.join(sorted(unknown))}")
    positional = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    values = [word for word in rest if not word.startswith("-")]
    takes_value = {
        option
        for parameter in command.params
        if parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False)
        for option in parameter.opts
    }
    used = sum(1 for word in rest if word in takes_value)
    many = any(parameter.nargs == -1 for parameter in positional) or hasattr(command, "commands")
    free = command.context_settings.get("allow_extra_args")
    if not (many or free) and len(values) - used > len(positional):
        raise UsageError(f"{name} takes {len(positional)} arguments, {len(values) - used} are given")


def test_commands_are_found_where_they_stand() -> None:
    """A collector that finds nothing would let everything pass."""
    assert len(FOUND) > 80
    assert {"deploy", "diff", "env check", "images ensure", "state bootstrap"} <= {
        " ".join(text.split()[:size]) for text, _ in FOUND for size in (1, 2)
    }


@pytest.mark.parametrize(("text", "where"), FOUND, ids=[f"{where}-{text[:40]}" for text, where in FOUND])
def test_a_documented_command_is_one_of_the_command_line(text: str, where: str) -> None:
    words = _words(text)
    if words[0].startswith("-"):
        assert words[0] in {"--help", "--verbose", "--install-completion", "--show-completion"}, where
        return
    assert words[0] in COMMANDS or words[0] in {"COMMAND"}, f"{where}: llmctl has no {words[0]}"
    if words[0] in COMMANDS:
        try:
            _parse(words)
        except UsageError as error:
            pytest.fail(f"{where}: `llmctl {text}`: {error.message}")


@pytest.mark.parametrize(
    "wrong", ["deploy --al", "deploy dev --jsn", "env chekc", "state unlock a b c d", "health dev --trace"]
)
def test_a_command_that_does_not_exist_would_be_noticed(wrong: str) -> None:
    with pytest.raises(UsageError):
        _parse(wrong.split())
