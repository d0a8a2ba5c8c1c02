"""What a release brings that matters to network policies, rendered by Helm from its chart."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from scripts.core.errors import ExitCode, OperatorError
from scripts.tools.bring import provide
from stacks.platform.common.catalogue import pinned_release

from .objects import Object, Stack
from .values import without_references
from .workloads import WORKLOADS, pods_of, webhooks_of

_HELM = "helm"
_SEEN = re.compile(
    rf"^kind: ({'|'.join(WORKLOADS)}|CronJob|Pod|NetworkPolicy|APIService|\w+WebhookConfiguration)$", re.M
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a release brings that matters to network policies."""

    pods: tuple[Object, ...]
    policies: tuple[Object, ...] = ()
    webhooks: tuple[Object, ...] = ()
    """`selector` of the pods that the Kubernetes API calls, and `port`, a number or a name."""


def third_party(release: Object) -> str | None:
    """Return the key of its chart in `helm/charts.yaml`; None for one of our own."""
    return pinned_release(release["chart"])


def from_chart(stack: Stack, release: Object, place: str, folder: Path | None) -> Rendered:
    """Return what a release brings by its chart, a third-party one from `folder`.

    Raises OperatorError where Helm is missing, the folder lacks the chart, or it is not rendered.
    """
    chart = third_party(release)
    path = stack.folder / release["chart"] if chart is None else _chart(folder or Path(), chart)
    if chart is None and not _brings_pods(path):
        return Rendered(pods=())
    objects = _template(path, release, place, stack.kubernetes_version)
    pods = [pod for item in objects for pod in pods_of(item, place)]
    policies = [
        item | {"metadata": {"name": item["metadata"]["name"], "namespace": item["metadata"].get("namespace", place)}}
        for item in objects
        if item["kind"] == "NetworkPolicy"
    ]
    return Rendered(pods=tuple(pods), policies=tuple(policies), webhooks=tuple(webhooks_of(objects, place)))


def _brings_pods(chart: Path) -> bool:
    """Return whether a chart of our own makes anything that matters; some need values that are not known yet."""
    return any(_SEEN.search(file.read_text("utf-8")) for file in (chart / "templates").rglob("*.yaml"))


def _chart(folder: Path, name: str) -> Path:
    found = [path for path in (folder / name, folder / f"{name}.tgz") if path.exists()]
    if not found:
        raise OperatorError(f"CHARTS_DIR has no chart {name}", f"put it into {folder}", ExitCode.NOT_READY)
    return found[0]


def _template(chart: Path, release: Object, place: str, kubernetes_version: str) -> list[Object]:
    provide(_HELM)
    with tempfile.TemporaryDirectory() as folder:
        command = [_HELM, "template", release["name"], str(chart), "--namespace", place, "--skip-tests", "--skip-crds"]
        command += ["--kube-version", kubernetes_version]
        for number, layer in enumerate(release.get("values", ())):
            file = Path(folder) / f"{number}.yaml"
            file.write_text(without_references(layer), "utf-8")
            command += ["--values", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise OperatorError(f"the chart of {release['name']} cannot be rendered: {done.stderr.strip()}")
    return [item for item in YAML(typ="safe").load_all(done.stdout) if item]
