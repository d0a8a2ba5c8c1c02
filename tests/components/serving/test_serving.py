"""Engines, their scaling and their store follow the settings; charts render what the stack passes."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import own_chart
from stacks.platform.common.timeouts import hold_seconds, ingress_seconds
from stacks.platform.common.traffic import Direction, Peer
from stacks.platform.components.ingress.release import nginx_ingress
from stacks.platform.components.llm_gateway.models import model_list
from stacks.platform.components.serving import ollama, scaling, vllm
from stacks.platform.components.serving.engines import (
    ServingEngine,
    engine_of,
    engines,
    ollama_engines,
    vllm_engines,
)
from stacks.settings import Settings, load_settings
from stacks.settings.azure_catalog.reservations import allocatable
from stacks.settings.azure_catalog.sizes import GPU_SIZES
from stacks.settings.serving import ModelStore, ServingSettings, WarmHours
from tests.support.stacks.components import images_of, namespaces, secret_names, with_images
from tests.support.stacks.synthesis import Synthesized

HELM = shutil.which("helm")
NFS_BILLED_GIB = 32
LOAD_BALANCER_IDLE_SECONDS = 30 * 60


def _settings(environment: str = "dev", **serving: Any) -> Settings:
    settings = load_settings(environment)
    return settings.model_copy(update={"serving": settings.serving.model_copy(update=serving)})


def _with_models(settings: Settings, **fields: Any) -> Settings:
    return settings.model_copy(update={"models": tuple(m.model_copy(update=fields) for m in settings.models)})


def _engine(settings: Settings, name: str) -> ServingEngine:
    return next(engine for engine in engines(settings.models, settings.cluster) if engine.name == name)


def _environment(pod_values: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in pod_values["extraEnv"]}


def test_every_model_has_one_engine_and_ollama_models_of_a_pool_share_theirs() -> None:
    settings = load_settings("prod")
    served = [model.name for engine in engines(settings.models, settings.cluster) for model in engine.models]
    assert sorted(served) == sorted(model.name for model in settings.models)
    assert [engine.name for engine in ollama_engines(settings.models, settings.cluster)] == ["ollama-t4"]
    assert [engine.name for engine in vllm_engines(settings.models, settings.cluster)] == [
        "vllm-qwen2-5-7b",
        "vllm-qwen3-32b",
    ]


def test_callers_are_told_the_front_never_an_engine() -> None:
    settings = load_settings("prod")
    for model in settings.models:
        assert engine_of(model, settings.models, settings.cluster).base_url.startswith(
            "http://serving-front.serving.svc.cluster.local:8080/"
        )


def test_engines_start_at_their_minimum_so_that_a_deployment_starts_no_gpu() -> None:
    settings = load_settings("prod")
    assert (
        ollama.ollama(settings.cluster, settings.serving, images_of(settings), _engine(settings, "ollama-t4"))[
            "replicaCount"
        ]
        == 0
    )
    counts = {
        engine.leader.name: vllm.vllm(settings.cluster, settings.serving, images_of(settings), engine)["replicas"]
        for engine in vllm_engines(settings.models, settings.cluster)
    }
    assert counts == {"qwen2-5-7b": 0, "qwen3-32b": 1}


def test_turing_computes_in_half_precision_and_newer_cards_in_the_model_s_own() -> None:
    settings = load_settings("prod")
    wanted = {"vllm-qwen2-5-7b": "--dtype=half", "vllm-qwen3-32b": "--dtype=auto"}
    for name, argument in wanted.items():
        assert (
            argument
            in vllm.vllm(settings.cluster, settings.serving, images_of(settings), _engine(settings, name))["arguments"]
        )


def test_shares_of_a_card_together_take_no_more_than_all_of_it() -> None:
    settings = load_settings("dev")
    pools = {"t4": settings.cluster.gpu_pools["t4"].model_copy(update={"time_slices": 2})}
    shared = settings.model_copy(update={"cluster": settings.cluster.model_copy(update={"gpu_pools": pools})})
    (engine,) = vllm_engines(shared.models, shared.cluster)
    assert (
        "--gpu-memory-utilization=0.45"
        in vllm.vllm(shared.cluster, shared.serving, images_of(shared), engine)["arguments"]
    )


def test_every_request_passes_the_interceptor_which_counts_it() -> None:
    front = scaling.serving_proxy(*with_images(load_settings("prod")))["engines"]
    held = "keda-add-ons-http-interceptor-proxy.scaling.svc.cluster.local:8080"
    # Also those for an engine that never sleeps: by a way around, an embedding would not be counted.
    assert {name: engine["upstream"] for name, engine in front.items()} == dict.fromkeys(
        ("ollama-t4", "vllm-qwen2-5-7b", "vllm-qwen3-32b"), held
    )


@pytest.mark.parametrize("minutes", [1, 15])
def test_every_timeout_on_the_path_is_longer_than_the_one_behind_it(minutes: int) -> None:
    settings = _settings(hold_minutes=minutes)
    interceptor = scaling.keda_http_add_on(settings.serving, images_of(settings))["interceptor"]
    assert interceptor["readinessTimeout"] == f"{minutes * 60}s"
    assert interceptor["responseHeaderTimeout"] == "720s"
    front = scaling.serving_proxy(*with_images(settings))["timeoutSeconds"]
    nginx = nginx_ingress(*with_images(settings), routes={}, address={}, backends=["chat"])["controller"]["config"][
        "entries"
    ]
    door = int(nginx["proxy-read-timeout"].removesuffix("s"))
    assert minutes * 60 + 720 < front < door == ingress_seconds(settings.serving) < LOAD_BALANCER_IDLE_SECONDS


def test_longest_wait_that_may_be_set_still_fits_the_load_balancer() -> None:
    most = max(meta.le for meta in ServingSettings.model_fields["hold_minutes"].metadata if hasattr(meta, "le"))
    assert ingress_seconds(_settings(hold_minutes=most).serving) < LOAD_BALANCER_IDLE_SECONDS


def test_engine_is_not_ended_while_it_loads() -> None:
    settings = _with_models(_settings(hold_minutes=15), idle_minutes=1)
    for engine in scaling.scaling(settings)["engines"].values():
        assert engine["idleSeconds"] >= hold_seconds(settings.serving)


def test_vllm_scales_on_its_own_queue_and_ollama_on_requests() -> None:
    engines_ = scaling.scaling(_settings(waiting_per_replica=7, requests_per_replica=3))["engines"]
    assert engines_["vllm-qwen2-5-7b"]["waiting"] == {
        "url": "http://vllm-qwen2-5-7b.serving.svc.cluster.local:8000/metrics",
        "metric": "vllm:num_requests_waiting",
        "perReplica": 7,
    }
    assert "waiting" not in engines_["ollama-t4"]
    assert engines_["ollama-t4"]["concurrency"] == 3


def test_what_waits_is_bounded_and_not_what_is_answered() -> None:
    """A vLLM computes 256 at once, an Ollama one with each model; 50 more may wait for each model."""
    front = scaling.serving_proxy(*with_images(_settings("dev", waiting_requests=50)))["engines"]
    assert {name: engine["requests"] for name, engine in front.items()} == {
        "ollama-t4": 6 * 1 + 6 * 50,
        "vllm-qwen2-5-7b": 256 + 50,
    }
    # Two replicas of the front: each takes three quarters, since connections spread unevenly. The model has three.
    prod = scaling.serving_proxy(*with_images(_settings("prod", waiting_requests=50)))
    assert prod["replicas"] == 2
    assert prod["engines"]["vllm-qwen2-5-7b"]["requests"] == 614


def test_ollama_refuses_nothing_that_the_front_has_let_in() -> None:
    settings = _settings("dev", waiting_requests=50)
    assert (
        _environment(
            ollama.ollama(settings.cluster, settings.serving, images_of(settings), _engine(settings, "ollama-t4"))
        )["OLLAMA_MAX_QUEUE"]
        == "306"
    )


def test_ollama_keeps_what_the_settings_counted_for_its_memory() -> None:
    settings = load_settings("dev")
    environment = _environment(
        ollama.ollama(settings.cluster, settings.serving, images_of(settings), _engine(settings, "ollama-t4"))
    )
    assert environment["OLLAMA_CONTEXT_LENGTH"] == str(settings.models[0].context_tokens)
    assert environment["OLLAMA_NUM_PARALLEL"] == "1"
    assert environment["OLLAMA_MODELS"].startswith(f"{ollama.MODELS}/")
    # Another server's start must not remove what a download has brought so far.
    assert environment["OLLAMA_NOPRUNE"] == "1"
    assert environment["OLLAMA_NO_CLOUD"] == "1"


def test_no_model_is_pulled_by_the_chart_whose_failures_are_silent() -> None:
    settings = load_settings("dev")
    for store in ModelStore:
        wired = ollama.ollama(
            _settings(model_store=store).cluster,
            _settings(model_store=store).serving,
            images_of(_settings(model_store=store)),
            _engine(settings, "ollama-t4"),
        )
        assert set(wired["ollama"]) == {"gpu"}
        assert set(wired["lifecycle"]) == {"preStop"}


def test_every_ollama_model_is_downloaded_by_a_job_that_bears_its_name() -> None:
    jobs = ollama.pull_jobs(load_settings("dev"))
    assert [job.arguments for job in jobs] == [
        (name,) for name in ("phi3.5", "llama3.1:8b", "mistral:7b", "gemma2:2b", "gpt-oss", "deepseek-r1")
    ]
    assert jobs[1].name.startswith("pull-llama3-1-8b-")
    assert len({job.name for job in jobs}) == len(jobs)
    assert not any(job.prune for job in jobs)


def test_pruning_is_a_job_of_its_own_that_knows_every_listed_model() -> None:
    *pulls, prune = ollama.pull_jobs(_settings(prune_models=True))
    assert prune.prune
    assert prune.arguments == tuple(name for job in pulls for name in job.arguments)


def test_node_disk_needs_no_jobs_and_is_filled_before_the_server_starts() -> None:
    settings = _settings(model_store=ModelStore.NODE_DISK)
    assert ollama.pull_jobs(settings) == ()
    wired = ollama.ollama(settings.cluster, settings.serving, images_of(settings), _engine(settings, "ollama-t4"))
    assert {"name": "models", "emptyDir": {}} in wired["volumes"]
    (filler,) = wired["initContainers"]
    assert filler["args"] == [model.id for model in settings.models if model.engine == "ollama"]


def test_node_disk_is_filled_with_the_pinned_content() -> None:
    settings = _settings(model_store=ModelStore.NODE_DISK)
    pinned = [
        model.model_copy(update={"revision": "ab" * 32}) if model.id == "gemma2:2b" else model
        for model in settings.models
    ]
    settings = settings.model_copy(update={"models": tuple(pinned)})
    wired = ollama.ollama(settings.cluster, settings.serving, images_of(settings), _engine(settings, "ollama-t4"))
    digests = {
        tuple(item["args"]): {entry["name"]: entry["value"] for entry in item["env"]}.get("DIGEST")
        for item in wired["initContainers"]
    }
    assert digests == {
        ("phi3.5", "llama3.1:8b", "mistral:7b", "gpt-oss", "deepseek-r1"): None,
        ("gemma2:2b",): "ab" * 32,
    }


def test_shares_are_never_smaller_than_what_azure_bills() -> None:
    for key in ("ollama_store_gib", "vllm_store_gib"):
        field = ServingSettings.model_fields[key]
        assert next(meta.ge for meta in field.metadata if hasattr(meta, "ge")) == NFS_BILLED_GIB


def test_token_for_gated_models_comes_from_the_vault_only_when_the_file_says_it_is_there() -> None:
    assert "HF_TOKEN" not in secret_names(_settings())["serving"]["serving-keys"]
    with_token = _settings(hugging_face_token=True)
    assert secret_names(with_token)["serving"]["serving-keys"]["HF_TOKEN"] == "hugging-face-token"
    assert vllm.download_environment(with_token.serving)["HF_TOKEN_PATH"] == "/token/HF_TOKEN"
    assert "HF_TOKEN_PATH" not in vllm.download_environment(_settings().serving)
    on_node = _settings(hugging_face_token=True, model_store=ModelStore.NODE_DISK)
    (engine,) = vllm_engines(on_node.models, on_node.cluster)
    assert vllm.vllm(on_node.cluster, on_node.serving, images_of(on_node), engine)["secret"]["tokenKey"] == "HF_TOKEN"


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_engines_ask_for_what_their_nodes_have(environment: str) -> None:
    settings = load_settings(environment)
    for engine in engines(settings.models, settings.cluster):
        size = GPU_SIZES[engine.pools[0].vm_size]
        room = allocatable(size.vcpus, size.memory_gib, settings.cluster.max_pods_per_node)
        if engine.engine == "ollama":
            resources = ollama.ollama(settings.cluster, settings.serving, images_of(settings), engine)["resources"]
            cpu, memory = float(resources["requests"]["cpu"]), resources["limits"]["memory"]
        else:
            resources = vllm.vllm(settings.cluster, settings.serving, images_of(settings), engine)["resources"]
            cpu, memory = float(resources["requests"]["cpu"]), resources["limits"]["memory"]
        assert cpu < room.cpu
        assert float(memory.removesuffix("Gi")) < room.memory_gib


def test_aks_leaves_what_microsoft_says_of_the_smallest_gpu_node() -> None:
    # Four cores without 140m, and 28 GiB without 20 MB for each of 30 pods, 50 MB, and the eviction threshold.
    room = allocatable(4, 28, 30)
    assert room.cpu == pytest.approx(3.86)
    assert room.memory_gib == pytest.approx(28 - 650 / 1073.741824 - 100 / 1024)


def test_only_front_and_keda_reach_engines_and_ollama_reaches_nothing() -> None:
    (serving,) = (rules for rules in namespaces(load_settings("dev")) if rules.name == "serving")
    into = {flow.name: flow for flow in serving.traffic if flow.direction is Direction.INGRESS}
    assert into["allow-ollama"].peers == (
        Peer(namespace="scaling", pods={"app.kubernetes.io/component": "interceptor"}),
    )
    callers = {peer.namespace for peer in into["allow-callers"].peers}
    assert callers == {"chat", "gateway"}
    assert into["allow-callers"].pods == {"app.kubernetes.io/name": "serving-front"}
    out = [flow for flow in serving.traffic if flow.direction is Direction.EGRESS and flow.name != "allow-dns"]
    assert not any(flow.pods in ({}, {"app.kubernetes.io/name": "ollama"}) for flow in out)


def _rendered(release: str, wired: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    file = folder / "wired.json"
    file.write_text(json.dumps(wired))
    command = [str(HELM), "template", release, str(own_chart(release)), "--values", str(file), "--namespace", "serving"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [item for item in YAML(typ="safe").load_all(text) if item]


@pytest.mark.programs
@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
def test_scaler_asks_by_the_route_of_its_engine_and_counts_held_requests(tmp_path: Path) -> None:
    settings = _settings(warm_hours=WarmHours(timezone="Europe/Berlin", start="07:30"))
    objects = _rendered("scaling", scaling.scaling(settings), tmp_path)
    routes = {item["metadata"]["name"]: item["spec"] for item in objects if item["kind"] == "InterceptorRoute"}
    scalers = {item["metadata"]["name"]: item["spec"] for item in objects if item["kind"] == "ScaledObject"}
    assert set(routes) == set(scalers) == {engine.name for engine in engines(settings.models, settings.cluster)}
    for name, route in routes.items():
        # requestRate loses the first request after a long idle time (kedacore/http-add-on#1692).
        assert set(route["scalingMetric"]) == {"concurrency"}
        assert route["rules"] == [{"hosts": [f"{name}.serving"]}]
        triggers = {trigger["name"]: trigger for trigger in scalers[name]["triggers"]}
        assert triggers["requests"]["metadata"] == {
            "scalerAddress": "keda-add-ons-http-external-scaler.scaling:9090",
            "interceptorRoute": name,
        }
        assert triggers["warm-hours"]["metadata"] == {
            "timezone": "Europe/Berlin",
            "start": "30 7 * * 1-5",
            "end": "0 18 * * 1-5",
            "desiredReplicas": "1",
        }
        # KEDA takes only texts there.
        for trigger in triggers.values():
            assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert scalers["vllm-qwen2-5-7b"]["minReplicaCount"] == 0


@pytest.mark.programs
@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
def test_without_warm_hours_nothing_is_kept_awake(tmp_path: Path) -> None:
    objects = _rendered("scaling", scaling.scaling(load_settings("dev")), tmp_path)
    kinds = {t["type"] for item in objects if item["kind"] == "ScaledObject" for t in item["spec"]["triggers"]}
    assert kinds == {"external-push", "metrics-api"}


@pytest.mark.programs
@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
def test_front_fits_the_strictest_level(tmp_path: Path) -> None:
    objects = _rendered("serving-front", scaling.serving_proxy(*with_images(load_settings("prod"))), tmp_path)
    (pod,) = (item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment")
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert any(item["kind"] == "PodDisruptionBudget" for item in objects)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_weights_lie_on_shares_that_outlive_the_cluster_and_are_there_before_an_engine_reads_them(
    name: str, environment: Callable[[str], Synthesized]
) -> None:
    synthesized = environment(name)
    volumes = synthesized.resources("platform", "kubernetes_persistent_volume_v1")
    for share in ("ollama-models", "vllm-models"):
        (volume,) = (body for key, body in volumes.items() if key.startswith(f"{share}-share_volume"))
        (spec,) = volume["spec"]
        assert spec["persistent_volume_reclaim_policy"] == "Retain"
        source = spec["persistent_volume_source"]["csi"]["volume_attributes"]
        assert source["protocol"] == "nfs"
        assert source["encryptInTransit"] == "true"
        assert "outputs.model_store_account_name" in source["storageAccount"]
    jobs = synthesized.resources("platform", "kubernetes_job_v1")
    releases = synthesized.resources("platform", "helm_release")
    settings = load_settings(name)
    pulls = {job: body for job, body in jobs.items() if job.startswith(("pull-", "fetch-"))}
    assert set(pulls) == {job.name for job in (*ollama.pull_jobs(settings), *vllm.pull_jobs(settings))}
    for body in pulls.values():
        assert "nvidia.com/gpu" not in json.dumps(body)
    for engine in vllm_engines(settings.models, settings.cluster):
        job = vllm.job_names(engine.leader)[0]
        assert f"kubernetes_job_v1.{job}" in releases[engine.name]["depends_on"]


def test_one_model_of_vllm_is_changed_without_another(environment: Callable[[str], Synthesized]) -> None:
    releases = environment("prod").resources("platform", "helm_release")
    texts = {name: json.dumps(releases[name]) for name in ("vllm-qwen2-5-7b", "vllm-qwen3-32b")}
    assert "Qwen3-32B" not in texts["vllm-qwen2-5-7b"]
    assert "Qwen2.5-7B" not in texts["vllm-qwen3-32b"]


@pytest.mark.programs
@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
def test_engine_that_never_gets_ready_goes_to_zero(tmp_path: Path) -> None:
    """Without a fallback, a failing trigger keeps KEDA from scaling to zero (`scale_scaledobjects.go` of v2.20)."""
    objects = _rendered("scaling", scaling.scaling(load_settings("prod")), tmp_path)
    fallbacks = {
        item["metadata"]["name"]: item["spec"]["fallback"] for item in objects if item["kind"] == "ScaledObject"
    }
    assert fallbacks == {
        name: {"failureThreshold": 3, "replicas": 0} for name in ("ollama-t4", "vllm-qwen2-5-7b", "vllm-qwen3-32b")
    }


def test_scalers_follow_the_add_on_and_the_engines_they_name(environment: Callable[[str], Synthesized]) -> None:
    waits_for = environment("prod").resources("platform", "helm_release")["scaling"]["depends_on"]
    assert {"helm_release.keda-http-add-on", "helm_release.ollama-t4", "helm_release.vllm-qwen3-32b"} <= set(waits_for)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_no_class_makes_volumes_with_rights_that_the_cluster_has_not(
    name: str, environment: Callable[[str], Synthesized]
) -> None:
    """A class that makes NFS shares puts service endpoints on subnets; `managed-csi` needs the nodes' group alone."""
    classes = environment(name).resources("platform", "kubernetes_storage_class_v1").values()
    made = {body["metadata"]["name"]: body["storage_provisioner"] for body in classes}
    assert {one for one, provisioner in made.items() if provisioner != "kubernetes.io/no-provisioner"} <= {
        "static-disk"
    }
    claims = environment(name).resources("platform", "kubernetes_persistent_volume_claim_v1").values()
    assert [body["metadata"]["name"] for body in claims if "volume_name" not in body["spec"]] == []
    releases = json.dumps(environment(name).resources("platform", "helm_release"))
    named = set(re.findall(r'storageClass(?:Name)?(?:\\*"|: )[: ]*\\*"?([a-z][a-z0-9-]*)', releases))
    assert named <= {*made, "managed-csi"}


