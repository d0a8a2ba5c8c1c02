"""Arguments of one model's vLLM: what it knows, what the platform sets itself, and what would undo its protection."""

import difflib
from collections.abc import Iterator

from ..azure_catalog.reservations import allocatable
from ..cluster import ClusterSettings
from ..file.errors import Key
from ..model_catalogue.engine_statements import vllm_statements
from ..model_catalogue.parsers import NO_PARSER
from ..models import Engine, ModelSettings
from ..serving import ServingSettings
from .base import Finding
from .gpu_cards import placed
from .serving import DAEMONS_MEMORY_GIB

VLLM_ONLY = ("reasoning_parser", "chat_template", "lora", "speculative", "kv_offload_gib", "extra_args")
OLLAMA_HAS = "applies to vllm only; Ollama has its own: a Modelfile, and a reasoning switch in each request"
DRAFTED = frozenset({"draft_model", "eagle", "eagle3"})
"""Methods of speculative decoding that take a model of their own."""

_KEYS = {
    "name": ("--served-model-name",),
    "id": ("--model", "--tokenizer", "--hf-config-path"),
    "revision": ("--revision", "--code-revision", "--tokenizer-revision"),
    "context_tokens": ("--max-model-len",),
    "gpus": ("--tensor-parallel-size", "-tp"),
    "tool_parser": ("--tool-call-parser", "--enable-auto-tool-choice"),
    "reasoning_parser": ("--reasoning-parser",),
    "chat_template": ("--chat-template",),
    "lora": ("--enable-lora", "--lora-modules", "--max-loras", "--max-lora-rank"),
    "speculative": ("--speculative-config", "-sc", "--spec-method", "--spec-model", "--spec-tokens"),
    "kv_offload_gib": ("--kv-offloading-size", "--kv-offloading-backend"),
}
_BY_KEY = {argument: key for key, arguments in _KEYS.items() for argument in arguments}
_OF_THE_PLATFORM = frozenset(
    """
    --host --port --uds --root-path --grpc --grpc-port --headless --config --api-server-count -asc --shutdown-timeout
    --ssl-keyfile --ssl-certfile --ssl-ca-certs --ssl-cert-reqs --ssl-ciphers --enable-ssl-refresh
    --gpu-memory-utilization --device-memory-utilization --kv-cache-memory-bytes --num-gpu-blocks-override --dtype
    --max-num-seqs --max-num-queued-reqs --max-num-queued-tokens --max-num-active-seqs --disable-log-stats
    --download-dir --load-format --model-loader-extra-config --log-config-file --logging-config --tokens-only
    --enable-scale-out --pipeline-parallel-size -pp --prefill-context-parallel-size -pcp --nnodes -n --node-rank -r
    --master-addr --master-port --distributed-executor-backend --device-ids --kv-transfer-config --ec-transfer-config
    --kv-events-config --weight-transfer-config --otlp-traces-endpoint --collect-detailed-traces --additional-config
    --enable-sleep-mode --enable-elastic-ep --elastic-ep-max-dp-size
    """.split()  # noqa: SIM905 (one name per line would fill pages)
)
"""Set by the platform, or at odds with what it sets: addresses, GPU memory, queue, one node, metrics."""
_UNSAFE = frozenset(
    """
    --api-key --hf-token --allow-credentials --allowed-origins --allowed-methods --allowed-headers --middleware
    --allowed-local-media-path --allowed-media-domains --tool-parser-plugin --reasoning-parser-plugin
    --io-processor-plugin --logits-processors --worker-cls --worker-extension-cls --scheduler-cls --tool-server
    --model-class-overrides --trust-request-chat-template --trust-request-mm-kwargs --enable-log-requests
    --enable-log-outputs --log-error-stack --max-log-len --profiler-config --enable-tokenizer-info-endpoint
    --enable-prompt-embeds --enable-mm-embeds
    """.split()  # noqa: SIM905
)
"""Opens the engine to other callers or to code of theirs, reaches other hosts, or writes what people ask to its log."""


