"""An environment without a file ends every command with one code, before anything is asked, changed or written."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.cli import app as cli
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.bad_states import tools_in

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
KNOWN = re.compile(r"(?<= )(dev|prod)\b")
OTHERWISE = {
    "env": "`env new` makes it; `env check` says in its table which files are sound",
    "policy": "works on folders of rendered objects",
    "setup": "has an option of that name",
}
"""Commands whose argument is something else."""


def examples() -> Iterator[str]:
    """Yield the first example of each command that names an environment, with one that has no file."""
    seen = set()
    for line in re.findall(r"^llmctl (.+)$", REFERENCE.read_text("utf-8"), re.MULTILINE):
        words = shlex.split(line, comments=True)
        command = tuple(words[:2])
        if words[0] in OTHERWISE or command in seen or not KNOWN.search(line) or set(line) & set("|>$&"):
            continue
        seen.add(command)
        yield KNOWN.sub("nosuch", line, count=1)


EXAMPLES = list(examples())


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_command_ends_with_the_code_of_a_missing_file(line: str) -> None:
    result = CliRunner().invoke(cli.app, shlex.split(line), obj=tools_in())
    error = result.exception
    assert isinstance(error, OperatorError), f"{error!r} {result.output}"
    assert (error.code, "nosuch" in str(error), error.fix != "") == (ExitCode.SETTINGS, True, True), error


def test_many_commands_are_tried() -> None:
    assert len(EXAMPLES) > 80
