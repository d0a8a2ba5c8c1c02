"""The pods of an environment as network policies see them: rendered releases, Jobs, what controllers and AKS make.

Our own charts are rendered by Helm. Others are where `CHARTS_DIR` has them; else what was written down of their pods
when it had (`third_party_pods.yaml`). Values that only Terraform knows become a text without meaning: no label of a pod
and no port comes from them.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ruamel.yaml import YAML

from scripts.core.errors import ExitCode, OperatorError

from .charts import Rendered, from_chart, third_party
from .objects import Object, Stack
from .third_party import PRIVATE_FACTS, RELEASE, of_fact, read_facts, replaced
from .workloads import pod, pods_of

AKS_PODS = Path(__file__).with_name("aks_pods.yaml")
RUN_TIME_OBJECTS = Path(__file__).parents[3] / "tests" / "support" / "cluster" / "runtime_objects.yaml"


def rendered(stack: Stack, folder: Path | None = None) -> dict[str, Rendered]:
    """Return what each release of the stack brings, by its name; `folder` holds third-party charts.

    Raises OperatorError where Helm is missing, a chart is not rendered, or nothing is known of one.
    """
    return {release["name"]: _release(stack, release, place, folder) for release, place in stack.releases()}


def charts_folder() -> Path | None:
    """Return the folder that `CHARTS_DIR` names, if any."""
    named = os.environ.get("CHARTS_DIR")
    return Path(named) if named else None


def of_jobs(stack: Stack) -> Iterator[Object]:
    """Yield the pods of the stack's own Jobs."""
    for job in stack.jobs():
        yield from pods_of(job, job["metadata"]["namespace"])


def of_controllers(namespaces: Iterable[str], with_ingress: Iterable[str]) -> Iterator[Object]:
    """Yield the pods that controllers make while the platform runs."""
    known, ingresses = set(namespaces), sorted(set(with_ingress))
    for made in YAML(typ="safe").load(RUN_TIME_OBJECTS):
        item = made["object"]
        if item["kind"] != "Pod":
            continue
        for place in ingresses if made["where"] == "ingresses" else [made["where"]]:
            if place in known:
                name = item["metadata"].get("generateName", made["name"]).strip("-").lower().replace(" ", "-")
                yield pod(name, place, item["metadata"].get("labels"), item["spec"])


def of_aks() -> Iterator[Object]:
    """Yield the pods that AKS runs in `kube-system`, as far as a rule selects them, and one that none selects."""
    yield from map(of_fact, YAML(typ="safe").load(AKS_PODS))


def unlabelled(namespace: str) -> Object:
    """Return a pod that nobody planned."""
    return pod("unknown-pod", namespace, {}, {})


def _release(stack: Stack, release: Object, place: str, folder: Path | None) -> Rendered:
    chart = third_party(release)
    if chart is None or folder is not None:
        return from_chart(stack, release, place, folder)
    private = read_facts(PRIVATE_FACTS)
    known = private.get(release["name"]) or (read_facts() | private).get(chart)
    if known is None:
        raise OperatorError(
            f"nothing is written down of the pods of the chart {chart}",
            "CHARTS_DIR=FOLDER llmctl policy network --write",
            ExitCode.NOT_READY,
        )
    named = replaced(known, RELEASE, release["name"])
    return Rendered(
        pods=tuple(of_fact(fact) for fact in named["pods"]),
        policies=tuple(named.get("policies", ())),
        webhooks=tuple(named.get("webhooks", ())),
    )
