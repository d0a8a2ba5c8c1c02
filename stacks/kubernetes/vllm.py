"""Values of the vLLM release: one engine for every model, and the router."""

from typing import Any

from stacks.settings import Settings
from stacks.settings.catalog import GPU_SIZES
from stacks.settings.rules.gpus import AMPERE, USABLE_SHARE
from stacks.settings.serving import ModelStore
from stacks.settings.tools import vllm_arguments
from stacks.settings.workloads import Engine

from .engines import ServingEngine, vllm_engines
from .images import deployed_images
from .ollama import STORE_CLASS
from .pods import POOL_LABEL, engine_memory_gib

SECRET = "vllm-secrets"  # noqa: S105 (a name, not a secret)
TOKEN_KEY = "HF_TOKEN"  # noqa: S105
PROBE_SECONDS = 10
CACHE = "/cache"


def vllm(settings: Settings) -> dict[str, Any]:
    """Values of the release; the list of models replaces the chart's example, which would claim a volume."""
    serving = settings.serving
    served = vllm_engines(settings)
    shared = serving.model_store is ModelStore.AZURE_FILES
    return {
        "servingEngineSpec": {
            "startupProbe": {
                "initialDelaySeconds": 15,
                "periodSeconds": PROBE_SECONDS,
                "failureThreshold": serving.startup_minutes * 60 // PROBE_SECONDS,
                "httpGet": {"path": "/health", "port": 8000},
            },
            "modelSpec": [_model(settings, engine) for engine in served],
        },
        "sharedPvcStorage": {
            "enabled": shared,
            "size": f"{serving.vllm_store_gib}Gi",
            "accessModes": ["ReadWriteMany"],
            "storageClass": STORE_CLASS,
        },
        "routerSpec": {
            # It answers at once where no engine runs, so only engines that are never at zero stand behind it.
            "enableRouter": any(not engine.sleeps for engine in served),
            **deployed_images(settings)["vllm/router"].values(),
        },
    }


def _model(settings: Settings, engine: ServingEngine) -> dict[str, Any]:
    model = engine.leader
    turing = GPU_SIZES[engine.pool.vm_size].gpu.compute_capability < AMPERE
    config: dict[str, Any] = {
        # Left out, the chart would switch it off.
        "enablePrefixCaching": True,
        "maxModelLen": model.context_tokens,
        "gpuMemoryUtilization": str(round(USABLE_SHARE[Engine.VLLM] / engine.pool.time_slices, 3)),
        "extraArgs": ["--served-model-name", model.name, *vllm_arguments(model)],
        # Turing has no bfloat16, which is what most models are stored in.
        "dtype": "half" if turing else "auto",
    }
    if model.gpus > 1:
        config["tensorParallelSize"] = model.gpus
    return {
        "name": model.name,
        **deployed_images(settings)["vllm/engine"].values(),
        "modelURL": model.id,
        **({"modelRevision": model.revision} if model.revision else {}),
        # What KEDA starts from; a number above the minimum would start a GPU at every upgrade.
        "replicaCount": model.min_replicas,
        "requestCPU": f"{settings.serving.cpu_per_gpu * model.gpus:g}",
        "requestMemory": f"{settings.serving.memory_gib_per_gpu * model.gpus}Gi",
        "requestGPU": model.gpus,
        "limitMemory": f"{engine_memory_gib(settings, engine)}Gi",
        "vllmConfig": config,
        **({"hf_token": {"secretName": SECRET, "secretKey": TOKEN_KEY}} if settings.serving.hugging_face_token else {}),
        **(
            {"pvcStorage": {"emptyDir": {"sizeLimit": f"{settings.serving.vllm_store_gib}Gi"}}}
            if settings.serving.model_store is ModelStore.NODE_DISK
            else {}
        ),
        # Compiled kernels. The mount is also what makes the chart write the header above the shared store's.
        "extraVolumes": [{"name": "cache", "emptyDir": {"sizeLimit": "10Gi"}}],
        "extraVolumeMounts": [{"name": "cache", "mountPath": CACHE}],
        "nodeSelectorTerms": [
            {"matchExpressions": [{"key": POOL_LABEL, "operator": "In", "values": [engine.pool_name]}]}
        ],
    }
