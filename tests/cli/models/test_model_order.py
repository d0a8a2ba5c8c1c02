"""What is wrong with a command of models is said before the cluster is asked for, which takes Terraform and minutes."""

import pytest
from typer.testing import CliRunner

from scripts.cli.models import commands as models
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.terminals import Nobody

ADD = ("add", "qwen3-4b", "dev", "--engine", "ollama", "--id", "qwen3:4b", "--yes")


def never(_name: str) -> Kubectl:
    raise AssertionError("the cluster was asked for")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((*ADD, "--pool", "nope", "--weights-gib", "2.5"), ExitCode.SETTINGS, "models[7].pool = nope"),
        (
            (*ADD, "--pool", "t4,nope", "--weights-gib", "2.5"),
            ExitCode.SETTINGS,
            "models[7].pool: lists nope, which is no pool",
        ),
        ((*ADD, "--pool", "t4", "--weights-gib", "90"), ExitCode.SETTINGS, "90 weights"),
        (("remove", "nosuch", "dev", "--yes"), ExitCode.USAGE, "no such model: nosuch"),
        (("pull", "dev", "--model", "nosuch", "--yes"), ExitCode.USAGE, "no such model: nosuch"),
    ],
)
def test_arguments_are_checked_first(words: tuple[str, ...], code: ExitCode, said: str) -> None:
    error = CliRunner().invoke(models.app, words, obj=Tools(terminal=Nobody(), kubectl_of=never)).exception
    assert isinstance(error, OperatorError), error
    assert (error.code, said in error.message) == (code, True), error.message
