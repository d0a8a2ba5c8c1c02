"""Every command line of another program, in code or on a page, is on the list that the real clients check."""

import shlex
from functools import cache

from tests.support.cli.client_lines import LINES, NOT_JUDGED
from tests.support.cli.command_lines import Found, in_code, on_pages

PROSE = {
    ("kubectl", "is"),
    ("kubectl", "cannot"),
    ("helm", "and"),
    ("kubectl", "and"),
    ("kubectl", "knows"),
    ("cosign", "is"),
}
"""Beginnings that are sentences."""
SHORT = {"-n": "--namespace", "-o": "--output", "-l": "--selector", "-f": "--follow", "-c": "--container"}


@cache
def _found() -> list[Found]:
    return [line for line in (*on_pages(), *in_code()) if (line.program, line.words[0]) not in PROSE]


_words = cache(shlex.split)


def _covers(line: str, found: Found) -> bool:
    words = _words(line)
    fits = words[0] == found.program and tuple(words[1 : 1 + len(found.words)]) == found.words
    if fits and words[-1] == "--help" and not found.options:
        return True
    options = {word.partition("=")[0] for word in words if word.startswith("-")}
    return fits and found.options <= options | {short for short, long in SHORT.items() if long in options}


def _judged(found: Found) -> bool:
    text = " ".join((found.program, *found.words, *sorted(found.options)))
    return not any(text.startswith(beginning) for beginning in NOT_JUDGED)


def test_the_lines_are_found_where_they_stand() -> None:
    """A collector that finds nothing would let everything pass."""
    found = {(line.program, *line.words): line.where for line in _found()}
    for expected in (
        ("az", "role", "assignment", "list"),
        ("az", "storage", "account", "create"),
        ("az", "acr", "run"),
        ("az", "rest"),
        ("kubectl", "port-forward"),
        ("kubectl", "rollout", "restart"),
        ("helm", "template"),
        ("cosign", "sign"),
        ("docker", "version"),
    ):
        assert expected in found
    assert len(_found()) > 60


def test_every_command_line_is_on_the_list() -> None:
    missing = [found for found in _found() if _judged(found) and not any(_covers(line, found) for line in LINES)]
    assert missing == [], "add them to tests/support/cli/client_lines.py"


def test_an_exception_is_still_needed() -> None:
    texts = [" ".join((found.program, *found.words, *sorted(found.options))) for found in _found()]
    assert [beginning for beginning in NOT_JUDGED if not any(text.startswith(beginning) for text in texts)] == []


def test_every_line_that_is_judged_is_one_of_ours() -> None:
    assert [line for line in LINES if not any(_covers(line, found) for found in _found())] == []
