"""The engines, the store of their weights, and what holds requests for those at zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from constructs import Construct

from constructs.helm_release import HelmRelease
from constructs.script_job import Script, ScriptJob
from constructs.static_share import StaticShare
from constructs.terraform_literal import terraform_literal
from stacks.common.azure_names import AzureNames
from stacks.common.outputs import DisksOutputs
from stacks.platform.common.images import deployed_images
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.releases import add_release
from stacks.platform.common.variants import availability
from stacks.settings import Settings

from . import ollama, scaling, vllm
from .engines import ENGINE_KEYS, SCALING, SERVING, VLLM, ServingEngine, ollama_engines, vllm_engines
from .traffic import FETCH_PODS, PULL_PODS

PULL_MINUTES = 120
"""Longest download of one model."""
NODE_MINUTES = 20
"""Until a node of a GPU pool is there and its images are loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    """What one kind of engine keeps its weights in, and how they come there."""

    claim: str
    share_name: str
    mount_path: str
    script: str
    config_map: str
    folder: str
    user_id: int
    image: str
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    credentials: str | None = None
    credentials_path: str = ""


def add_serving(
    scope: Construct,
    settings: Settings,
    spaces: Mapping[str, Namespace],
    *,
    disks: DisksOutputs,
    delivered: HelmRelease,
) -> None:
    """Add the engines of all listed models; `delivered` is what brings their keys, `disks` holds their weights."""
    namespace = spaces[SERVING]
    started: list[ITerraformDependable] = []
    if ollama_engines(settings):
        started += _ollama(scope, settings, namespace, disks)
    if vllm_engines(settings):
        started += _vllm(scope, settings, namespace, disks, delivered)
    _scaling(scope, settings, spaces, started)


def _ollama(
    scope: Construct, settings: Settings, namespace: Namespace, disks: DisksOutputs
) -> list[ITerraformDependable]:
    """Add Ollama's releases and the downloads into its store; return the releases."""
    needed = [*namespace.bounds, _scripts(scope, namespace, ollama.SCRIPTS, {ollama.SCRIPT_NAME: ollama.pull_script()})]
    if settings.has_model_store:
        store = _Store(
            claim=ollama.STORE_CLAIM,
            share_name=disks.ollama_models_share_name,
            mount_path=ollama.MODELS,
            script=ollama.SCRIPT_NAME,
            config_map=ollama.SCRIPTS,
            folder=ollama.SCRIPT_FOLDER,
            user_id=ollama.USER_ID,
            image=str(deployed_images(settings)["ollama/server"]),
            labels=PULL_PODS,
            environment=ollama.server_environment(),
        )
        # Each release waits for the volume, and none for the downloads: an engine serves what is there already.
        needed.append(_volume(scope, settings, namespace, disks, store))
        _downloads(scope, store, namespace, ollama.pull_jobs(settings), needed)
    return [
        add_release(
            scope,
            engine.name,
            chart_of="ollama",
            namespace=namespace.name,
            timeout_seconds=_start_seconds(engine, 0 if settings.has_model_store else PULL_MINUTES),
            computed_values=ollama.ollama(settings, engine),
            depends_on=needed,
        )
        for engine in ollama_engines(settings)
    ]


def _vllm(
    scope: Construct, settings: Settings, namespace: Namespace, disks: DisksOutputs, delivered: HelmRelease
) -> list[ITerraformDependable]:
    """Add a release for every model, after its weights are in the store; return the releases."""
    needed: list[ITerraformDependable] = [*namespace.bounds, delivered]
    fetched: dict[str, ITerraformDependable] = {}
    if settings.has_model_store:
        needed.append(_scripts(scope, namespace, vllm.SCRIPTS, vllm.download_scripts()))
        token = settings.serving.hugging_face_token
        store = _Store(
            claim=vllm.STORE_CLAIM,
            share_name=disks.vllm_models_share_name,
            mount_path=vllm.MODELS,
            script=vllm.SCRIPT_NAMES[0],
            config_map=vllm.SCRIPTS,
            folder=vllm.SCRIPT_FOLDER,
            user_id=vllm.USER_ID,
            # It alone of the platform's images surely has the hub's client; a node without GPU holds it as well.
            image=str(deployed_images(settings)["vllm/engine"]),
            labels=FETCH_PODS,
            environment=vllm.download_environment(settings),
            credentials=ENGINE_KEYS if token else None,
            credentials_path=vllm.TOKEN_FOLDER,
        )
        needed.append(_volume(scope, settings, namespace, disks, store))
        fetched = _downloads(scope, store, namespace, vllm.pull_jobs(settings), needed)
    return [
        add_release(
            scope,
            engine.name,
            chart_of=VLLM,
            namespace=namespace.name,
            timeout_seconds=_start_seconds(engine, settings.serving.startup_minutes),
            computed_values=vllm.vllm(settings, engine),
            # Offline, an engine without weights could not start.
            depends_on=[*needed, *(job for name, job in fetched.items() if name == vllm.job_name(engine.leader))],
        )
        for engine in vllm_engines(settings)
    ]