def _contexts(**serving: Any) -> Settings:
    """Two chat models of one pool with different contexts, and one that makes vectors."""
    values = load_settings("dev").model_dump()
    common = {"engine": "ollama", "pool": "t4", "quantization": "q4", "weights_gib": 1, "kv_cache_kib_per_token": 8}
    values["models"] = [
        common | {"name": "llama", "id": "llama3.1:8b"},
        common | {"name": "phi", "id": "phi3.5", "context_tokens": 16384},
        common | {"name": "vectors", "id": "nomic-embed-text:v1.5", "context_tokens": 2048},
    ]
    values["serving"] |= serving
    return Settings.model_validate(values)


def test_models_of_one_ollama_have_contexts_of_their_own_under_tags_of_their_own() -> None:
    settings = _contexts()
    own = ["llama3.1:8b", "phi3.5:16384ctx", "nomic-embed-text:v1.5-2048ctx"]
    assert (
        _environment(
            ollama.ollama(settings.cluster, settings.serving, images_of(settings), _engine(settings, "ollama-t4"))
        )["OLLAMA_CONTEXT_LENGTH"]
        == "8192"
    )
    assert scaling.serving_proxy(*with_images(settings))["engines"]["ollama-t4"]["models"] == own
    assert [model["litellm_params"]["model"] for model in model_list(settings)] == [f"openai/{tag}" for tag in own]


