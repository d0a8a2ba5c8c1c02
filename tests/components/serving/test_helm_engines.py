"""The engines as their charts render them: every trap of the charts that would cost a GPU or a model.

Ollama's chart is a third party's (`CHARTS_DIR`); vLLM's is our own.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM as HELM_FOLDER
from stacks.platform.common.catalogue import own_chart, values_files
from stacks.platform.common.timeouts import Hop
from stacks.platform.components.serving import ollama, vllm
from stacks.platform.components.serving.engines import engines, ollama_engines, vllm_engines
from stacks.settings import load_settings
from stacks.settings.serving import ModelStore
from tests.support.kubernetes import third_party
from tests.support.patience import PATIENCE_S
from tests.support.stacks.components import images_of

HELM = shutil.which("helm")
pytestmark = [pytest.mark.programs, pytest.mark.skipif(HELM is None, reason="helm is not on PATH")]

Objects = list[dict[str, Any]]


def third_party_charts(test: Any) -> Any:
    """Mark a test that needs Ollama's chart."""
    for mark in third_party.NEEDED:
        test = mark(test)
    return test


def _render(release: str, environment: str, store: ModelStore, folder: Path, **changes: Any) -> Objects:
    settings = load_settings(environment)
    changes |= {"model_store": store}
    settings = settings.model_copy(update={"serving": settings.serving.model_copy(update=changes)})
    if release == "vllm":
        engine = vllm_engines(settings.models, settings.cluster)[0]
        wired, chart = (
            vllm.vllm(settings.cluster, settings.serving, images_of(settings), engine),
            [str(own_chart("vllm"))],
        )
    else:
        engine = ollama_engines(settings.models, settings.cluster)[0]
        wired, chart = (
            ollama.ollama(settings.cluster, settings.serving, images_of(settings), engine),
            third_party.chart("ollama", folder),
        )
    file = folder / "wired.json"
    file.write_text(json.dumps(wired))
    files = [option for path in (*values_files(release), file) for option in ("--values", str(path))]
    command = [str(HELM), "template", engine.name, *chart, *files, "--skip-crds", "--namespace", "serving"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    return [item for item in YAML(typ="safe").load_all(shown.stdout) if item]


def _deployments(objects: Objects) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == "Deployment"}


def _container(objects: Objects) -> dict[str, Any]:
    (deployment,) = _deployments(objects).values()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = container
    return found


CASES = [
    pytest.param(
        (release, store),
        id=f"{release}-{store}",
        marks=[] if release == "vllm" else third_party.NEEDED,
    )
    for release in ("ollama", "vllm")
    for store in ModelStore
]


@pytest.fixture(params=CASES)
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
        # A hook that pulls models would fail in silence.
        assert "postStart" not in container["lifecycle"]
        assert deployment["spec"]["replicas"] == 0


def test_no_engine_is_killed_before_the_answers_that_it_has_begun_end(rendered: Objects) -> None:
    """Waiting, then draining: 10 s and 600 s, of 620 that Kubernetes gives it."""
    for deployment in _deployments(rendered).values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] == 620
        (container,) = pod["containers"]
        before = container["lifecycle"]["preStop"]
        if "vllm" in deployment["metadata"]["name"]:
            assert before == {"sleep": {"seconds": 10}}
            assert "--shutdown-timeout=600" in container["command"]
        else:
            # Its server closes at once on SIGTERM (`server/routes.go` of v0.32.15): the hook has to wait.
            script = before["exec"]["command"][-1]
            assert "sleep 10" in script
            assert "2CAA" in script
            assert "600" in script


def test_engines_run_without_rights_and_keep_to_their_pool(rendered: Objects) -> None:
    for deployment in _deployments(rendered).values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in (*pod["containers"], *(pod.get("initContainers") or [])):
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert '"kubernetes.azure.com/agentpool"' in json.dumps([pod.get("nodeSelector"), pod.get("affinity")])


@pytest.mark.parametrize("release", [pytest.param("ollama", marks=third_party.NEEDED), "vllm"])
def test_names_are_those_by_which_scaling_and_front_find_the_engines(release: str, tmp_path: Path) -> None:
    objects = _render(release, "dev", ModelStore.AZURE_FILES, tmp_path)
    services = {item["metadata"]["name"]: item["spec"]["ports"] for item in objects if item["kind"] == "Service"}
    settings = load_settings("dev")
    (engine,) = (found for found in engines(settings.models, settings.cluster) if found.engine == release)
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
    assert mounted <= claims | {"ollama-models", "vllm-models"}


@third_party_charts
@pytest.mark.parametrize("store", ModelStore)
def test_ollama_only_reads_its_store_and_writes_to_an_empty_folder(store: ModelStore, tmp_path: Path) -> None:
    (deployment,) = _deployments(_render("ollama", "dev", store, tmp_path)).values()
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {item["name"]: item.get("value") for item in container["env"]}
    assert environment["OLLAMA_MODELS"] == "/models/ollama"
    assert container["volumeMounts"] == [
        {"name": "ollama-data", "mountPath": "/tmp"},
        {"name": "models", "mountPath": "/models", "readOnly": True},
    ]
    volumes = {volume.pop("name"): volume for volume in pod["volumes"]}
    assert volumes["ollama-data"] == {"emptyDir": {}}
    shared = {"persistentVolumeClaim": {"claimName": "ollama-models"}}
    assert volumes["models"] == (shared if store is ModelStore.AZURE_FILES else {"emptyDir": {}})
    (before,) = pod["initContainers"]
    assert {"name": "models", "mountPath": "/models"} in before["volumeMounts"]


