"""Values of the Ollama releases, and the jobs that bring models into their store."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stacks.platform.common import timeouts
from stacks.platform.common.catalogue import HELM, Image
from stacks.platform.common.restricted import RESTRICTED_CONTAINER
from stacks.settings import Settings
from stacks.settings.cluster import ClusterSettings
from stacks.settings.serving import ModelStore, ServingSettings

from .engines import OLLAMA_PARALLEL, OLLAMA_PORT, ServingEngine, ollama_engines
from .pods import engine_memory_gib, placement

MODELS = "/models"
"""Where the store is mounted."""
STORE_CLAIM = "ollama-models"
STORE = "models"
"""Volume that holds the store."""
READ_ONLY_STORE = {"name": STORE, "mountPath": MODELS, "readOnly": True}
"""How the server mounts it: whoever takes over the server changes no weights of another pod's."""
SCRIPT_NAME = "pull-models.sh"
SCRIPTS = "ollama-scripts"
"""ConfigMap that holds the script."""
SCRIPT_FOLDER = "/scripts"
CONTEXTS = "CONTEXTS"
"""Variable of the script with the tags that it makes of a download, each with its context."""
USER_ID = 1000
LONGEST_JOB_NAME = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class PullJob:
    """A Job that brings one model into the shared store; its name tells which, also in an error of Terraform."""

    name: str
    arguments: tuple[str, ...]
    prune: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    """Further variables of the script."""


def pull_script() -> str:
    """Text of the script that downloads models."""
    return (HELM / "ollama" / SCRIPT_NAME).read_text("utf-8")


def server_environment() -> dict[str, str]:
    """Variables of every process that opens the store."""
    return {
        "OLLAMA_MODELS": f"{MODELS}/ollama",
        # Keys of the server lie in its home, which the image's user has not.
        "HOME": "/tmp",  # noqa: S108 - of the container
        # At its start a server removes blobs without a manifest: also those that another one is downloading.
        "OLLAMA_NOPRUNE": "1",
    }


def pull_jobs(settings: Settings) -> tuple[PullJob, ...]:
    """The downloads into the shared store: one for each model, and at last one that prunes when that is asked for.

    None for a store on the nodes' disks, which every pod fills itself.
    """
    if settings.serving.model_store is not ModelStore.AZURE_FILES:
        return ()
    models = [model for engine in ollama_engines(settings.models, settings.cluster) for model in engine.models]
    contexts = _contexts(ollama_engines(settings.models, settings.cluster))
    ids = tuple(dict.fromkeys(model.id for model in models))
    digests = {model.id: model.revision for model in models if model.revision}
    pulls = [
        PullJob(
            # Another digest is another Job, which brings what the tag stands for by then.
            name=_job_name(name, digests.get(name, "") + contexts.get(name, "")),
            arguments=(name,),
            environment=({"DIGEST": digests[name]} if name in digests else {})
            | ({CONTEXTS: contexts[name]} if name in contexts else {}),
        )
        for name in ids
    ]
    if settings.serving.prune_models and ids:
        kept = (*ids, *(text.partition("=")[0] for made in contexts.values() for text in made.split()))
        digest = hashlib.sha256(" ".join(kept).encode()).hexdigest()[:8]
        pulls.append(PullJob(name=f"prune-{digest}", arguments=kept, prune=True, environment={"PRUNE": "true"}))
    return tuple(pulls)


def _contexts(engines: Sequence[ServingEngine]) -> dict[str, str]:
    """By the tag that is downloaded, what the script makes of it: `TAG=CONTEXT`, separated by spaces."""
    made: dict[str, list[str]] = {}
    for engine in engines:
        for model in engine.models:
            tag = engine.served_id(model)
            if tag != model.id and f"{tag}={model.context_tokens}" not in made.get(model.id, []):
                made.setdefault(model.id, []).append(f"{tag}={model.context_tokens}")
    return {name: " ".join(texts) for name, texts in made.items()}


def drain_script(hop: timeouts.Hop, connections: str = "/proc/net/tcp /proc/net/tcp6") -> str:
    """Text of the hook that lets answers end before the server hears SIGTERM, on which it closes every connection.

    It waits until nobody is connected to the server's port any more, as `connections` list it; the interceptor lets
    go of an idle connection 90 s after the last answer.
    """
    port = f"{OLLAMA_PORT:04X}"
    return (
        f"sleep {hop.pre_stop_seconds}; end=$(($(date +%s) + {hop.drain_seconds})); "
        # Local address, remote address, state: 01 is an established connection.
        f'while cat {connections} 2>/dev/null | grep -Eq "^ *[0-9]+: [0-9A-F]+:{port} [0-9A-F]+:[0-9A-F]{{4}} 01 " '
        "&& [ $(date +%s) -lt $end ]; do sleep 2; done"
    )


