"""Opik, its ClickHouse operator and its login, rendered with the values that the stack passes.

`CHARTS_DIR` names a folder with each chart, dependencies included, under its release's name; without it the charts are
pulled from their repositories when `PULL_CHARTS` is set.
"""

import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from constructs.helm_release import inserting
from stacks.platform.common.catalogue import Image, charts, own_chart, values_files
from stacks.platform.components.opik import login, operator, release
from stacks.settings import Settings, load_settings
from stacks.settings.opik import OpikProfile
from tests.support.kubernetes import third_party
from tests.support.stacks.components import images_of, with_images

FOLDER, FOUND, RENDERING = third_party.FOLDER, third_party.FOUND, third_party.NEEDED
THIRD_PARTY = ("opik", "altinity-clickhouse-operator", "oauth2-proxy")
CASES = [(environment, profile) for environment in ("dev", "prod") for profile in OpikProfile]

Objects = list[dict[str, Any]]


def settings_with(environment: str, profile: OpikProfile) -> Settings:
    """Return an environment's settings with a profile and what is off by default: guardrails and evaluators."""
    settings = load_settings(environment)
    extra = {"guardrails_pool": next(iter(settings.cluster.gpu_pools)), "python_evaluators": True}
    opik = settings.opik.model_copy(update={"profile": profile} | extra)
    return settings.model_copy(update={"opik": opik})


def wired_values(name: str, settings: Settings) -> dict[str, Any]:
    if name == "oauth2-proxy":
        return login.oauth2_proxy(*with_images(settings), client_id="client", group_id="group", tenant_id="tenant")
    if name == "opik-guardrails":
        return operator.guardrails(images_of(settings), str(settings.opik.guardrails_pool))
    if name == "login-sessions":
        return login.sessions(settings.secrets, images_of(settings))
    computed: dict[str, Callable[[Settings, Mapping[str, Image]], dict[str, Any]]] = {
        "opik": release.opik,
        "altinity-clickhouse-operator": operator.operator,
    }
    return computed[name](*with_images(settings))


def chart_of(name: str, folder: Path) -> str:
    own = own_chart(name)
    if own:
        return str(own)
    if FOLDER:
        found = [path for path in (Path(FOLDER) / name, Path(FOLDER) / f"{name}.tgz") if path.exists()]
        if found and found[0].is_file():
            with tarfile.open(found[0]) as archive:
                archive.extractall(folder / name, filter="data")
            # Its only folder has the chart's own name, which may be another than the release's.
            found = sorted(path.parent for path in (folder / name).glob("*/Chart.yaml"))
        if not found:
            pytest.skip(f"CHARTS_DIR has no chart {name}")
        return str(found[0])
    pin = charts()[name]
    pulled = [pin.name, "--repo", pin.repository, "--version", pin.version, "--untar", "--untardir", str(folder)]
    subprocess.run([str(FOUND), "pull", *pulled], check=True, capture_output=True, text=True)
    return str(folder / pin.name)


CHART_OF = {"login-sessions": "valkey"}


def render(name: str, settings: Settings, folder: Path) -> Objects:
    """Return the objects of a release as it is deployed."""
    wired = folder / f"{name}.json"
    wired.write_text(json.dumps(wired_values(name, settings)))
    variants = release.variants(settings.opik) if name == "opik" else ()
    chart = CHART_OF.get(name, name)
    files = [option for file in (*values_files(chart, variants), wired) for option in ("--values", str(file))]
    minor = ".".join(settings.cluster.kubernetes_version.split(".")[:2])
    command = [str(FOUND), "template", name, chart_of(chart, folder), *files, "--namespace", "opik"]
    result = subprocess.run(
        [*command, "--kube-version", f"{minor}.0", "--skip-crds"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    text = result.stdout
    if name == "opik":
        text = subprocess.run(
            ["sed", *inserting(release.INSERTIONS)], input=text, capture_output=True, text=True, check=True
        ).stdout
    return [document for document in YAML(typ="safe").load_all(text) if document]


Case = tuple[Settings, dict[str, Objects]]


def all_objects(rendered: dict[str, Objects]) -> Objects:
    return [item for objects in rendered.values() for item in objects]


def pods_of(objects: Objects) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield name, labels and specification of every pod, ClickHouse's included."""
    for item in objects:
        if item["kind"] in {"Deployment", "StatefulSet", "Job"}:
            template = item["spec"]["template"]
            yield item["metadata"]["name"], template["metadata"]["labels"], template["spec"]
        if item["kind"] == "ClickHouseInstallation":
            template = clickhouse_pod(item)
            # The operator puts its own labels on the pod.
            yield item["metadata"]["name"], {"clickhouse.altinity.com/chi": item["metadata"]["name"]}, template["spec"]


def clickhouse_pod(installation: dict[str, Any]) -> dict[str, Any]:
    """Return the pod template that the installation uses; the chart's own stays in the list."""
    (cluster,) = installation["spec"]["configuration"]["clusters"]
    used = cluster["templates"]["podTemplate"]
    (template,) = (found for found in installation["spec"]["templates"]["podTemplates"] if found["name"] == used)
    return dict(template)


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["containers"], *(pod.get("initContainers") or [])]


def of_kind(objects: Objects, kind: str) -> Objects:
    """Return the objects of a kind."""
    return [item for item in objects if item["kind"] == kind]


def gib(quantity: str) -> float:
    """Return a quantity of memory in GiB."""
    return int(quantity[:-2]) / {"Mi": 1024, "Gi": 1}[quantity[-2:]]
