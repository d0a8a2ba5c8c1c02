"""Sends what the platform stack sends to a real API, waits as the providers wait, and upgrades, changes, removes it."""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.lab.kube.api import Api, ApiError, Object
from scripts.lab.kube.definitions import MODULES, define
from stacks.platform.common.catalogue import charts
from tests.support.kubernetes.dead_values import dead_values
from tests.support.kubernetes.provider_objects import sent

from .helm_client import Helm, HelmError
from .steps import Step

REPLACED = {"kubernetes_job_v1", "kubernetes_storage_class_v1", "kubernetes_persistent_volume_claim_v1"}
"""Types of which the provider can change next to nothing: `ForceNew` on their whole specification."""
WAIT_S = 180
"""For what takes minutes at most on real nodes; fake pods are ready in a second."""


class NeverReadyError(Exception):
    """Something was accepted, but did not come to be; the text says what the cluster tells about it."""


@dataclass
class Charts:
    """Where the charts of releases are: own ones in the stack's folder, others in `CHARTS_DIR` or pulled."""

    stack_folder: Path
    folder: Path

    def find(self, step: Step) -> str | None:
        """Return what names the chart to Helm, None for a third-party chart that is not at hand."""
        release = step.release_of
        if release is None:
            return str(self.stack_folder / step.arguments["chart"])
        if given := os.environ.get("CHARTS_DIR"):
            places = (Path(given) / release, Path(given) / f"{release}.tgz")
            return next((str(path) for path in places if path.exists()), None)
        return str(self._pulled(release)) if os.environ.get("PULL_CHARTS") else None

    def _pulled(self, release: str) -> Path:
        pin = charts()[release]
        place = self.folder / "charts" / release
        if not place.exists():
            oci = pin.repository.startswith("oci:")
            source = [f"{pin.repository}/{pin.name}"] if oci else [pin.name, "--repo", pin.repository]
            command = ["helm", "pull", *source, "--version", pin.version, "--untar", "--untardir", str(place)]
            subprocess.run(command, check=True, capture_output=True, text=True)
        return place / pin.name


