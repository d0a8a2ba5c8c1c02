"""What the command line names of an environment, and the cluster that it is asked of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

import typer

from scripts.cli.completing import complete_part, complete_pod
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.api import ClusterApi, Object
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.log_stream import not_of_a_job
from scripts.cluster.operating import Operating
from scripts.cluster.parts import FAMILIES, Selection, complete_word, select
from scripts.core.targets import default_environment
from stacks.settings import Settings

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
    settings, selection = selected(context, component, environment, parts)
    tools = tools_of(context)
    kubectl = tools.kubectl_of(settings.name)
    return Opened(settings.name, tools, settings, selection, kubectl, tools.cluster_of(kubectl))


def selected(
    context: typer.Context, component: str, environment: str | None, parts: Iterable[str] | None = None
) -> tuple[Settings, Selection]:
    """Return the settings and the parts that the command line names, without asking anybody. Raises OperatorError."""
    settings = tools_of(context).load(environment or default_environment())
    return settings, select(settings, component, parts)
