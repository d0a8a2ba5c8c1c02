"""Models of another Ollama, from what it prints, answers or keeps."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from scripts.applications.adoption.models import OllamaModel, kib_per_token, read
from scripts.core.errors import ExitCode, OperatorError

LIST = """NAME                       ID              SIZE      MODIFIED
llama3.1:8b                46e0c10c039e    4.9 GB    2 weeks ago
phi3.5:latest              61819fb370a3    2.2 GB    3 months ago
hf.co/bartowski/x-GGUF:Q8_0    0123456789ab    986 MB    1 second ago
"""
TAGS = {"models": [{"name": "gemma2:2b", "size": 1629518495, "details": {"quantization_level": "Q4_0"}}]}


def gguf(**values: Any) -> bytes:
    """Return the head of a file of weights."""
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(values) + 1)
    for key, value in values.items():
        name = key.replace("__", ".").encode()
        head += struct.pack("<Q", len(name)) + name
        if isinstance(value, str):
            head += struct.pack("<IQ", 8, len(value)) + value.encode()
        else:
            head += struct.pack("<II", 4, value)
    name = b"tokenizer.ggml.tokens"
    return head + struct.pack("<Q", len(name)) + name + struct.pack("<IIQ", 9, 8, 0)


def folder(tmp_path: Path, weights: bytes, *, size: int | None = None) -> Path:
    """Return a folder of models as Ollama lays it out, with one model."""
    config = json.dumps({"model_family": "llama", "file_type": "Q4_K_M"}).encode()
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "sha256-aa").write_bytes(weights)
    (tmp_path / "blobs" / "sha256-bb").write_bytes(config)
    manifest = tmp_path / "manifests" / "registry.ollama.ai" / "library" / "llama3.1" / "8b"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:aa", "size": size or len(weights)}
    manifest.write_text(json.dumps({"config": {"digest": "sha256:bb", "size": len(config)}, "layers": [layer]}))
    return tmp_path


def test_the_printed_list_names_tags_and_sizes(tmp_path: Path) -> None:
    (tmp_path / "list").write_text(LIST)
    assert read(f"list:{tmp_path / 'list'}") == [
        OllamaModel("llama3.1:8b", 4_900_000_000),
        OllamaModel("phi3.5", 2_200_000_000),
        OllamaModel("hf.co/bartowski/x-GGUF:Q8_0", 986_000_000),
    ]


def test_the_answer_of_the_api_tells_the_quantization_too(tmp_path: Path) -> None:
    (tmp_path / "tags.json").write_text(json.dumps(TAGS))
    (model,) = read(f"tags:{tmp_path / 'tags.json'}")
    assert model.fields("t4") == {
        "name": "gemma2-2b", "engine": "ollama", "id": "gemma2:2b", "pool": "t4", "quantization": "q4",
        "weights_gib": "1.6",
    }  # fmt: skip


def test_a_folder_tells_the_key_value_cache_too(tmp_path: Path) -> None:
    weights = gguf(
        general__architecture="llama",
        llama__block_count=32,
        llama__embedding_length=4096,
        llama__attention__head_count=32,
        llama__attention__head_count_kv=8,
    )
    (model,) = read(f"folder:{folder(tmp_path, weights)}")
    assert model.id == "llama3.1:8b"
    assert model.fields("t4")["kv_cache_kib_per_token"] == "128"
    assert model.fields("t4")["quantization"] == "q4"


def test_a_half_copy_of_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"llama3\.1:8b are a half copy: 10 of 20 bytes"):
        read(f"folder:{folder(tmp_path, b'GGUF567890', size=20)}")


def test_other_weights_leave_the_cache_to_the_settings(tmp_path: Path) -> None:
    (model,) = read(f"folder:{folder(tmp_path, b'not gguf at all')}")
    assert model.kib_per_token is None
    assert kib_per_token({"general.architecture": "mamba", "mamba.block_count": 3}) is None


@pytest.mark.parametrize(
    ("words", "content", "sentence"),
    [
        ("list", "", "names no model"),
        ("tags", "<html>", "is not what tags: names"),
        ("tags", '{"models": [{}]}', "is not what tags: names"),
        ("folder", None, "no folder manifests"),
        ("registry", "", "names no source"),
    ],
)
def test_what_is_no_such_source_is_refused(tmp_path: Path, words: str, content: str | None, sentence: str) -> None:
    path = tmp_path
    if content is not None:
        path = tmp_path / "file"
        path.write_text(content)
    with pytest.raises(OperatorError, match=sentence) as caught:
        read(f"{words}:{path}")
    assert caught.value.code == ExitCode.USAGE