def test_the_job_that_brings_weights_makes_the_tag_with_the_context() -> None:
    settings = _contexts(prune_models=True)
    *pulls, prune = ollama.pull_jobs(settings)
    assert [(job.arguments, dict(job.environment)) for job in pulls] == [
        (("llama3.1:8b",), {}),
        (("phi3.5",), {"CONTEXTS": "phi3.5:16384ctx=16384"}),
        (("nomic-embed-text:v1.5",), {"CONTEXTS": "nomic-embed-text:v1.5-2048ctx=2048"}),
    ]
    # Another context is another Job, which makes another tag.
    other = settings.model_copy(
        update={"models": tuple(one.model_copy(update={"context_tokens": 4096}) for one in settings.models)}
    )
    assert {job.name for job in pulls[1:]}.isdisjoint(job.name for job in ollama.pull_jobs(other))
    assert {"phi3.5:16384ctx", "nomic-embed-text:v1.5-2048ctx"} < set(prune.arguments)
    on_disk = _contexts(model_store=ModelStore.NODE_DISK)
    (filler,) = ollama.ollama(on_disk.cluster, on_disk.serving, images_of(on_disk), _engine(on_disk, "ollama-t4"))[
        "initContainers"
    ]
    assert {"name": "CONTEXTS", "value": "phi3.5:16384ctx=16384 nomic-embed-text:v1.5-2048ctx=2048"} in filler["env"]
