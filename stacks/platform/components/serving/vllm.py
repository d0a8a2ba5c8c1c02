"""Values of the vLLM releases, one for every model, and the jobs that bring weights into their store."""

import hashlib
from collections.abc import Mapping
from typing import Any

from stacks.platform.common import timeouts
from stacks.platform.common.catalogue import HELM, Image
from stacks.settings import Settings
from stacks.settings.cluster import ClusterSettings
from stacks.settings.model_catalogue.entries import USABLE_SHARE
from stacks.settings.models import Engine, ModelSettings
from stacks.settings.rules.gpu_cards import AMPERE
from stacks.settings.serving import ModelStore, ServingSettings

from .engines import ENGINE_KEYS, VLLM, VLLM_PORT, VLLM_SEQUENCES, ServingEngine, vllm_engines
from .ollama import PullJob
from .pods import engine_memory_gib, placement
from .vllm_arguments import TEMPLATE_FOLDER, further_arguments, further_weights

API_KEY = "VLLM_API_KEY"
TOKEN_KEY = "HF_TOKEN"  # noqa: S105
MODELS = "/models"
"""Where the store is mounted."""
WEIGHTS = f"{MODELS}/huggingface"
"""Folder of the weights; engines may only read it."""
COMPILED = f"{MODELS}/compiled"
"""Folder in which every model has one for its compiled kernels."""
STORE_CLAIM = "vllm-models"
SCRIPT_NAMES = ("fetch-weights.sh", "fetch_weights.py")
SCRIPTS = "vllm-scripts"
"""ConfigMap that holds the scripts."""
SCRIPT_FOLDER = "/scripts"
TOKEN_FOLDER = "/token"  # noqa: S105
USER_ID = 1000


def download_scripts() -> dict[str, str]:
    """The scripts that download weights, by file name."""
    return {name: (HELM / VLLM / name).read_text("utf-8") for name in SCRIPT_NAMES}


def store_environment() -> dict[str, str]:
    """Variables of every process that opens the store."""
    return {"HF_HOME": WEIGHTS}


def download_environment(serving: ServingSettings) -> dict[str, str]:
    """Variables of a download; the token is read from the mounted Secret."""
    # What the transfer remembers is many small files, which locks on a share make slow.
    local = {"HF_XET_CACHE": "/tmp/xet", "HOME": "/tmp"}  # noqa: S108 - of the container
    token = {"HF_TOKEN_PATH": f"{TOKEN_FOLDER}/{TOKEN_KEY}"} if serving.hugging_face_token else {}
    return store_environment() | local | token | {"COMPILED": COMPILED}


def pull_jobs(settings: Settings) -> tuple[PullJob, ...]:
    """The downloads into the shared store, one for each repository and revision; none for the nodes' disks."""
    if settings.serving.model_store is not ModelStore.AZURE_FILES:
        return ()
    folders: dict[tuple[str, str], list[str]] = {}
    for engine in vllm_engines(settings.models, settings.cluster):
        folders.setdefault((engine.leader.id, _revision(engine.leader)), []).append(engine.leader.name)
    for engine in vllm_engines(settings.models, settings.cluster):
        for weights in further_weights(engine.leader):
            folders.setdefault(weights, [])
    return tuple(PullJob(name=_job_name(*weights), arguments=(*weights, *names)) for weights, names in folders.items())


def job_names(model: ModelSettings) -> tuple[str, ...]:
    """Names of the Jobs that bring what a model's engine loads: its weights, those of adapters and of what guesses."""
    return tuple(_job_name(*weights) for weights in ((model.id, _revision(model)), *further_weights(model)))


def _job_name(repository: str, revision: str) -> str:
    """Name of a Job: readable, and different for every repository and revision."""
    readable = "".join(sign if sign.isalnum() else "-" for sign in repository.lower()).strip("-")
    digest = hashlib.sha256(f"{repository}@{revision}".encode()).hexdigest()[:6]
    return f"fetch-{readable[:50].strip('-')}-{digest}"


