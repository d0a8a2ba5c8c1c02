"""`llmctl bench operate`: the command line's own time, `status` of 500 pods, and lines that `follow` loses.

On a real Kubernetes API with kwok in the kubelets' place, which serves each pod's log from a file.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scripts.cluster.api import ClusterApi
from scripts.cluster.client import connect
from scripts.cluster.log_stream import LogStream, Wanted, plain
from scripts.core.workspace import ROOT
from scripts.lab.kube.api import Api, Object
from scripts.lab.kube.cluster import CONTEXT, Cluster
from scripts.lab.kube.programs import build
from stacks.settings import load_settings

from . import report
from .measure import BenchError
from .synth import DOCUMENT

NAMESPACE = "bench"
COLUMNS = ("promise", "limit", "figure", "CPU s", "verdict")
TALKERS, SILENT = 100, 400
LINES_PER_SECOND, SECONDS = 1_000, 10
RUNS = 9
PATIENCE_S = 600.0
_STATUS = """
import sys
from scripts.cli.status.commands import app
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
app(["dev"], obj=Tools(kubectl_of=lambda _name: Kubectl(sys.argv[1])))
"""
"""The command without Terraform, which says where the cluster is."""


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    help_s: Sequence[tuple[float, float]]
    """Seconds by the clock and of the processor."""
    status_s: Sequence[tuple[float, float]]
    written: int
    lost: int
    twice: int

    def rows(self) -> list[list[str]]:
        """Return promise, limit, figure, seconds of the processor and verdict, which is that of the clock."""
        rows = []
        for promise, limit, runs in (
            ("seconds of `llmctl --help`", 0.4, self.help_s),
            (f"seconds of `llmctl status`, {TALKERS + SILENT} pods", 1.5, self.status_s),
        ):
            # The fastest: what else the machine does only ever adds.
            figure, cpu = (min(run[at] for run in runs) for at in (0, 1))
            verdict = _verdict(round(figure, 2) <= limit)
            rows.append([promise, f"at most {limit:g}", f"{figure:.2f}", f"{cpu:.2f}", verdict])
        what = f"lines of {self.written:,} that `follow` lost or showed twice, {TALKERS} pods"
        rows.append([what, "at most 0", f"{self.lost + self.twice}", "", _verdict(not self.lost + self.twice)])
        return rows


def _verdict(kept: bool) -> str:
    return "met" if kept else "missed"


def measure(folder: Path, say: Callable[[str], None]) -> Figures:
    """Start the API in `folder` and measure. Raises BenchError, OperatorError."""
    help_s = [_seconds([sys.executable, "-m", "scripts.cli", "--help"], {}) for _ in range(RUNS)]
    with _cluster(folder, say) as (api, kubeconfig):
        own = connect(CONTEXT, configuration=str(kubeconfig))
        _until(lambda: len(own.items("pods", NAMESPACE, fields="status.phase=Running")) == TALKERS + SILENT)
        say("asking for the status")
        asked = [sys.executable, "-c", _STATUS, CONTEXT]
        status_s = [_seconds(asked, {"KUBECONFIG": str(kubeconfig)}) for _ in range(RUNS)]
        say("following the logs")
        del api
        seen = _followed(own, folder)
    wanted = {f"line {number}" for number in range(LINES_PER_SECOND * SECONDS)}
    return Figures(help_s, status_s, len(wanted), len(wanted - set(seen)), len(seen) - len(set(seen)))


@contextmanager
def _cluster(folder: Path, say: Callable[[str], None]) -> Iterator[tuple[Api, Path]]:
    for number in range(TALKERS):
        _log(folder, number).touch()
    logs = [
        {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "Logs",
            "metadata": {"name": f"talker-{number}", "namespace": NAMESPACE},
            "spec": {"logs": [{"logsFile": str(_log(folder, number)), "follow": True}]},
        }
        for number in range(TALKERS)
    ]
    cluster = Cluster(folder / "cluster")
    try:
        api = cluster.up(build(say), load_settings("dev"), say, lasting=False, simulated=logs)
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for name, replicas in (("talker", TALKERS), ("silent", SILENT)):
            api.create(_workload(name, replicas))
        yield api, cluster.files.kubeconfig
    finally:
        cluster.down()


def _workload(name: str, replicas: int) -> Object:
    container = {"name": "c", "image": "none", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}
    # On every node, since those of one pool take fewer pods.
    pod = {"containers": [container], "tolerations": [{"operator": "Exists"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


def _followed(api: ClusterApi, folder: Path) -> list[str]:
    """Return the lines that a follower shows of those that are written meanwhile."""
    to = io.BytesIO()
    stream = LogStream(
        api, [NAMESPACE], Wanted(lines=0, includes=lambda pod: pod["metadata"]["name"].startswith("talker-"))
    )
    follower = threading.Thread(target=stream.follow, args=(to, plain), daemon=True)
    follower.start()
    for number in range(TALKERS):
        _until(lambda number=number: _reads(to, folder, number))  # type: ignore[misc]
    began = time.monotonic()
    for number in range(LINES_PER_SECOND * SECONDS):
        _say(folder, number % TALKERS, f"line {number}")
        time.sleep(max(0.0, began + number / LINES_PER_SECOND - time.monotonic()))
    still, before = time.monotonic(), -1
    while time.monotonic() - still < 5:
        if (now := len(_lines(to))) != before:
            still, before = time.monotonic(), now
        time.sleep(0.2)
    stream.stop.set()
    follower.join(10)
    return _lines(to)


def _lines(to: io.BytesIO) -> list[str]:
    texts = (line.partition(b" | ")[2].decode() for line in to.getvalue().splitlines())
    return [text for text in texts if text.startswith("line ")]


def _reads(to: io.BytesIO, folder: Path, number: int) -> bool:
    _say(folder, number, f"ready {time.monotonic_ns()}")
    time.sleep(0.05)
    return f"talker-{number}/c | ready".encode() in to.getvalue()


def _log(folder: Path, number: int) -> Path:
    return folder / f"talker-{number}.log"


def _say(folder: Path, number: int, text: str) -> None:
    moment = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    with _log(folder, number).open("a", encoding="utf-8") as file:
        file.write(f"{moment} stdout F {text}\n")


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise BenchError(f"the pods are not ready within {PATIENCE_S:.0f} s")
        time.sleep(0.1)


def _seconds(command: Sequence[str], variables: dict[str, str]) -> tuple[float, float]:
    began, before = time.monotonic(), os.times()
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError((done.stderr.strip() or "no message").splitlines()[-1])
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.monotonic() - began, used


def main(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Also write the table into docs/reference/performance.md.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure the commands of every day on a real Kubernetes API: --help, status of 500 pods, follow of 100.

    Exit code 1 when a limit is missed. The first run builds the API server, which takes ten minutes.

    Examples: `llmctl bench operate`, `llmctl bench operate --json`
    """
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="llmctl-bench-") as folder:
        figures = measure(Path(folder), lambda text: console.print(text, markup=False))
    table = report.Table(f"Targets, fastest of {RUNS}", COLUMNS, figures.rows())
    if markdown:
        machine = report.bullet_list(report.machine("not used").items())
        text = f"{machine}\n\n{table.markdown()}"
        DOCUMENT.write_text(report.replace_block(DOCUMENT.read_text("utf-8"), "operate", text), "utf-8")
    if json_output:
        typer.echo(json.dumps(dict(zip(("help", "status", "follow"), figures.rows(), strict=True))))
    else:
        Console().print(table.rich())
    if any(row[-1] == "missed" for row in figures.rows()):
        raise typer.Exit(1)
