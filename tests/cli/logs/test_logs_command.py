"""`llmctl logs`: one stream out of many pods, whole lines, each with its pod."""

import io
import json
import sys
from dataclasses import dataclass, field

import pytest
from typer.testing import CliRunner

from scripts.cli.logs import commands as logs
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster import component_logs
from scripts.cluster.component_logs import Wanted, print_logs
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.terminals import Nobody

LINE = "[pod/open-webui-1/open-webui] INFO: started\n"


@dataclass(frozen=True)
class Printing(Kubectl):
    """Starts a program that prints in kubectl's place; its argument is the namespace."""

    program: str
    asked: list[list[str]] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        self.asked.append(list(arguments))
        return [sys.executable, "-c", self.program, arguments[2]]


def test_a_line_tells_its_pod_in_each_form() -> None:
    assert component_logs.plain(LINE) == "open-webui-1/open-webui | INFO: started\n"
    assert component_logs.coloured(LINE).endswith("open-webui-1/open-webui\x1b[0m | INFO: started\n")
    assert json.loads(component_logs.as_json(LINE)) == {
        "pod": "open-webui-1",
        "container": "open-webui",
        "line": "INFO: started",
    }
    assert component_logs.plain("error: no pods\n") == "error: no pods\n"
    assert json.loads(component_logs.as_json("error\n"))["pod"] is None


def test_no_line_of_many_pods_is_lost_or_mixed() -> None:
    program = "import sys\nfor n in range(20000): print(f'[pod/{sys.argv[1]}-{n % 50}/c] {n} ' + 'x' * 100)"
    kubectl, to = Printing("context", program), io.StringIO()
    assert print_logs(kubectl, ["a", "b"], Wanted(lines=-1), to, component_logs.plain) == 0
    lines = to.getvalue().splitlines()
    assert len(lines) == 40_000
    for namespace in "ab":
        mine = [line for line in lines if line.startswith(f"{namespace}-")]
        assert [int(line.split(" | ")[1].split()[0]) for line in mine] == list(range(20_000))
    assert all(line.endswith("x" * 100) for line in lines)


def test_a_failure_of_one_namespace_is_told() -> None:
    kubectl = Printing("context", "import sys; print('[pod/p/c] last words'); sys.exit(sys.argv[1] == 'b')")
    tools = CommandTools(kubectl_of=lambda _name: kubectl, terminal=Nobody())
    to = io.StringIO()
    assert print_logs(kubectl, ["a", "b"], Wanted(lines=1), to, component_logs.plain) == 1
    done = CliRunner().invoke(logs.app, ["chat", "dev", "--since", "10m", "-n", "5"], obj=tools)
    assert done.output == "p/c | last words\n"
    assert kubectl.asked[-1][:3] == ["logs", "-n", "chat"]
    assert {"--since=10m", "--tail=5", "--all-containers", "--prefix"} <= {*kubectl.asked[-1]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chat", "dev", "--since", "soon"], "--since: 'soon' is no time such as 10m"),
        (["kitchen", "dev"], "dev runs no component 'kitchen' with pods"),
        (["image_policy", "dev"], "dev runs no component 'image_policy' with pods"),
    ],
)
def test_a_wrong_word_is_answered_before_the_cluster_is_asked(words: list[str], said: str) -> None:
    def never(_name: str) -> Kubectl:
        raise AssertionError("the cluster was asked")

    refused = CliRunner().invoke(logs.app, words, obj=CommandTools(kubectl_of=never, terminal=Nobody())).exception
    assert isinstance(refused, OperatorError)
    assert (refused.message, refused.code) == (said, ExitCode.USAGE)
