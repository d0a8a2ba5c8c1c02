"""Logs that kubectl prints, as `llmctl support` collects them: whole lines, each with its pod."""

import io
import json
import sys
from dataclasses import dataclass, field

from scripts.cluster import component_logs
from scripts.cluster.component_logs import LogSelection, print_logs
from scripts.cluster.kubectl import Kubectl

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
    assert print_logs(kubectl, ["a", "b"], LogSelection(lines=-1), to, component_logs.plain) == 0
    lines = to.getvalue().splitlines()
    assert len(lines) == 40_000
    for namespace in "ab":
        mine = [line for line in lines if line.startswith(f"{namespace}-")]
        assert [int(line.split(" | ")[1].split()[0]) for line in mine] == list(range(20_000))
    assert all(line.endswith("x" * 100) for line in lines)