@dataclass
class Platform:
    """A platform stack in a real cluster."""

    api: Api
    helm: Helm
    charts: Charts
    sent: dict[str, Object] = field(default_factory=dict)
    """Address to the object that stands for the resource."""
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Address to the arguments of the release that is installed."""
    left_out: list[str] = field(default_factory=list)
    """Releases whose chart is not at hand."""
    on_release: Callable[[str], None] = lambda _address: None
    """Called after each release: what its controllers would do now."""
    wait_s: int = WAIT_S

    def install(self, steps: Iterable[Step]) -> None:
        """Create everything, in order. Raises ApiError, HelmError, NeverReadyError."""
        wanted = list(steps)
        releases = [step for step in wanted if step.type_name == "helm_release"]
        missing = [step.release_of for step in releases if not self.charts.find(step)]
        define(self.api, "keda", *(name for name in MODULES if name in missing))
        for step in wanted:
            self.apply(step)

    def apply(self, step: Step) -> None:
        """Create or upgrade one resource. Raises ApiError, HelmError, NeverReadyError."""
        if step.type_name == "helm_release":
            self._release(step)
        elif step.type_name.startswith("kubernetes_"):
            self._object(step)

    def _release(self, step: Step) -> None:
        chart = self.charts.find(step)
        if chart is None:
            self.left_out.append(step.name)
            return
        verb = "upgrade" if step.address in self.releases else "install"
        try:
            self.helm.apply(verb, step.arguments, chart, timeout_s=self.wait_s)
        except HelmError as error:
            raise HelmError(f"{step.address}: {error}{self._told(step.arguments['namespace'])}") from None
        self.releases[step.address] = step.arguments
        self._silence_webhooks()
        self.on_release(step.address)

    def _silence_webhooks(self) -> None:
        """Take away what asks an operator, since none runs; its definitions alone decide."""
        for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
            for item in self.api.list("admissionregistration.k8s.io/v1", kind):
                self.api.delete(item)

    def _object(self, step: Step) -> None:
        item = sent(step.type_name, step.arguments)
        if step.type_name == "kubernetes_default_service_account_v1":
            self.wait(lambda: self._there(item), f"{step.address} is never made", item)
            self.api.patch(item, {"automountServiceAccountToken": item["automountServiceAccountToken"]})
        else:
            self.api.create(item)
        self.sent[step.address] = item
        if step.type_name == "kubernetes_job_v1" and step.arguments.get("wait_for_completion", True):
            self.wait(lambda: _complete(self.api.get(item)), f"{step.address} never completes", item)
        if step.type_name == "kubernetes_persistent_volume_claim_v1" and step.arguments.get("wait_until_bound", True):
            self.wait(lambda: self._phase(item) == "Bound", f"{step.address} is never bound", item)
        if step.type_name == "kubernetes_namespace_v1":
            account = {"apiVersion": "v1", "kind": "ServiceAccount"}
            account |= {"metadata": {"name": "default", "namespace": item["metadata"]["name"]}}  # type: ignore[dict-item]
            self.wait(lambda: self._there(account), f"{step.address} gets no account", item)

    def _phase(self, item: Object) -> str:
        return str(self.api.get(item).get("status", {}).get("phase"))

    def _there(self, item: Object) -> bool:
        try:
            self.api.get(item)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return False
        return True

    def wait(self, done: Callable[[], bool], fault: str, item: Object, seconds: float = 0) -> None:
        """Return when `done`. Raises NeverReadyError with what the cluster says about the object's namespace."""
        until = time.monotonic() + (seconds or self.wait_s)
        while not done():
            if time.monotonic() > until:
                raise NeverReadyError(fault + self._told(item["metadata"].get("namespace", "default")))
            time.sleep(0.1)

    def _told(self, namespace: str) -> str:
        return "".join(f"\n  {text}" for text in warnings(self.api, namespace))

    def change(self, old: Iterable[Step], new: Iterable[Step]) -> dict[str, str]:
        """Bring what stands from `old` to `new`; return what was done, by address: add, change, replace, remove.

        Raises ApiError, HelmError, NeverReadyError.
        """
        before, after = ({step.address: step for step in steps} for steps in (old, new))
        done: dict[str, str] = {}
        for address, step in after.items():
            if address not in before:
                self.apply(step)
                done[address] = "add"
            elif step.arguments != before[address].arguments:
                done[address] = self._to(step)
        for address in reversed([address for address in before if address not in after]):
            self.remove([before[address]])
            done[address] = "remove"
        return done

    def _to(self, step: Step) -> str:
        """Change one resource; what cannot be changed is replaced, as Terraform would plan it."""
        if step.type_name == "helm_release":
            self._release(step)
            return "change"
        item, standing = sent(step.type_name, step.arguments), self.sent[step.address]
        if step.type_name in REPLACED or item["metadata"]["name"] != standing["metadata"]["name"]:
            self.remove([step])
            self._object(step)
            return "replace"
        metadata = {key: self.api.get(item)["metadata"][key] for key in ("resourceVersion", "uid")}
        self.api.request(
            "PUT", self.api.path_of(item), item | {"metadata": item["metadata"] | metadata}, fieldValidation="Strict"
        )
        self.sent[step.address] = item
        return "change"

    def upgrade_all(self) -> None:
        """Upgrade every release to what it already is, in the order in which they were installed. Raises HelmError."""
        for address, arguments in list(self.releases.items()):
            type_name, _, name = address.partition(".")
            self._release(Step(type_name, name, arguments))

    def unknown_fields(self, step: Step) -> Iterator[str]:
        """Yield what a release sends and the API drops in silence, since Helm does not ask it to be strict."""
        for item in self.helm.manifest(step.arguments["namespace"], step.arguments["name"]):
            item["metadata"].setdefault("namespace", step.arguments["namespace"])
            try:
                self.api.create(item, dry_run=True)
            except ApiError as error:
                if "strict decoding error" in error.message:
                    told = error.message[error.message.index("strict decoding error") :]
                    yield f"{item['kind']} {item['metadata']['name']}: {told}"

    def dead_values(self, step: Step) -> list[str]:
        """Return the values of a release that its chart does not read."""
        chart = self.charts.find(step)
        assert chart, f"no chart for {step.address}"
        release = step.arguments
        return dead_values(self.helm, chart, release["name"], release["namespace"], release["values"])

    def remove(self, order: Iterable[Step]) -> None:
        """Remove everything, last first. Raises ApiError, HelmError, NeverReadyError.

        Kubernetes waits five seconds before it empties a namespace: as in Terraform, all of them go at once.
        """
        emptied: dict[str, Object] = {}
        for step in reversed(list(order)):
            if (release := self.releases.pop(step.address, None)) is not None:
                where = ["--namespace", release["namespace"]]
                self.helm.run("uninstall", release["name"], *where, "--wait", "--timeout", f"{self.wait_s}s")
            elif (item := self.sent.pop(step.address, None)) is not None:
                if step.type_name == "kubernetes_default_service_account_v1":
                    continue
                self.api.delete(item)
                if step.type_name == "kubernetes_namespace_v1":
                    emptied[step.address] = item
                else:
                    self._until_gone(step.address, item)
        for address, item in emptied.items():
            self._until_gone(address, item)

    def _until_gone(self, address: str, item: Object) -> None:
        self.wait(lambda: not self._there(item), f"{address} stays", item, WAIT_S)


def warnings(api: Api, namespace: str) -> Iterator[str]:
    """Yield what the cluster warns of in a namespace, each once."""
    told: dict[str, None] = {}
    for event in api.list("v1", "Event", namespace):
        if event["type"] == "Warning":
            about = event["involvedObject"]
            told[f"{about['kind']} {about['name']}: {event['reason']}: {event['message']}"] = None
    yield from told


def _complete(job: Object) -> bool:
    conditions = job.get("status", {}).get("conditions") or []
    return any(item["type"] == "Complete" and item["status"] == "True" for item in conditions)
