"""Commands that every component has: the component is named by the command line, or by the noun before the command."""

import inspect
import json
import queue
import re
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Annotated, Any

import typer

from scripts.cluster.api import ClusterApi, Object
from scripts.cluster.autoscalers import autoscaler_of
from scripts.cluster.events import Event, events, watched
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.log_stream import LogStream, Wanted, as_json, coloured, not_of_a_job, plain
from scripts.cluster.operating import PAUSED_BEFORE, Operating
from scripts.cluster.parts import FAMILIES, PLATFORM, Selection, complete_word, select, stopped_with_platform
from scripts.cluster.pausing import REPLICAS_BEFORE
from scripts.cluster.workload import Workload, pod_state, selector_of, settling
from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.platform.common.parts import Part
from stacks.settings import Settings

from .completing import complete_part, complete_pod
from .options import AsJson, Environment, Yes, seconds_of
from .tools import Tools, tools_of

Component = Annotated[
    str,
    typer.Argument(
        metavar="COMPONENT",
        autocompletion=complete_word,
        help="Such as opik, chat, `gateway`, vllm, ollama, ingress, monitoring; `platform` for everything.",
    ),
]
SomeParts = Annotated[
    list[str] | None,
    typer.Option("--part", metavar="PART", autocompletion=complete_part, help="One of its parts; repeatable."),
]
Pod = Annotated[
    str | None, typer.Option("--pod", metavar="POD", autocompletion=complete_pod, help="One pod, by its name.")
]
Since = Annotated[str, typer.Option(metavar="TIME", help="Only what is younger than 30s, 10m, 2h, 1d.")]
Grep = Annotated[str, typer.Option(metavar="PATTERN", help="Only lines that this regular expression is found in.")]
OneContainer = Annotated[
    list[str] | None, typer.Option("--container", "-c", metavar="NAME", help="One container; repeatable.")
]


@dataclass(frozen=True)
class Opened:
    """Parts of an environment, and the cluster that they run in."""

    name: str
    tools: Tools
    settings: Settings
    selection: Selection
    kubectl: Kubectl
    api: ClusterApi

    @property
    def operating(self) -> Operating:
        """What restarts, stops and starts parts."""
        return Operating(self.api)

    def wanted_pods(self, pod: str | None = None) -> Callable[[Object], bool]:
        """Return what tells whether a pod is one of them."""
        if pod is not None:
            return lambda found: bool(found["metadata"]["name"] == pod)
        if self.selection.whole and self.selection.word not in FAMILIES:
            return not_of_a_job
        there = self.operating.there(self.selection.parts)
        labels = [workload["spec"]["selector"]["matchLabels"].items() for _, workload in there]
        return lambda found: any(each <= (found["metadata"].get("labels") or {}).items() for each in labels)


def opened(
    context: typer.Context, component: str, environment: str | None, parts: Iterable[str] | None = None
) -> Opened:
    """Return what the command line names; words are checked before the cluster is asked. Raises OperatorError."""
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    selection = select(settings, component, parts)
    kubectl = tools.kubectl_of(name)
    return Opened(name, tools, settings, selection, kubectl, tools.cluster_of(kubectl))


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


def restart(
    context: typer.Context,
    component: Component,
    environment: Environment = None,
    *,
    part: SomeParts = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even where a disruption budget lets no pod go, or stores are among them.")
    ] = False,
) -> None:
    """Replace the pods of what keeps no data, or of the parts that are named, and wait for the new ones.

    A part whose PodDisruptionBudget lets no pod go is left alone. Stores keep their data on disks; while one restarts,
    others wait for it. Examples: `llmctl restart gateway prod`, `llmctl restart opik --part mysql`
    """
    work = opened(context, component, environment, part)
    chosen = _chosen(work, keep=lambda each: bool(part) or not each.store)
    for each in chosen:
        with err.status(f"Restarting {each.name}"):
            done = work.operating.restart(each, force=force)
        out.print(f"{each.name}: {'restarted' if done else 'has no pods, nothing to restart'}", markup=False)


def stop(
    context: typer.Context,
    component: Component,
    environment: Environment = None,
    *,
    part: SomeParts = None,
    yes: Yes = False,
) -> None:
    """Take a component, or the named parts, to zero pods: what answers people first, stores last. Data stays.

    KEDA is paused for what it scales. `llmctl start` brings everything back as it was; a deployment does so too.
    `platform` stops every component but those that others need at each change (cert-manager, External Secrets).

    Examples: `llmctl stop opik dev`, `llmctl stop platform dev --yes`
    """
    work = opened(context, component, environment, part)
    chosen = [each for each in _chosen(work) if each.kind != "daemonset"]
    names = ", ".join(each.name for each in chosen)
    Consent(work.name, yes, terminal=work.tools.terminal).obtain(f"Stop {names} of {work.name}?", {})
    for each in reversed(chosen):
        with err.status(f"Stopping {each.name}"):
            work.operating.stop(each)
        out.print(f"{each.name}: stopped", markup=False)
    err.print(f"`llmctl start {component} {work.name}` brings it back.", markup=False)


