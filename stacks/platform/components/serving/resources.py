"""The engines, and what holds requests for those at zero replicas, as Terraform resources."""

from collections.abc import Sequence

from cdktf import ITerraformDependable

from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.releases import add_release
from stacks.platform.common.variants import availability
from stacks.platform.components.context import Context

from . import ollama, scaling, vllm
from .engines import ENGINE_KEYS, PROXY, SCALING, SERVING, VLLM, ServingEngine, ollama_engines, vllm_engines
from .store import PULL_MINUTES, Store, add_downloads, add_scripts, add_volume
from .traffic import FETCH_PODS, PULL_PODS

NODE_MINUTES = 20
"""Until a node of a GPU pool is there and its images are loaded."""


def add(context: Context) -> None:
    """Add the engines of all listed models after their keys are there."""
    namespace = context.namespaces[SERVING]
    started: list[ITerraformDependable] = []
    if ollama_engines(context.settings.models, context.settings.cluster):
        started += _ollama(context, namespace)
    if vllm_engines(context.settings.models, context.settings.cluster):
        started += _vllm(context, namespace)
    _scaling(context, started)


def _ollama(context: Context, namespace: Namespace) -> list[ITerraformDependable]:
    """Add Ollama's releases and the downloads into its store; return the releases."""
    settings = context.settings
    needed = [
        *namespace.bounds,
        add_scripts(context.scope, namespace, ollama.SCRIPTS, {ollama.SCRIPT_NAME: ollama.pull_script()}),
    ]
    if settings.has_model_store:
        store = Store(
            claim=ollama.STORE_CLAIM,
            share_name=context.read_disks().ollama_models_share_name,
            mount_path=ollama.MODELS,
            script=ollama.SCRIPT_NAME,
            config_map=ollama.SCRIPTS,
            folder=ollama.SCRIPT_FOLDER,
            user_id=ollama.USER_ID,
            image=str(context.images["ollama/server"]),
            labels=PULL_PODS,
            environment=ollama.server_environment(),
        )
        # Each release waits for the volume, and none for the downloads: an engine serves what is there already.
        needed.append(add_volume(context, namespace, store))
        add_downloads(context.scope, store, namespace, ollama.pull_jobs(settings), needed)
    return [
        add_release(
            context.scope,
            engine.name,
            chart_of="ollama",
            namespace=namespace.name,
            timeout_seconds=_start_seconds(engine, 0 if settings.has_model_store else PULL_MINUTES),
            computed_values=ollama.ollama(settings.cluster, settings.serving, context.images, engine),
            depends_on=needed,
        )
        for engine in ollama_engines(settings.models, settings.cluster)
    ]


def _vllm(context: Context, namespace: Namespace) -> list[ITerraformDependable]:
    """Add a release for every model, after its weights are in the store; return the releases."""
    settings = context.settings
    needed: list[ITerraformDependable] = [*namespace.bounds, *context.after("secrets")]
    fetched: dict[str, ITerraformDependable] = {}
    needed.append(add_scripts(context.scope, namespace, vllm.SCRIPTS, vllm.download_scripts()))
    if settings.has_model_store:
        token = settings.serving.hugging_face_token
        store = Store(
            claim=vllm.STORE_CLAIM,
            share_name=context.read_disks().vllm_models_share_name,
            mount_path=vllm.MODELS,
            script=vllm.SCRIPT_NAMES[0],
            config_map=vllm.SCRIPTS,
            folder=vllm.SCRIPT_FOLDER,
            user_id=vllm.USER_ID,
            # It alone of the platform's images surely has the hub's client; a node without GPU holds it as well.
            image=str(context.images["vllm/engine"]),
            labels=FETCH_PODS,
            environment=vllm.download_environment(settings.serving),
            credentials=ENGINE_KEYS if token else None,
            credentials_path=vllm.TOKEN_FOLDER,
        )
        needed.append(add_volume(context, namespace, store))
        fetched = add_downloads(context.scope, store, namespace, vllm.pull_jobs(settings), needed)
    return [
        add_release(
            context.scope,
            engine.name,
            chart_of=VLLM,
            namespace=namespace.name,
            timeout_seconds=_start_seconds(
                engine, settings.serving.startup_minutes + (0 if settings.has_model_store else PULL_MINUTES)
            ),
            computed_values=vllm.vllm(settings.cluster, settings.serving, context.images, engine),
            # Offline, an engine without weights could not start.
            depends_on=[*needed, *(job for name, job in fetched.items() if name in vllm.job_names(engine.leader))],
        )
        for engine in vllm_engines(settings.models, settings.cluster)
    ]


def _scaling(context: Context, started: Sequence[ITerraformDependable]) -> None:
    settings, images = context.settings, context.images
    serving, add_on_namespace = context.namespaces[SERVING], context.namespaces[SCALING]
    add_on = add_release(
        context.scope,
        "keda-http-add-on",
        namespace=add_on_namespace.name,
        variants=availability(settings.cluster),
        computed_values=scaling.keda_http_add_on(settings.serving, images),
        depends_on=add_on_namespace.bounds,
    )
    # Routes and scalers need the add-on's definitions, and the Deployments that they name.
    add_release(
        context.scope,
        "scaling",
        namespace=serving.name,
        computed_values=scaling.scaling(settings),
        depends_on=[*serving.bounds, add_on, *started],
    )
    add_release(
        context.scope,
        PROXY,
        namespace=serving.name,
        computed_values=scaling.serving_proxy(settings, images),
        depends_on=serving.bounds,
    )


def _start_seconds(engine: ServingEngine, loading_minutes: int) -> int:
    """Time for a release whose pods have to start: none has to where the engine begins at zero."""
    return 600 if engine.scales_to_zero else (NODE_MINUTES + loading_minutes) * 60