def engine_arguments_are_of_their_engine(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """What only vLLM takes stands at no Ollama model, and parsers are ones that the pinned vLLM has."""
    known = vllm_statements
    for index, model in enumerate(models):
        key: Key = ("models", index)
        if model.engine is not Engine.VLLM:
            yield from (Finding((*key, name), OLLAMA_HAS) for name in VLLM_ONLY if getattr(model, name))
            continue
        for name, given in (("tool_parser", model.tool_parser), ("reasoning_parser", model.reasoning_parser)):
            if given is None or (name == "reasoning_parser" and given == NO_PARSER):
                continue
            parsers = known().tool_parsers if name == "tool_parser" else known().reasoning_parsers
            if given not in parsers:
                yield Finding((*key, name), f"is no {name} of vLLM {known().version}; {_nearest(given, parsers)}")


def further_arguments_leave_the_platform_its_own(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """`extra_args` holds arguments that the pinned vLLM knows and that neither the platform nor a key sets."""
    for index, model in enumerate(models):
        for place, argument in enumerate(model.extra_args if model.engine is Engine.VLLM else ()):
            if problem := _problem(argument.partition("=")[0]):
                # What stands behind the name may be a key.
                yield Finding(("models", index, "extra_args", place), problem, shows_value=False)


def _problem(name: str) -> str:
    """Return what is wrong with an argument; empty when nothing is."""
    wrong = _wrong(name)
    return f"{name} {wrong}" if wrong else ""


def _wrong(name: str) -> str:
    forms = _forms(name)
    if taken := next((_BY_KEY[form] for form in forms if form in _BY_KEY), None):
        return f"is set by the model's key {taken}; write it there"
    if any(form.startswith(("--data-parallel", "-dp")) for form in forms):
        return "is set by the platform, which runs a model on one node; more people: max_replicas"
    if any(form in _OF_THE_PLATFORM for form in forms):
        return "is set by the platform; remove it"
    if any(form in _UNSAFE for form in forms):
        return (
            "is refused: it opens the engine to other callers, hosts or code, or writes what people ask to a log;"
            " remove it"
        )
    known = vllm_statements().arguments
    if not any(form in known for form in forms):
        return f"is no argument of vLLM {vllm_statements().version}; {_nearest(name, known)}"
    return ""


def _forms(name: str) -> tuple[str, ...]:
    """The names under which vLLM's parser takes an argument: `--no-x` for `--x`, `--disable-x` for `--enable-x`."""
    plain = f"--{name.removeprefix('--no-')}" if name.startswith("--no-") else name
    other = (
        plain.replace("--disable-", "--enable-", 1)
        if plain.startswith("--disable-")
        else plain.replace("--enable-", "--disable-", 1)
    )
    return tuple(dict.fromkeys((name, plain, other)))


def _nearest(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return f"nearest: {', '.join(near)}" if near else "https://docs.vllm.ai/en/stable/cli/serve lists them"


def speculative_decoding_has_what_it_needs(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """A method that guesses with a model of its own names it by commit, and the others name none."""
    for index, model in enumerate(models):
        given, key = model.speculative, ("models", index, "speculative")
        if given is None or model.engine is not Engine.VLLM:
            continue
        if given.method not in DRAFTED:
            yield from (
                Finding((*key, name), f"does not apply to {given.method}, which takes no further model; remove it")
                for name in ("id", "revision", "weights_gib")
                if getattr(given, name)
            )
            continue
        for name, what in (
            ("id", "the repository of the model that guesses"),
            ("revision", "its commit"),
            ("weights_gib", "its size in GPU memory"),
        ):
            if not getattr(given, name):
                yield Finding(key, f"needs {name} for {given.method}: {what}")


def offloaded_caches_fit_into_main_memory(
    models: tuple[ModelSettings, ...], serving: ServingSettings, cluster: ClusterSettings
) -> Iterator[Finding]:
    """A node has the main memory for the caches that its engines move there."""
    for key, model, name, pool, size in placed(models, cluster):
        if not model.kv_offload_gib or model.engine is not Engine.VLLM:
            continue
        room = allocatable(size.vcpus, size.memory_gib, cluster.max_pods_per_node).memory_gib - DAEMONS_MEMORY_GIB
        share = room * model.gpus / (size.gpus * pool.time_slices)
        left = share - serving.memory_gib_per_gpu * model.gpus
        if model.kv_offload_gib > left:
            yield Finding(
                (*key, "kv_offload_gib"),
                f"is more than a {pool.vm_size} of pool {name} has left: {share:.1f} GiB for {model.gpus} GPU"
                f" less {serving.memory_gib_per_gpu * model.gpus} for the engine itself (serving.memory_gib_per_gpu);"
                f" write at most {max(0, int(left))}",
            )


RULES = (
    engine_arguments_are_of_their_engine,
    further_arguments_leave_the_platform_its_own,
    speculative_decoding_has_what_it_needs,
    offloaded_caches_fit_into_main_memory,
)