def _scripts(scope: Construct, namespace: Namespace, name: str, scripts: Mapping[str, str]) -> ITerraformDependable:
    return ConfigMapV1(
        scope,
        name,
        metadata=ConfigMapV1Metadata(name=name, namespace=namespace.name),
        data={file: terraform_literal(text) for file, text in scripts.items()},
        depends_on=list(namespace.bounds),
    )


def _volume(
    scope: Construct, settings: Settings, namespace: Namespace, disks: DisksOutputs, store: _Store
) -> ITerraformDependable:
    names = AzureNames(
        prefix=settings.prefix, environment=settings.name, subscription_id=settings.azure.subscription_id
    )
    return StaticShare(
        scope,
        f"{store.claim}-share",
        name=names.resource(store.claim),
        resource_group_name=disks.model_store_group_name,
        storage_account_name=disks.model_store_account_name,
        share_name=store.share_name,
        encrypted=settings.serving.store_encrypted_mount,
        claim=store.claim,
        namespace=namespace.name,
        storage_class_name=store.claim,
        depends_on=namespace.bounds,
    ).claim


def _downloads(
    scope: Construct,
    store: _Store,
    namespace: Namespace,
    jobs: Sequence[ollama.PullJob],
    needed: Sequence[ITerraformDependable],
) -> dict[str, ITerraformDependable]:
    """Add a Job for every download and return them by name."""
    script = Script(
        image=store.image,
        config_map=store.config_map,
        folder=store.folder,
        file=store.script,
        claim=store.claim,
        mount_path=store.mount_path,
        user_id=store.user_id,
        credentials=store.credentials,
        credentials_path=store.credentials_path,
    )
    pulled: dict[str, ITerraformDependable] = {}
    for job in jobs:
        pulled[job.name] = ScriptJob(
            scope,
            job.name,
            name=job.name,
            namespace=namespace.name,
            script=script,
            arguments=job.arguments,
            environment={**store.environment, **job.environment},
            labels=store.labels,
            timeout_minutes=PULL_MINUTES,
            # Pruning comes last: nothing is removed while something is missing.
            depends_on=[*needed, *(pulled.values() if job.prune else [])],
        )
    return pulled


def _scaling(
    scope: Construct, settings: Settings, spaces: Mapping[str, Namespace], started: Sequence[ITerraformDependable]
) -> None:
    serving, add_on_space = spaces[SERVING], spaces[SCALING]
    add_on = add_release(
        scope,
        "keda-http-add-on",
        namespace=add_on_space.name,
        variants=availability(settings),
        computed_values=scaling.keda_http_add_on(settings),
        depends_on=add_on_space.bounds,
    )
    # Routes and scalers need the add-on's definitions, and the Deployments that they name.
    add_release(
        scope,
        "scaling",
        namespace=serving.name,
        computed_values=scaling.scaling(settings),
        depends_on=[*serving.bounds, add_on, *started],
    )
    add_release(
        scope,
        "serving-front",
        namespace=serving.name,
        computed_values=scaling.serving_front(settings),
        depends_on=serving.bounds,
    )


def _start_seconds(engine: ServingEngine, loading_minutes: int) -> int:
    """Time for a release whose pods have to start: none has to where the engine begins at zero."""
    return 600 if engine.sleeps else (NODE_MINUTES + loading_minutes) * 60
