"""Figures of a model that is in no catalogue, computed from its repository at Hugging Face.

Sizes of files, and by `config.json` for each token 2 x layers x KV heads x head size x bytes; models with multi-head
latent attention keep one compressed vector and the rotated part of a key (`kv_lora_rank`, `qk_rope_head_dim`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from scripts.core import http as web
from scripts.core.errors import OperatorError

HUB = "https://huggingface.co"
BYTES = 2
"""Of one number in the cache, which is kept in 16 bits unless `--kv-cache-dtype` says otherwise."""
_WAY_ON = "write the figures yourself: --weights-gib, --set quantization=… --set kv_cache_kib_per_token=…"
_GIB = 1024**3

Get = Callable[[str], web.Answer]


@dataclass(frozen=True)
class Figures:
    """What the repository says of its model."""

    revision: str
    """The commit that the figures are of."""
    weights_gib: float
    kv_cache_kib_per_token: float
    longest_context: int
    quantization: str

    def fields(self) -> dict[str, str]:
        """The keys of an environment file."""
        return {
            "revision": self.revision,
            "quantization": self.quantization,
            "weights_gib": f"{self.weights_gib:.1f}",
            "kv_cache_kib_per_token": f"{self.kv_cache_kib_per_token:g}",
        }


def figures(repository: str, revision: str = "main", *, get: Get = web.get) -> Figures:
    """Return what the repository says.

    Raises OperatorError where it cannot be reached, is gated, or says too little.
    """
    listed = _json(get, f"{HUB}/api/models/{repository}/revision/{revision}?blobs=true", repository)
    commit = str(listed.get("sha") or revision)
    config = _json(get, f"{HUB}/{repository}/raw/{commit}/config.json", repository)
    weights = sum(int(file.get("size") or 0) for file in listed.get("siblings", ()) if _is_weights(file))
    text = config.get("text_config") or config
    try:
        if not weights:
            raise KeyError("safetensors")
        return Figures(
            revision=commit,
            weights_gib=weights / _GIB,
            kv_cache_kib_per_token=_cache_bytes(text) / 1024,
            longest_context=int(text["max_position_embeddings"]),
            quantization=_format(config, text),
        )
    except KeyError as missing:
        raise OperatorError(f"{repository} does not say {missing.args[0]} of itself", _WAY_ON) from None


def _json(get: Get, url: str, repository: str) -> dict[str, Any]:
    try:
        answer = get(url)
    except web.NoAnswerError as error:
        raise OperatorError(f"{HUB} cannot be asked about {repository}: {error}", _WAY_ON) from None
    if answer.status != HTTPStatus.OK:
        raise OperatorError(f"{HUB} answers {answer.status} for {repository}: it is not there, or is gated", _WAY_ON)
    found: dict[str, Any] = json.loads(answer.body)
    return found


def _is_weights(file: Mapping[str, Any]) -> bool:
    name = str(file.get("rfilename"))
    # Files of other programs lie in folders (helm/vllm/fetch_weights.py).
    return name.endswith(".safetensors") and "/" not in name


def _cache_bytes(config: Mapping[str, Any]) -> int:
    layers = int(config["num_hidden_layers"])
    if rank := config.get("kv_lora_rank"):
        return layers * (int(rank) + int(config["qk_rope_head_dim"])) * BYTES
    heads = int(config["num_attention_heads"])
    size = int(config.get("head_dim") or int(config["hidden_size"]) // heads)
    return 2 * layers * int(config.get("num_key_value_heads") or heads) * size * BYTES


def _format(config: Mapping[str, Any], text: Mapping[str, Any]) -> str:
    method = str((config.get("quantization_config") or {}).get("quant_method") or "")
    if method in {"awq", "gptq", "fp8", "mxfp4"}:
        return method
    if method:
        raise KeyError(f"a format that is known here ({method})")
    kind = str(config.get("torch_dtype") or config.get("dtype") or text.get("torch_dtype") or text.get("dtype") or "")
    return "fp16" if kind == "float16" else "bf16"
