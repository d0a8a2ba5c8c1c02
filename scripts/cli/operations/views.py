"""What a component does: its parts, its logs, what Kubernetes did."""

import json
import queue
import re
import sys
import threading
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from scripts.cli.options import AsJson, Environment, seconds_of
from scripts.cluster.api import ClusterApi, Object
from scripts.cluster.autoscalers import autoscaler_of
from scripts.cluster.events import Event, events, watched
from scripts.cluster.log_stream import LogStream, Wanted, as_json, coloured, plain
from scripts.cluster.operating import PAUSED_BEFORE
from scripts.cluster.pausing import REPLICAS_BEFORE
from scripts.cluster.workload import pod_state, selector_of, settling
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.common.parts import Part

from .opened import Component, Grep, OneContainer, Pod, Since, SomeParts, opened


def status(
    context: typer.Context, component: Component, environment: Environment = None, *, as_json: AsJson = False
) -> None:
    """Show every part: pods that are ready, who scales it, what it waits for, and pods that do not run.

    Examples: `llmctl opik status prod`, `llmctl gateway status --json`
    """
    work = opened(context, component, environment)
    rows = [_row(work.api, part, workload) for part, workload in work.operating.there(work.selection.parts)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        waits = f", {row['waits_for']}" if row["waits_for"] else ""
        scaled = f", {row['scaled_by']}" if row["scaled_by"] else ""
        out.print(f"{row['part']:<18} {row['ready']} of {row['replicas']} ready{scaled}{waits}", markup=False)
        for pod in row["pods"]:
            if pod["trouble"] or pod["restarts"] or not pod["ready"]:
                how = "ready" if pod["ready"] else pod["trouble"] or "not ready"
                where = pod["node"] or "no node yet"
                out.print(f"  {pod['name']} on {where}: {how}, {pod['restarts']} restarts", markup=False)


def logs(
    context: typer.Context,
    component: Component,
    environment: Environment = None,
    *,
    part: SomeParts = None,
    pod: Pod = None,
    container: OneContainer = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=-1, help="Lines from the end of each; -1: all.")] = 100,
    since: Since = "",
    grep: Grep = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing until Ctrl-C.")] = False,
    previous: Annotated[bool, typer.Option("--previous", help="Logs from before the last restarts.")] = False,
    json_lines: AsJson = False,
) -> None:
    """Print what all pods and containers of a component write in the order of time, each line with its pod.

    Examples: `llmctl logs ingress prod --since 10m`, `llmctl logs opik --part backend --grep ERROR`
    """
    wanted_since, pattern = seconds_of(since, "--since"), _pattern(grep)
    work = opened(context, component, environment, part)
    wanted = Wanted(
        lines=lines,
        since_s=wanted_since,
        previous=previous,
        containers=tuple(container or ()),
        pattern=pattern,
        includes=work.wanted_pods(pod),
    )
    stream = LogStream(work.api, work.selection.namespaces, wanted, tell=lambda text: err.print(text, markup=False))
    form = as_json if json_lines else coloured if sys.stdout.isatty() else plain
    if follow:
        stream.follow(sys.stdout.buffer, form)
    else:
        stream.print(sys.stdout.buffer, form)
    if stream.failures:
        raise typer.Exit(ExitCode.FAILED)


def follow(
    context: typer.Context,
    component: Component,
    environment: Environment = None,
    *,
    part: SomeParts = None,
    pod: Pod = None,
    container: OneContainer = None,
    since: Since = "",
    grep: Grep = "",
    json_lines: AsJson = False,
) -> None:
    """Print what a component's pods write from now on, new pods included, until Ctrl-C.

    Examples: `llmctl follow chat prod`, `llmctl follow vllm --since 5m --json`
    """
    logs(
        context, component, environment, part=part, pod=pod, container=container, since=since, grep=grep,
        lines=-1 if since else 10, follow=True, json_lines=json_lines,
    )  # fmt: skip


def show_events(
    context: typer.Context,
    component: Component,
    environment: Environment = None,
    *,
    since: Since = "1h",
    warnings: Annotated[bool, typer.Option("--warnings", help="Only warnings.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what Kubernetes did in a component's namespaces in the order of time: placed, pulled, refused, ended.

    Examples: `llmctl events platform prod --warnings`, `llmctl events serving --since 10m --follow`
    """
    moment = datetime.now(UTC) - timedelta(seconds=seconds_of(since, "--since") or 3600)
    work = opened(context, component, environment)
    spaces = work.selection.namespaces
    if follow:
        _follow_events(work.api, spaces, moment, warnings=warnings, as_json=as_json)
    found = events(work.api, spaces, since=moment, warnings=warnings)
    if as_json:
        print_json([asdict(event) for event in found])
        return
    for event in found:
        _print_event(event)


def _row(api: ClusterApi, part: Part, workload: Object) -> dict[str, Any]:
    notes, state = workload["metadata"].get("annotations") or {}, workload.get("status") or {}
    scaler = autoscaler_of(api, part.namespace, part.workload_name) if part.kind == "deployment" else None
    stopped = REPLICAS_BEFORE in notes or (scaler is not None and PAUSED_BEFORE in scaler.annotations)
    pods = [pod_state(pod, part.name) for pod in api.items("pods", part.namespace, selector=selector_of(workload))]
    daemon = part.kind == "daemonset"
    return {
        "part": part.name,
        "ready": state.get("numberReady" if daemon else "readyReplicas", 0) or 0,
        "replicas": state.get("desiredNumberScheduled", 0) if daemon else workload["spec"].get("replicas", 1),
        "scaled_by": f"{scaler.name} {scaler.range()}" if scaler else "",
        "waits_for": "stopped: llmctl start" if stopped else settling(workload),
        "pods": [asdict(pod) for pod in pods],
    }


def _pattern(text: str) -> re.Pattern[bytes] | None:
    try:
        return re.compile(text.encode()) if text else None
    except re.error as error:
        raise OperatorError(f"--grep: {text!r} is no regular expression: {error}", code=ExitCode.USAGE) from None


def _follow_events(api: ClusterApi, spaces: Iterable[str], since: datetime, *, warnings: bool, as_json: bool) -> None:
    """Print events until Ctrl-C."""
    arriving: queue.SimpleQueue[Event | OperatorError] = queue.SimpleQueue()

    def take(space: str) -> None:
        begins = since
        while True:
            asked = datetime.now(UTC)
            try:
                for event in watched(api, space, since=begins, warnings=warnings):
                    arriving.put(event)
            except OperatorError as error:
                arriving.put(error)
                return
            begins = asked  # the server ends a watch after some minutes

    for space in spaces:
        threading.Thread(target=take, args=(space,), daemon=True).start()
    while True:
        found = arriving.get()
        if isinstance(found, OperatorError):
            raise found
        if as_json:
            sys.stdout.write(json.dumps(asdict(found)) + "\n")
            sys.stdout.flush()
        else:
            _print_event(found)


def _print_event(event: Event) -> None:
    out.print(str(event), markup=False, soft_wrap=True, style="yellow" if event.warning else None)
