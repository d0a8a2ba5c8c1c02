"""The engines as their charts render them: every trap of Ollama's and vLLM's chart that would cost a GPU or a model."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.kubernetes import ollama, vllm
from stacks.kubernetes.catalogue import values_files
from stacks.kubernetes.engines import engines, ollama_engines
from stacks.settings import load_settings
from stacks.settings.serving import ModelStore
from tests import test_helm_third_party as third_party

pytestmark = third_party.pytestmark

Objects = list[dict[str, Any]]


def _render(release: str, environment: str, store: ModelStore, folder: Path) -> Objects:
    settings = load_settings(environment)
    settings = settings.model_copy(update={"serving": settings.serving.model_copy(update={"model_store": store})})
    wired = vllm.vllm(settings) if release == "vllm" else ollama.ollama(settings, ollama_engines(settings)[0])
    file = folder / "wired.json"
    file.write_text(json.dumps(wired))
    files = [option for path in (*values_files(release), file) for option in ("--values", str(path))]
    name = "vllm" if release == "vllm" else ollama_engines(settings)[0].name
    command = [str(third_party.FOUND), "template", name, *third_party.chart(release, folder), *files, "--skip-crds"]
    shown = subprocess.run([*command, "--namespace", "serving"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    return [item for item in YAML(typ="safe").load_all(shown.stdout) if item]


def _deployments(objects: Objects) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == "Deployment"}


@pytest.fixture(params=[(r, s) for r in ("ollama", "vllm") for s in ModelStore], ids="-".join)
def rendered(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    release, store = request.param
    return _render(release, "dev", store, tmp_path)


def test_every_engine_has_a_gpu_which_it_frees_before_its_successor_starts(rendered: Objects) -> None:
    found = _deployments(rendered)
    assert found
    for deployment in found.values():
        assert deployment["spec"]["strategy"] == {"type": "Recreate"}
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert int(container["resources"]["limits"]["nvidia.com/gpu"]) == 1
        assert "memory" in container["resources"]["limits"]
        # AKS has no such class, and would refuse the pod.
        assert "runtimeClassName" not in pod
        assert "lifecycle" not in container
        assert deployment["spec"]["replicas"] == 0


def test_engines_run_without_rights_and_keep_to_their_pool(rendered: Objects) -> None:
    for deployment in _deployments(rendered).values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in (*pod["containers"], *(pod.get("initContainers") or [])):
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert '"kubernetes.azure.com/agentpool"' in json.dumps([pod.get("nodeSelector"), pod.get("affinity")])


def test_names_are_those_by_which_scaling_and_front_find_the_engines(tmp_path: Path) -> None:
    settings = load_settings("dev")
    objects = [
        item for release in ("ollama", "vllm") for item in _render(release, "dev", ModelStore.AZURE_FILES, tmp_path)
    ]
    services = {item["metadata"]["name"]: item["spec"]["ports"] for item in objects if item["kind"] == "Service"}
    for engine in engines(settings):
        assert engine.deployment in _deployments(objects)
        assert engine.service_port in {port["port"] for port in services[engine.service]}


def test_only_claims_that_a_pod_mounts_are_made(rendered: Objects) -> None:
    # One that nobody mounts never binds, and the release waits for it.
    claims = {item["metadata"]["name"] for item in rendered if item["kind"] == "PersistentVolumeClaim"}
    mounted = {
        volume["persistentVolumeClaim"]["claimName"]
        for deployment in _deployments(rendered).values()
        for volume in deployment["spec"]["template"]["spec"].get("volumes") or []
        if "persistentVolumeClaim" in volume
    }
    assert claims <= mounted
    assert mounted <= claims | {ollama.STORE_CLAIM}


def test_store_of_ollama_holds_the_models_and_not_only_the_mount(tmp_path: Path) -> None:
    (deployment,) = _deployments(_render("ollama", "dev", ModelStore.AZURE_FILES, tmp_path)).values()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {item["name"]: item.get("value") for item in container["env"]}
    (mount,) = (item for item in container["volumeMounts"] if item["name"] == "ollama-data")
    assert str(environment["OLLAMA_MODELS"]).startswith(f"{mount['mountPath']}/")


def test_vllm_gets_its_keys_by_reference_and_time_for_the_first_download(tmp_path: Path) -> None:
    settings = load_settings("dev")
    (deployment,) = _deployments(_render("vllm", "dev", ModelStore.AZURE_FILES, tmp_path)).values()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {item["name"]: item for item in container["env"]}
    assert len(environment) == len(container["env"])
    key = environment["VLLM_API_KEY"]["valueFrom"]["secretKeyRef"]
    assert key == {"name": "vllm-secrets", "key": "VLLM_API_KEY"}
    probe = container["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] >= settings.serving.startup_minutes * 60
    arguments = container["command"]
    assert arguments[arguments.index("--dtype") + 1] == "half"
    assert "--enable-prefix-caching" in arguments
    assert environment["HF_HOME"]["value"] == "/data/shared-pvc-storage"


def test_router_finds_engines_of_this_release_alone(tmp_path: Path) -> None:
    found = _deployments(_render("vllm", "prod", ModelStore.AZURE_FILES, tmp_path))
    (container,) = found.pop("vllm-deployment-router")["spec"]["template"]["spec"]["containers"]
    selector = container["args"][container["args"].index("--k8s-label-selector") + 1]
    assert selector == "stack=vllm-engine"
    for engine in found.values():
        assert engine["spec"]["template"]["metadata"]["labels"]["stack"] == "vllm-engine"