def vllm(
    cluster: ClusterSettings, serving: ServingSettings, images: Mapping[str, Image], engine: ServingEngine
) -> dict[str, Any]:
    """Values of one model's release."""
    model, hop = engine.leader, timeouts.vllm()
    shared = serving.model_store is ModelStore.AZURE_FILES
    token = {} if shared or not serving.hugging_face_token else {"tokenKey": TOKEN_KEY}
    return {
        "image": images["vllm/engine"].values(),
        "model": model.id,
        "servedName": model.name,
        **({"chatTemplate": {"text": model.chat_template, "folder": TEMPLATE_FOLDER}} if model.chat_template else {}),
        "arguments": _arguments(serving, engine),
        # What KEDA starts from; a number above the minimum would start a GPU at every upgrade.
        "replicas": model.min_replicas,
        "gpus": model.gpus,
        "port": VLLM_PORT,
        "resources": {
            "requests": {
                "cpu": f"{serving.cpu_per_gpu * model.gpus:g}",
                "memory": f"{serving.memory_gib_per_gpu * model.gpus + model.kv_offload_gib}Gi",
            },
            "limits": {"memory": f"{engine_memory_gib(cluster, serving, engine)}Gi"},
        },
        **placement(engine),
        "secret": {"name": ENGINE_KEYS, "apiKey": API_KEY, **token},
        "store": {"claim": STORE_CLAIM} if shared else {"size": f"{serving.vllm_store_gib}Gi"},
        "environment": _environment(model, shared=shared),
        "fetch": {} if shared else _fetch(model),
        "readOnly": WEIGHTS if shared else "",
        "compiled": f"{COMPILED}/{model.name}" if shared else "",
        "startSeconds": serving.startup_minutes * 60,
        "preStopSeconds": hop.pre_stop_seconds,
        "drainSeconds": hop.drain_seconds,
        "graceSeconds": hop.grace_seconds,
        "idleSeconds": hop.idle_seconds,
    }


def _arguments(serving: ServingSettings, engine: ServingEngine) -> list[str]:
    model = engine.leader
    turing = any(pool.known_size.gpu.compute_capability < AMPERE for pool in engine.pools)
    slices = max(pool.time_slices for pool in engine.pools)
    arguments = [
        f"--max-model-len={model.context_tokens}",
        f"--gpu-memory-utilization={round(USABLE_SHARE[Engine.VLLM] / slices, 3)}",
        # Turing has no bfloat16, which is what most models are stored in.
        f"--dtype={'half' if turing else 'auto'}",
        # Written, so that what may wait beside them can be said: the default depends on the card.
        f"--max-num-seqs={VLLM_SEQUENCES}",
        f"--max-num-queued-reqs={VLLM_SEQUENCES + serving.waiting_requests}",
    ]
    if model.revision:
        arguments.append(f"--revision={model.revision}")
    if model.gpus > 1:
        arguments.append(f"--tensor-parallel-size={model.gpus}")
    return [*arguments, *further_arguments(model, weights_folder=WEIGHTS)]


def _environment(model: ModelSettings, *, shared: bool) -> dict[str, str]:
    return store_environment() | {
        # Weights are there before the engine starts: it never asks the hub.
        "HF_HUB_OFFLINE": "1",
        # On the share compiled kernels outlive the pod, which saves a minute or two of every start.
        "VLLM_CACHE_ROOT": f"{COMPILED}/{model.name}" if shared else "/cache/vllm",
        # Programs of a repository, for models that come with some; the weights' folder is read-only.
        "HF_MODULES_CACHE": "/cache/modules",
    }


def _fetch(model: ModelSettings) -> dict[str, Any]:
    """Values of the container that fills the store of one pod, on the node's disk."""
    return {
        "configMap": SCRIPTS,
        "script": f"{SCRIPT_FOLDER}/{SCRIPT_NAMES[0]}",
        "arguments": [model.id, _revision(model)],
        **({"further": [list(weights) for weights in further_weights(model)]} if further_weights(model) else {}),
        "environment": store_environment() | {"HF_XET_CACHE": "/tmp/xet", "HOME": "/tmp"},  # noqa: S108
    }


def _revision(model: ModelSettings) -> str:
    return model.revision or "main"
