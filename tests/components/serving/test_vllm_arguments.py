"""What the keys of a vLLM model become: arguments, files, downloads, names in gateway, proxy and chat."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import images, own_chart, values_files
from stacks.platform.components.chat.models import tools_by_model
from stacks.platform.components.llm_gateway.models import model_list
from stacks.platform.components.serving import scaling, vllm
from stacks.platform.components.serving.engines import vllm_engines
from stacks.settings import Settings, load_settings
from stacks.settings.model_catalogue.engine_statements import vllm_statements
from stacks.settings.model_catalogue.parsers import reasoning_parser
from stacks.settings.models import LoraAdapter, ModelSettings, SpeculativeSettings
from stacks.settings.rules import engine_arguments
from stacks.settings.serving import ModelStore
from tests.support.stacks.components import images_of, with_images

HELM = shutil.which("helm")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEMPLATE = "{% for m in messages %}{{ m.content }} ${HOME} 'x'\n{% endfor %}"
KEYS: dict[str, Any] = {
    "chat_template": TEMPLATE,
    "lora": [{"name": "sql", "id": "acme/sql", "revision": COMMIT, "rank": 32}],
    "speculative": {"method": "eagle3", "tokens": 3, "id": "acme/head", "revision": COMMIT, "weights_gib": 0.4},
    "kv_offload_gib": 6,
    "extra_args": ["--enable-prefix-caching", '--override-generation-config={"x": "$(VLLM_API_KEY)"}'],
}


def _settings(store: ModelStore = ModelStore.AZURE_FILES, **keys: Any) -> Settings:
    values = load_settings("dev").model_dump()
    values["models"] = [model | keys for model in values["models"] if model["engine"] == "vllm"]
    values["serving"]["model_store"] = store
    return Settings.model_validate(values)


def _values(settings: Settings) -> dict[str, Any]:
    return vllm.vllm(
        settings.cluster, settings.serving, images_of(settings), vllm_engines(settings.models, settings.cluster)[0]
    )


def _rendered(settings: Settings, folder: Path) -> dict[str, dict[str, Any]]:
    file = folder / "values.json"
    file.write_text(json.dumps(_values(settings)))
    files = [word for path in (*values_files("vllm"), file) for word in ("--values", str(path))]
    command = [
        str(HELM),
        "template",
        "engine",
        str(own_chart("vllm")),
        *files,
        "--namespace",
        "serving",
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    return {item["kind"]: item for item in YAML(typ="safe").load_all(shown.stdout) if item}


def test_a_model_without_further_keys_has_no_further_arguments() -> None:
    assert _values(_settings())["arguments"][-2:] == ["--enable-auto-tool-choice", "--tool-call-parser=hermes"]
    assert "chatTemplate" not in _values(_settings())


def test_every_key_becomes_the_argument_of_the_pinned_vllm() -> None:
    guessing = f'{{"method": "eagle3", "num_speculative_tokens": 3, "model": "acme/head", "revision": "{COMMIT}"}}'
    assert _values(_settings(**KEYS))["arguments"][-10:] == [
        "--chat-template=/template/chat.jinja",
        "--enable-lora",
        "--max-loras=1",
        "--max-lora-rank=32",
        "--lora-modules",
        f"sql=/models/huggingface/hub/models--acme--sql/snapshots/{COMMIT}",
        f"--speculative-config={guessing}",
        "--kv-offloading-size=6",
        "--enable-prefix-caching",
        # Kubernetes would put the engine's key in the place of `$(VLLM_API_KEY)`.
        '--override-generation-config={"x": "$$(VLLM_API_KEY)"}',
    ]


def test_what_the_platform_writes_are_arguments_that_the_pinned_vllm_has() -> None:
    written = [word.partition("=")[0] for word in _values(_settings(**KEYS, reasoning_parser="qwen3"))["arguments"]]
    assert {word for word in written if word.startswith("-")} <= vllm_statements().arguments
    methods = SpeculativeSettings.model_fields["method"].annotation
    assert set(getattr(methods, "__args__", ())) <= vllm_statements().speculative_methods


def test_every_refused_argument_is_one_that_the_pinned_vllm_has() -> None:
    # A name that the next version drops would stand here for nothing.
    refused = {*engine_arguments._BY_KEY, *engine_arguments._OF_THE_PLATFORM, *engine_arguments._UNSAFE}
    assert refused - vllm_statements().arguments == set()


def test_statements_are_those_of_the_vllm_that_is_deployed() -> None:
    # After another version: `python -m scripts.lab.vllm_statements WHEEL`.
    assert images()["vllm/engine"].tag == vllm_statements().version


def test_every_argument_of_the_platform_is_refused_in_extra_args() -> None:
    settings = _settings(**KEYS, reasoning_parser="qwen3")
    own = [word for word in _values(settings)["arguments"][:-2] if word.startswith("-")]
    models = (settings.models[0].model_copy(update={"extra_args": tuple(own)}),)
    found = list(engine_arguments.further_arguments_leave_the_platform_its_own(models))
    assert len(found) == len(own)


def test_cache_in_main_memory_is_asked_for_on_top() -> None:
    assert _values(_settings())["resources"]["requests"]["memory"] == "10Gi"
    assert _values(_settings(kv_offload_gib=6))["resources"]["requests"]["memory"] == "16Gi"


def test_adapters_and_guessing_models_are_downloaded_before_the_engine_starts() -> None:
    settings = _settings(**KEYS)
    jobs = {job.name: job.arguments for job in vllm.pull_jobs(settings)}
    assert list(jobs.values())[1:] == [("acme/sql", COMMIT), ("acme/head", COMMIT)]
    assert set(vllm.job_names(settings.models[0])) == set(jobs)


@pytest.mark.programs
@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
def test_chart_mounts_the_template_and_restarts_with_another_one(tmp_path: Path) -> None:
    objects = _rendered(_settings(**KEYS), tmp_path)
    assert objects["ConfigMap"]["data"]["chat.jinja"] == TEMPLATE
    pod = objects["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert {"name": "template", "mountPath": "/template", "readOnly": True} in container["volumeMounts"]
    assert {"name": "template", "configMap": {"name": "engine-template"}} in pod["spec"]["volumes"]
    other = _rendered(_settings(**KEYS | {"chat_template": "other"}), tmp_path)["Deployment"]["spec"]["template"]
    assert pod["metadata"]["annotations"] != other["metadata"]["annotations"]
    assert "ConfigMap" not in _rendered(_settings(), tmp_path)


@pytest.mark.programs
@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
def test_store_of_the_pod_is_filled_with_all_that_the_engine_loads(tmp_path: Path) -> None:
    pod = _rendered(_settings(ModelStore.NODE_DISK, **KEYS), tmp_path)["Deployment"]["spec"]["template"]["spec"]
    assert [(each["name"], each["args"][0]) for each in pod["initContainers"]] == [
        ("weights", "Qwen/Qwen2.5-7B-Instruct-AWQ"),
        ("weights-1", "acme/sql"),
        ("weights-2", "acme/head"),
    ]


def test_adapters_have_their_names_in_gateway_proxy_and_chat() -> None:
    settings = _settings(**KEYS)
    gateway = {each["model_name"]: each["litellm_params"]["model"] for each in model_list(settings)}
    assert gateway == {"qwen2-5-7b": "hosted_vllm/qwen2-5-7b", "sql": "hosted_vllm/sql"}
    (engine,) = scaling.serving_proxy(*with_images(settings))["engines"].values()
    assert engine["models"] == ["qwen2-5-7b", "sql"]
    assert tools_by_model(settings) == {"qwen2-5-7b": True, "sql": True}


@pytest.mark.parametrize(
    ("model", "parser"),
    [
        ("Qwen/Qwen3-32B-FP8", "qwen3"),
        ("Qwen/Qwen3-30B-A3B-Thinking-2507", "qwen3"),
        # Without thoughts: the parser would take the whole answer for one.
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", None),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", None),
        ("Qwen/Qwen3-Embedding-0.6B", None),
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", None),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "deepseek_r1"),
        # vLLM sets it itself.
        ("openai/gpt-oss-20b", None),
    ],
)
def test_thoughts_of_a_known_family_are_told_from_its_answers(model: str, parser: str | None) -> None:
    fields = {"name": "m", "engine": "vllm", "id": model, "pool": "t4", "weights_gib": 1}
    assert reasoning_parser(ModelSettings.model_validate(fields)) == parser
    assert reasoning_parser(ModelSettings.model_validate(fields | {"reasoning_parser": "none"})) is None
    assert reasoning_parser(ModelSettings.model_validate(fields | {"reasoning_parser": "glm45"})) == "glm45"


def test_an_adapter_is_named_by_a_commit() -> None:
    with pytest.raises(ValueError, match="revision"):
        LoraAdapter.model_validate({"name": "sql", "id": "acme/sql", "revision": "main"})
