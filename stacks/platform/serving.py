"""The engines, the store of their weights, and what holds requests for those at zero."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from constructs import Construct

from constructs.helm_release import HelmRelease
from constructs.model_store import ModelStoreClass, SharedStore
from constructs.namespace import Namespace
from constructs.script_job import Script, ScriptJob
from stacks.kubernetes import ollama, scaling
from stacks.kubernetes.engines import SCALING, SERVING, engines, ollama_engines, vllm_engines
from stacks.kubernetes.images import deployed_images
from stacks.kubernetes.literals import terraform_literal
from stacks.kubernetes.serving_traffic import PULL_PODS
from stacks.kubernetes.vllm import vllm
from stacks.settings import Settings
from stacks.settings.serving import ModelStore

from .variants import availability

PULL_MINUTES = 120
"""Longest download of one model."""
NODE_MINUTES = 20
"""Until a node of a GPU pool is there and its images are loaded."""


def add_serving(
    scope: Construct, settings: Settings, spaces: Mapping[str, Namespace], *, delivered: HelmRelease
) -> None:
    """Add the engines of all listed models; `delivered` is what brings their keys."""
    namespace = spaces[SERVING]
    bounds: list[ITerraformDependable] = list(namespace.bounds)
    if settings.serving.model_store is ModelStore.AZURE_FILES:
        store_class = ModelStoreClass(
            scope,
            ollama.STORE_CLASS,
            parameters=ollama.STORE_CLASS_PARAMETERS,
            mount_options=ollama.STORE_MOUNT_OPTIONS,
        )
        bounds.append(store_class)
    else:
        store_class = None
    started: list[ITerraformDependable] = []
    if ollama_engines(settings):
        started += _ollama(scope, settings, namespace, store_class, bounds)
    if vllm_engines(settings):
        started.append(
            HelmRelease(
                scope,
                "vllm",
                namespace=namespace.metadata.name,
                timeout_seconds=_start_seconds(settings, settings.serving.startup_minutes),
                wired=vllm(settings),
                # Its only definition is of an adapter loader that is not used.
                skip_crds=True,
                depends_on=[*bounds, delivered],
            )
        )
    _scaling(scope, settings, spaces, started)


def _ollama(
    scope: Construct,
    settings: Settings,
    namespace: Namespace,
    store_class: ModelStoreClass | None,
    bounds: Sequence[ITerraformDependable],
) -> list[ITerraformDependable]:
    """Add Ollama's releases and the downloads into its store; return the releases."""
    name = namespace.metadata.name
    scripts = ConfigMapV1(
        scope,
        ollama.SCRIPTS,
        metadata=ConfigMapV1Metadata(name=ollama.SCRIPTS, namespace=name),
        data={ollama.SCRIPT_NAME: terraform_literal(ollama.pull_script())},
        depends_on=list(bounds),
    )
    needed: list[ITerraformDependable] = [*bounds, scripts]
    if store_class is not None:
        store = SharedStore(
            scope,
            ollama.STORE_CLAIM,
            namespace=name,
            storage_class=store_class,
            size_gib=settings.serving.ollama_store_gib,
            depends_on=bounds,
        )
        needed.append(store)
        _downloads(scope, settings, name, needed)
    return [
        HelmRelease(
            scope,
            engine.name,
            chart_of="ollama",
            namespace=name,
            timeout_seconds=_start_seconds(settings, PULL_MINUTES if store_class is None else 0),
            wired=ollama.ollama(settings, engine),
            depends_on=needed,
        )
        for engine in ollama_engines(settings)
    ]


def _downloads(scope: Construct, settings: Settings, namespace: str, needed: Sequence[ITerraformDependable]) -> None:
    script = Script(
        image=str(deployed_images(settings)["ollama/server"]),
        config_map=ollama.SCRIPTS,
        folder=ollama.SCRIPT_FOLDER,
        file=ollama.SCRIPT_NAME,
        claim=ollama.STORE_CLAIM,
        mount_path=ollama.MODELS,
        user_id=ollama.USER_ID,
    )
    pulled: list[ITerraformDependable] = []
    for job in ollama.pull_jobs(settings):
        pulled.append(
            ScriptJob(
                scope,
                job.name,
                name=job.name,
                namespace=namespace,
                script=script,
                arguments=job.arguments,
                environment=ollama.server_environment() | ({"PRUNE": "true"} if job.prune else {}),
                labels=PULL_PODS,
                timeout_minutes=PULL_MINUTES,
                # Pruning comes last: nothing is removed while something is missing.
                depends_on=[*needed, *(pulled if job.prune else [])],
            )
        )


def _scaling(
    scope: Construct, settings: Settings, spaces: Mapping[str, Namespace], started: Sequence[ITerraformDependable]
) -> None:
    serving, add_on_space = spaces[SERVING], spaces[SCALING]
    add_on = HelmRelease(
        scope,
        "keda-http-add-on",
        namespace=add_on_space.metadata.name,
        variants=availability(settings),
        wired=scaling.keda_http_add_on(settings),
        depends_on=add_on_space.bounds,
    )
    # Routes and scalers need the add-on's definitions, and the Deployments that they name.
    HelmRelease(
        scope,
        "scaling",
        namespace=serving.metadata.name,
        wired=scaling.scaling(settings),
        depends_on=[*serving.bounds, add_on, *started],
    )
    HelmRelease(
        scope,
        "serving-front",
        namespace=serving.metadata.name,
        wired=scaling.serving_front(settings),
        depends_on=serving.bounds,
    )


def _start_seconds(settings: Settings, loading_minutes: int) -> int:
    """Time for a release whose pods have to start: none has to where every engine begins at zero."""
    if all(engine.sleeps for engine in engines(settings)):
        return 600
    return (NODE_MINUTES + loading_minutes) * 60