def ollama(
    cluster: ClusterSettings, serving: ServingSettings, images: Mapping[str, Image], engine: ServingEngine
) -> dict[str, Any]:
    """Values of one pool's Ollama."""
    image = images["ollama/server"]
    gpus = engine.leader.gpus
    environment = server_environment() | {
        "OLLAMA_CONTEXT_LENGTH": str(engine.leader.context_tokens),
        "OLLAMA_KEEP_ALIVE": f"{engine.leader.idle_minutes}m",
        # Each parallel answer takes a key-value cache of its own; the settings count one against the GPU's memory.
        "OLLAMA_NUM_PARALLEL": str(OLLAMA_PARALLEL),
        "OLLAMA_MAX_QUEUE": str(engine.most_requests(serving)),
        # Weights on a file share load slowly the first time (ollama/ollama#5826); the default is 5 minutes. Shorter
        # than the caller's patience: a load whose caller has left is given up.
        "OLLAMA_LOAD_TIMEOUT": f"{timeouts.LOAD_SECONDS}s",
        # A model named `…-cloud` is otherwise asked at ollama.com: the prompt would leave (`server/cloud_proxy.go`).
        "OLLAMA_NO_CLOUD": "1",
    }
    shared = serving.model_store is ModelStore.AZURE_FILES
    hop = timeouts.ollama()
    return {
        "fullnameOverride": engine.service,
        # What KEDA starts from; a number above the minimum would start a GPU at every upgrade.
        "replicaCount": engine.leader.min_replicas,
        "image": image.values(),
        "ollama": {"gpu": {"number": gpus}},
        **placement(engine),
        "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", drain_script(hop)]}}},
        "terminationGracePeriodSeconds": hop.grace_seconds,
        "resources": {
            "requests": {
                "cpu": f"{serving.cpu_per_gpu * gpus:g}",
                "memory": f"{serving.memory_gib_per_gpu * gpus}Gi",
            },
            "limits": {"memory": f"{engine_memory_gib(cluster, serving, engine)}Gi"},
        },
        "extraEnv": [{"name": name, "value": value} for name, value in environment.items()],
        **(_shared_store(str(image)) if shared else _store_of_the_pod(engine, str(image))),
    }


def _shared_store(image: str) -> dict[str, Any]:
    """The share, on which a container makes the store's folders: on an empty one, the server would not start."""
    folders = " ".join(f'"$OLLAMA_MODELS/{name}"' for name in ("blobs", "manifests"))
    return {
        "initContainers": [_store_container("folders", image, ["sh", "-c", f"mkdir -p {folders}"])],
        # The chart mounts its own claim read-write. It serves as `/tmp`; this volume is the store.
        "volumes": [{"name": STORE, "persistentVolumeClaim": {"claimName": STORE_CLAIM}}],
        "volumeMounts": [READ_ONLY_STORE],
    }


def _store_of_the_pod(engine: ServingEngine, image: str) -> dict[str, Any]:
    """A store on the node's disk, into which containers download the models before the server starts."""
    by_digest: dict[str, list[str]] = {}
    for model in engine.models:
        by_digest.setdefault(model.revision or "", []).append(model.id)
    contexts = _contexts([engine])
    made = {
        digest: " ".join(contexts[name] for name in dict.fromkeys(ids) if name in contexts)
        for digest, ids in by_digest.items()
    }
    command = ["sh", f"{SCRIPT_FOLDER}/{SCRIPT_NAME}"]
    scripts = {"name": "scripts", "mountPath": SCRIPT_FOLDER, "readOnly": True}
    return {
        "initContainers": [
            _store_container(
                f"models-{digest[:12]}" if digest else "models",
                image,
                command,
                scripts,
                args=ids,
                **({"DIGEST": digest} if digest else {}),
                **({CONTEXTS: made[digest]} if made[digest] else {}),
            )
            for digest, ids in by_digest.items()
        ],
        "volumes": [{"name": STORE, "emptyDir": {}}, {"name": "scripts", "configMap": {"name": SCRIPTS}}],
        "volumeMounts": [READ_ONLY_STORE],
    }


def _store_container(
    name: str, image: str, command: list[str], *mounts: dict[str, Any], args: Sequence[str] = (), **environment: str
) -> dict[str, Any]:
    """A container that writes to the store and ends before the server starts."""
    return {
        "name": name,
        "image": image,
        "command": command,
        "args": list(args),
        "env": [{"name": key, "value": value} for key, value in (server_environment() | environment).items()],
        "securityContext": {**RESTRICTED_CONTAINER, "readOnlyRootFilesystem": True},
        "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "4Gi"}},
        "volumeMounts": [
            {"name": STORE, "mountPath": MODELS},
            {"name": "ollama-data", "mountPath": "/tmp"},  # noqa: S108 - of the container
            *mounts,
        ],
    }


def _job_name(model_id: str, revision: str) -> str:
    """Name of the Job of an Ollama tag: readable, and different for tags that differ in signs alone."""
    readable = "".join(sign if sign.isalnum() else "-" for sign in model_id.lower()).strip("-")
    digest = hashlib.sha256(f"{model_id}{revision}".encode()).hexdigest()[:6]
    return f"pull-{readable[: LONGEST_JOB_NAME - 12].strip('-')}-{digest}"
