"""Figures of a repository outside of the catalogue, computed from what it says of itself."""

import json
from typing import Any

import pytest

from scripts.applications.hub import figures
from scripts.core import http as web
from scripts.core.errors import OperatorError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIB = 1024**3
QWEN = {
    "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "hidden_size": 4096,
    "max_position_embeddings": 40960, "torch_dtype": "bfloat16",
}  # fmt: skip
FILES = [
    {"rfilename": "model-00001-of-00002.safetensors", "size": 10 * GIB},
    {"rfilename": "model-00002-of-00002.safetensors", "size": 5 * GIB},
    {"rfilename": "original/consolidated.safetensors", "size": 15 * GIB},
    {"rfilename": "model.gguf", "size": 15 * GIB},
]


def _hub(config: dict[str, Any], files: list[dict[str, Any]] = FILES, status: int = 200) -> Any:
    def get(url: str) -> web.Answer:
        assert url.startswith("https://huggingface.co/")
        body = {"sha": COMMIT, "siblings": files} if "/api/" in url else config
        return web.Answer(status, "", json.dumps(body).encode(), {})

    return get


def test_weights_and_cache_are_computed() -> None:
    found = figures("acme/own", get=_hub(QWEN))
    assert (found.weights_gib, found.kv_cache_kib_per_token, found.longest_context) == (15, 144, 40960)
    assert found.fields() == {
        "revision": COMMIT,
        "quantization": "bf16",
        "weights_gib": "15.0",
        "kv_cache_kib_per_token": "144",
    }


def test_models_inside_of_another_and_formats_are_read() -> None:
    inner = {"text_config": QWEN, "quantization_config": {"quant_method": "awq"}}
    assert figures("acme/own", get=_hub(inner)).quantization == "awq"
    assert figures("acme/own", get=_hub(inner)).kv_cache_kib_per_token == 144


def test_latent_attention_keeps_one_vector_for_each_layer() -> None:
    latent = QWEN | {"num_hidden_layers": 61, "kv_lora_rank": 512, "qk_rope_head_dim": 64}
    assert figures("acme/own", get=_hub(latent)).kv_cache_kib_per_token == pytest.approx(68.625)


@pytest.mark.parametrize(
    ("hub", "said"),
    [
        (_hub(QWEN, status=401), "answers 401"),
        (_hub(QWEN, files=[]), "does not say safetensors"),
        (_hub({"max_position_embeddings": 1}), "does not say num_hidden_layers"),
        (_hub(QWEN | {"quantization_config": {"quant_method": "bitsandbytes"}}), "bitsandbytes"),
    ],
)
def test_what_cannot_be_known_says_what_to_write(hub: Any, said: str) -> None:
    with pytest.raises(OperatorError, match=said) as error:
        figures("acme/own", get=hub)
    assert "--weights-gib" in error.value.fix


def test_a_hub_that_cannot_be_reached_says_what_to_write() -> None:
    def get(_: str) -> web.Answer:
        raise web.NoAnswerError("no route")

    with pytest.raises(OperatorError, match="no route"):
        figures("acme/own", get=get)