def start(
    context: typer.Context, component: Component, environment: Environment = None, *, part: SomeParts = None
) -> None:
    """Start what `stop` stopped, with as many pods as before: stores first, each ready before what needs it.

    Examples: `llmctl start opik dev`, `llmctl start platform dev`
    """
    work = opened(context, component, environment, part)
    for each in _chosen(work):
        with err.status(f"Starting {each.name}"):
            done = work.operating.start(each)
        out.print(f"{each.name}: {'runs' if done else 'was not stopped'}", markup=False)


def scale(
    context: typer.Context,
    component: Component,
    replicas: Annotated[int, typer.Argument(metavar="REPLICAS", min=0, max=100, help="Number of pods.")],
    environment: Environment = None,
    *,
    part: SomeParts = None,
    yes: Yes = False,
) -> None:
    """Give one part another number of pods until the next deployment.

    Refused where KEDA or a HorizontalPodAutoscaler decides it, with the setting to change instead; and for stores.

    Examples: `llmctl scale ingress 3 prod`, `llmctl scale opik 2 --part frontend`
    """
    work = opened(context, component, environment, part)
    each = _one(work.selection)
    if not replicas:
        Consent(work.name, yes, terminal=work.tools.terminal).obtain(f"Take {each.name} of {work.name} to zero?", {})
    with err.status(f"Scaling {each.name}"):
        before = work.operating.scale(each, replicas)
    out.print(f"{each.name}: {replicas} instead of {before}", markup=False)
    lasting = each.replicas_setting or "the component's chart"
    err.print(f"The next deployment sets it again to what {lasting} says.", markup=False)


def shell(
    context: typer.Context,
    component: Component,
    environment: Environment = None,
    *,
    part: SomeParts = None,
    pod: Pod = None,
) -> None:
    """Open a shell in a pod of one part, the main one where none is named.

    Examples: `llmctl shell chat prod`, `llmctl shell opik --part clickhouse`
    """
    if not tools_of(context).terminal.interactive():
        raise OperatorError("a shell needs a terminal", code=ExitCode.REFUSED)
    work = opened(context, component, environment, part)
    each = _one(work.selection)
    where = f"pod/{pod}" if pod else each.workload
    raise typer.Exit(Workload(work.kubectl, each.namespace, where, container=each.container).shell())


COMMANDS: dict[str, Callable[..., None]] = {
    "status": status,
    "logs": logs,
    "follow": follow,
    "events": show_events,
    "restart": restart,
    "stop": stop,
    "start": start,
    "scale": scale,
    "shell": shell,
}


def single(name: str) -> typer.Typer:
    """Return the application of one command, whose first argument is the component."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    app.command(name)(COMMANDS[name])
    return app


def add_operations(app: typer.Typer, word: str) -> None:
    """Add the commands for one component to its noun; one that the noun has of its own stays."""
    own = {command.name for command in app.registered_commands}
    for name, command in COMMANDS.items():
        if name not in own:
            app.command(name)(for_component(command, word))


def for_component(command: Callable[..., None], word: str) -> Callable[..., None]:
    """Return the command without its argument COMPONENT."""
    signature = inspect.signature(command)

    @wraps(command)
    def fixed(*given: Any, **named: Any) -> None:
        command(*given, component=word, **named)

    fixed.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[each for name, each in signature.parameters.items() if name != "component"]
    )
    fixed.__annotations__ = {key: value for key, value in command.__annotations__.items() if key != "component"}
    return fixed


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


def _chosen(work: Opened, keep: Callable[[Part], bool] = lambda _part: True) -> list[Part]:
    """Return the parts that the cluster has, in the order in which they start."""
    whole = work.selection.word == PLATFORM and work.selection.whole
    parts = stopped_with_platform(work.settings) if whole else work.selection.parts
    return [part for part, _ in work.operating.there(filter(keep, parts))]


def _one(selection: Selection) -> Part:
    parts = selection.parts
    main = [part for part in parts if part.main] if selection.whole else []
    found = main or parts
    if len(found) != 1:
        names = ", ".join(part.name for part in parts)
        raise OperatorError(f"{selection.word} has several parts", f"name one with --part: {names}", ExitCode.USAGE)
    return found[0]


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