def test_vllm_gets_its_keys_by_reference_and_its_weights_without_the_hub(tmp_path: Path) -> None:
    container = _container(_render("vllm", "dev", ModelStore.AZURE_FILES, tmp_path))
    environment = {item["name"]: item for item in container["env"]}
    assert len(environment) == len(container["env"])
    key = environment["VLLM_API_KEY"]["valueFrom"]["secretKeyRef"]
    assert key == {"name": "serving-keys", "key": "VLLM_API_KEY"}
    assert {name: environment[name]["value"] for name in ("HF_HOME", "HF_HUB_OFFLINE", "VLLM_CACHE_ROOT")} == {
        "HF_HOME": "/models/huggingface",
        "HF_HUB_OFFLINE": "1",
        "VLLM_CACHE_ROOT": "/models/compiled/qwen2-5-7b",
    }
    probe = container["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] == 45 * 60
    assert "--dtype=half" in container["command"]
    assert "--max-num-seqs=256" in container["command"]
    # What computes, and what waits: 256 and 50.
    assert "--max-num-queued-reqs=306" in container["command"]


def test_vllm_keeps_idle_connections_longer_than_the_interceptor_would_use_them(tmp_path: Path) -> None:
    container = _container(_render("vllm", "dev", ModelStore.AZURE_FILES, tmp_path))
    environment = {item["name"]: item.get("value") for item in container["env"]}
    assert environment["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"] == "120"


def test_vllm_may_only_read_the_weights_that_others_load_as_well(tmp_path: Path) -> None:
    container = _container(_render("vllm", "dev", ModelStore.AZURE_FILES, tmp_path))
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"] if mount["name"] == "models"}
    assert set(mounts) == {"/models/huggingface", "/models/compiled/qwen2-5-7b"}
    assert mounts["/models/huggingface"]["readOnly"] is True
    assert mounts["/models/huggingface"]["subPath"] == "huggingface"
    # Its own folder alone, which the Job that brings the weights has made.
    assert mounts["/models/compiled/qwen2-5-7b"]["subPath"] == "compiled/qwen2-5-7b"
    (job,) = vllm.pull_jobs(load_settings("dev"))
    assert job.arguments[2:] == ("qwen2-5-7b",)


def test_the_download_makes_the_folders_that_engines_write_to(tmp_path: Path) -> None:
    (tmp_path / "huggingface_hub.py").write_text("def snapshot_download(*_, **__):\n    return 'folder'\n")
    script = HELM_FOLDER / "vllm" / "fetch_weights.py"
    environment = {"PYTHONPATH": str(tmp_path), "COMPILED": str(tmp_path / "compiled")}
    command = [sys.executable, str(script), "some/model", "main", "one", "two"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert sorted(path.name for path in (tmp_path / "compiled").iterdir()) == ["one", "two"]


def test_vllm_on_the_nodes_disk_downloads_before_it_serves_and_serves_without_the_token(tmp_path: Path) -> None:
    (deployment,) = (
        item
        for item in _render("vllm", "dev", ModelStore.NODE_DISK, tmp_path, hugging_face_token=True)
        if item["kind"] == "Deployment"
    )
    pod = deployment["spec"]["template"]["spec"]
    (fetch,), (serve,) = pod["initContainers"], pod["containers"]
    assert fetch["args"] == ["Qwen/Qwen2.5-7B-Instruct-AWQ", "b25037543e9394b818fdfca67ab2a00ecc7dd641"]
    assert fetch["command"] == ["sh", "/scripts/fetch-weights.sh"]
    assert "HF_TOKEN" in {item["name"] for item in fetch["env"]}
    environment = {item["name"]: item.get("value") for item in serve["env"]}
    assert "HF_TOKEN" not in environment
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["HF_HOME"] == {item["name"]: item.get("value") for item in fetch["env"]}["HF_HOME"]
    assert next(mount for mount in serve["volumeMounts"] if mount["name"] == "models")["readOnly"] is True


def test_vllm_has_no_secret_and_no_router_of_its_own(tmp_path: Path) -> None:
    objects = _render("vllm", "prod", ModelStore.AZURE_FILES, tmp_path)
    assert sorted(item["kind"] for item in objects) == ["Deployment", "Service"]


@pytest.mark.parametrize("state", ["01", "06"])
def test_hook_of_ollama_waits_for_the_last_connection_and_no_longer(state: str, tmp_path: Path) -> None:
    """The kernel's own table: 11434 is 2CAA, 01 an established connection, 06 one that has ended."""
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st tx_queue\n"
        f"   0: 0A00000A:2CAA 0A00000B:D431 {state} 00000000:00000000\n"
        "   1: 0A00000A:1F90 0A00000B:D432 01 00000000:00000000\n"
    )
    hop = Hop(silence_seconds=None, idle_seconds=None, reuse_seconds=0, pre_stop_seconds=0, drain_seconds=600)
    script = ollama.drain_script(hop, connections=str(table)).replace("sleep 2", f"rm {table}; touch {tmp_path}/waited")
    subprocess.run(["sh", "-c", script], check=True, timeout=PATIENCE_S)
    assert (tmp_path / "waited").exists() is (state == "01")
