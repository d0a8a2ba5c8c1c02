"""Third-party charts as Helm renders them with the values that the stack passes.

`CHARTS_DIR` names a folder with each chart in a folder or archive of its release's name; without it the charts are
pulled from their repositories when `PULL_CHARTS` is set.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import charts, values_files
from stacks.platform.components.certificates import release as certificates
from stacks.platform.components.chat import release as chat
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.gpu.release import dcgm_exporter, nvidia_device_plugin
from stacks.platform.components.ingress.release import nginx_ingress, public_address
from stacks.platform.components.monitoring import release as monitoring
from stacks.platform.components.monitoring.grafana import GrafanaAccess
from stacks.platform.components.secrets import release as external_secrets
from stacks.platform.components.serving import ollama, scaling
from stacks.platform.components.serving.engines import ollama_engines
from stacks.platform.components.tailscale import release as tailscale
from stacks.platform.components.trust.release import trust_manager
from stacks.settings import Settings, load_settings
from stacks.settings.cluster import GpuPoolSettings
from stacks.settings.private_access import TailscaleSettings
from stacks.settings.serving import ModelStore
from tests.support.stacks.components import images_of, with_images

FOLDER = os.environ.get("CHARTS_DIR")


FOUND = shutil.which("helm")


NEEDED = [
    pytest.mark.programs,
    pytest.mark.skipif(FOUND is None, reason="helm is not on PATH"),
    pytest.mark.skipif(
        not FOLDER and not os.environ.get("PULL_CHARTS"), reason="neither CHARTS_DIR nor PULL_CHARTS is set"
    ),
]


KUBERNETES = ".".join(load_settings("dev").cluster.kubernetes_version.split(".")[:2]) + ".0"


NAMESPACE = {
    "cert-manager": "cert-manager",
    "trust-manager": "trust",
    "external-secrets": "external-secrets",
    "nginx-ingress": "ingress",
    "nvidia-device-plugin": "gpu",
    "dcgm-exporter": "gpu",
    "ollama": "serving",
    "keda-http-add-on": "scaling",
    "kube-prometheus-stack": "monitoring",
    "open-webui": "chat",
    "tailscale-operator": "tailscale",
}


ACCESS = GrafanaAccess(
    tenant_id="tenant",
    login_client_id="login",
    group_id="group",
    identity_client_id="identity",
    subscription_id="subscription",
    metrics_url="",
)


VARIANTS = [
    (release, variant)
    for release in NAMESPACE
    for variant in ((), ("ha",))
    if not variant or values_files(release)[0].with_name("values.ha.yaml").is_file()
]


def all_settings() -> Settings:
    """Return settings that use everything: NGINX, and GPU pools with and without sharing."""
    settings = load_settings("dev")
    pools = settings.cluster.gpu_pools | {"shared": GpuPoolSettings(vm_size="Standard_NC4as_T4_v3", time_slices=2)}
    return settings.model_copy(update={"cluster": settings.cluster.model_copy(update={"gpu_pools": pools})})


def everything_on() -> Settings:
    """Return settings with what no environment of the repository has: see `all_settings`, and more."""
    settings = all_settings()
    extra = {"guardrails_pool": next(iter(settings.cluster.gpu_pools)), "python_evaluators": True}
    opik = settings.opik.model_copy(update=extra)
    images = settings.images.model_copy(update={"verify_signatures": True})
    serving = settings.serving.model_copy(update={"model_store": ModelStore.NODE_DISK})
    return settings.model_copy(update={"opik": opik, "images": images, "serving": serving})


def computed_values(release: str) -> dict[str, Any]:
    """Return the values that the stack passes."""
    settings = all_settings()
    values: dict[str, dict[str, Any]] = {
        "cert-manager": certificates.cert_manager(images_of(settings), client_id="client", tenant_id="tenant"),
        "trust-manager": trust_manager(images_of(settings)),
        "external-secrets": external_secrets.operator(images_of(settings)),
        "nginx-ingress": nginx_ingress(
            *with_images(settings),
            routes=enabled_components(settings).routes(),
            address=public_address("ip", "group"),
            backends=["chat"],
        ),
        "tailscale-operator": tailscale.operator(TailscaleSettings(), images_of(settings)),
        "nvidia-device-plugin": nvidia_device_plugin(settings.cluster, images_of(settings)),
        "dcgm-exporter": dcgm_exporter(images_of(settings)),
        "ollama": ollama.ollama(
            settings.cluster,
            settings.serving,
            images_of(settings),
            ollama_engines(settings.models, settings.cluster)[0],
        ),
        "keda-http-add-on": scaling.keda_http_add_on(settings.serving, images_of(settings)),
        "kube-prometheus-stack": monitoring.kube_prometheus_stack(*with_images(settings), ACCESS),
        "open-webui": chat.open_webui(*with_images(settings), client_id="client", group_id="group", tenant_id="tenant"),
    }
    return values[release]


def chart(release: str, folder: Path) -> list[str]:
    """Return what names the chart to Helm."""
    if FOLDER:
        found = [path for path in (Path(FOLDER) / release, Path(FOLDER) / f"{release}.tgz") if path.exists()]
        if not found:
            pytest.skip(f"CHARTS_DIR has no chart {release}")
        return [str(found[0])]
    pin = charts()[release]
    source = (
        [f"{pin.repository}/{pin.name}"] if pin.repository.startswith("oci:") else [pin.name, "--repo", pin.repository]
    )
    pulled = [str(FOUND), "pull", *source, "--version", pin.version, "--untar", "--untardir", str(folder)]
    subprocess.run(pulled, check=True, capture_output=True, text=True)
    return [str(folder / pin.name)]


def render(release: str, variant: tuple[str, ...], folder: Path) -> list[dict[str, Any]]:
    """Return the objects of a release, with the values files of a variant."""
    computed = folder / "computed.json"
    computed.write_text(json.dumps(computed_values(release)))
    files = [option for file in (*values_files(release, variant), computed) for option in ("--values", str(file))]
    where = [
        "--namespace",
        NAMESPACE[release],
        "--kube-version",
        KUBERNETES,
    ]
    command = [str(FOUND), "template", release, *chart(release, folder), *files, *where, "--skip-crds"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return [document for document in YAML(typ="safe").load_all(result.stdout) if document]


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the pods of workloads, by kind and name."""
    for item in objects:
        if item["kind"] in {"Deployment", "DaemonSet", "StatefulSet", "Job"}:
            yield f"{item['kind']} {item['metadata']['name']}", item["spec"]["template"]["spec"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all containers of a pod."""
    return [*pod["containers"], *(pod.get("initContainers") or [])]
