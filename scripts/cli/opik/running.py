"""`llmctl opik status|logs|restart|stop|start|shell` and the shells of its stores."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pausing import REPLICAS_BEFORE, pause, resume
from scripts.cluster.workload import pod_state
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from scripts.opik.cluster import unsettled
from scripts.opik.parts import BY_NAME, CLIENTS, Part, PartName, of_release
from stacks.platform.components.opik.names import NAMESPACE

ROLLOUT_S = 1800
STATELESS = (
    PartName.PYTHON_BACKEND,
    PartName.BACKEND,
    PartName.FRONTEND,
    PartName.GUARDRAILS,
    PartName.LOGIN,
)
"""What keeps no data."""
OnePart = Annotated[PartName, typer.Option("--part", help="Part of Opik.")]
SomeParts = Annotated[list[PartName] | None, typer.Option("--part", help="Part of Opik; repeatable. Left out: all.")]


def status(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show every part: pods that are ready, what it waits for, and pods that do not run with the reason.

    Examples: `llmctl opik status prod`, `llmctl opik status --json`
    """
    kubectl = _kubectl(context, environment)
    pods = kubectl.items("pods", "-n", NAMESPACE)
    rows = []
    for part in of_release(kubectl):
        found = kubectl.json("get", *part.workload.split("/"), "-n", NAMESPACE)
        labels = found["spec"]["selector"]["matchLabels"].items()
        mine = [pod_state(pod, part.name) for pod in pods if labels <= (pod["metadata"].get("labels") or {}).items()]
        stopped = REPLICAS_BEFORE in (found["metadata"].get("annotations") or {})
        waits = "stopped: llmctl opik start" if stopped else unsettled(found)
        ready = found.get("status", {}).get("readyReplicas", 0)
        rows.append((part.name, ready, found["spec"].get("replicas", 1), waits, mine))
    if as_json:
        names = ("part", "ready", "replicas", "waits_for")
        print_json([dict(zip(names, row[:4], strict=True)) | {"pods": [asdict(pod) for pod in row[4]]} for row in rows])
        return
    for name, ready, replicas, waits, mine in rows:
        out.print(f"{name:<15} {ready} of {replicas} ready{f', {waits}' if waits else ''}", markup=False)
        for pod in mine:
            if not pod.ready or pod.restarts:
                out.print(f"  {pod}", markup=False)


def logs(
    context: typer.Context,
    environment: Environment = None,
    *,
    part: OnePart = PartName.BACKEND,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines from the end.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing until Ctrl-C.")] = False,
    previous: Annotated[bool, typer.Option("--previous", help="Log of the container before its last restart.")] = False,
) -> None:
    """Print the log of one part, the backend where none is named.

    Examples: `llmctl opik logs prod --part clickhouse -n 50`, `llmctl opik logs --follow`
    """
    chosen = BY_NAME[part]
    workload = chosen.of(_kubectl(context, environment))
    raise typer.Exit(workload.logs(lines=lines, follow=follow, previous=previous, container=chosen.container))


def restart(context: typer.Context, environment: Environment = None, *, part: SomeParts = None) -> None:
    """Replace the pods of what keeps no data, or of the parts that are named, and wait for the new ones.

    Stores keep their data on disks; while one restarts, Opik waits for it. Example: `llmctl opik restart --part mysql`
    """
    kubectl = _kubectl(context, environment)
    for each in _chosen(kubectl, part or STATELESS):
        with err.status(f"Restarting {each.name}"):
            each.of(kubectl).restart(ROLLOUT_S)
        out.print(f"{each.name}: restarted")


def stop(context: typer.Context, environment: Environment = None, *, part: SomeParts = None) -> None:
    """Scale Opik, or the named parts, to zero: what answers people first, stores last. Data stays on the disks.

    `llmctl opik start` brings everything back with as many pods as before. A deployment does so too.
    """
    kubectl = _kubectl(context, environment)
    for each in reversed(_chosen(kubectl, part or PartName)):
        with err.status(f"Stopping {each.name}"):
            pause(kubectl, NAMESPACE, each.workload)
        out.print(f"{each.name}: stopped")


def start(context: typer.Context, environment: Environment = None, *, part: SomeParts = None) -> None:
    """Start what `stop` stopped, stores first, each ready before what needs it."""
    kubectl = _kubectl(context, environment)
    for each in _chosen(kubectl, part or PartName):
        if not resume(kubectl, NAMESPACE, each.workload):
            out.print(f"{each.name}: was not stopped")
            continue
        with err.status(f"Starting {each.name}"):
            kubectl.run(
                *("rollout", "status", each.workload, "-n", NAMESPACE, f"--timeout={ROLLOUT_S}s"),
                timeout_s=ROLLOUT_S + 60,
            )
        out.print(f"{each.name}: runs")


def shell(context: typer.Context, environment: Environment = None, *, part: OnePart = PartName.BACKEND) -> None:
    """Open a shell in a pod of one part."""
    raise typer.Exit(_entered(context, environment, BY_NAME[part], "sh"))


def client(command: str) -> Callable[..., None]:
    """Return the command that opens the client of a store inside its pod, logged in by the pod's own environment."""
    part, line = CLIENTS[command]

    def opened(context: typer.Context, environment: Environment = None) -> None:
        raise typer.Exit(_entered(context, environment, BY_NAME[part], "sh", "-c", line))

    opened.__doc__ = f"Open the client of {part} inside its pod; the login stays there."
    return opened


def _entered(context: typer.Context, environment: str | None, part: Part, *program: str) -> int:
    if not tools_of(context).terminal.interactive():
        raise OperatorError("a shell needs a terminal", code=ExitCode.REFUSED)
    return part.of(_kubectl(context, environment)).shell(*program)


def _kubectl(context: typer.Context, environment: str | None) -> Kubectl:
    tools, name = tools_of(context), environment or default_environment()
    if not tools.load(name).opik.enabled:
        raise OperatorError(f"{name} has no Opik", f"set opik.enabled in environments/{name}.yaml", ExitCode.REFUSED)
    return tools.kubectl_of(name)


def _chosen(kubectl: Kubectl, names: Iterable[PartName]) -> list[Part]:
    wanted = set(names)
    return [part for part in of_release(kubectl) if part.name in wanted]
