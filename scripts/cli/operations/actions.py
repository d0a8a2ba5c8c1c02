"""What is done to a component: restarted, stopped, started, scaled, entered."""

from collections.abc import Callable
from typing import Annotated

import typer

from scripts.cli.options import Environment, Yes, require_terminal
from scripts.cli.tools import tools_of
from scripts.cluster.parts import PLATFORM, Selection, stopped_with_platform
from scripts.cluster.workload import Workload
from scripts.core.consent import Consent
from scripts.core.console import err, out
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.common.parts import Part

from .opened import Component, Opened, Pod, SomeParts, opened, selected


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
    _, selection = selected(context, component, environment, part)
    each = _one(selection)
    work = opened(context, component, environment, part)
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
    _, selection = selected(context, component, environment, part)
    each = _one(selection)
    require_terminal(tools_of(context).terminal)
    work = opened(context, component, environment, part)
    where = f"pod/{pod}" if pod else each.workload
    raise typer.Exit(Workload(work.kubectl, each.namespace, where, container=each.container).shell())


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
