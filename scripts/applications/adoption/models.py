"""Models of another Ollama, as its list, its API or its folder of models names them."""

import json
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from scripts.core.errors import ExitCode, OperatorError

WEIGHTS = "application/vnd.ollama.image.model"
REGISTRY = "registry.ollama.ai"
GIB = 2**30
_ROW = re.compile(r"^(?P<name>\S+)\s+[0-9a-f]{12}\s+(?P<size>[0-9.]+)\s(?P<unit>[KMGT]B)\s")
_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
QUANTIZATIONS = (("MXFP4", "mxfp4"), ("Q8", "q8"), ("Q4", "q4"), ("BF16", "bf16"), ("F16", "fp16"))


@dataclass(frozen=True)
class OllamaModel:
    """One model of the old installation."""

    id: str
    """As `ollama pull` takes it, without `:latest`."""
    size_bytes: int
    quantization: str = ""
    """As Ollama says it, such as Q4_K_M; empty where the source does not."""
    kib_per_token: float | None = None
    """Key-value cache, where the file of weights was at hand."""

    @property
    def name(self) -> str:
        """A name that the settings take."""
        return re.sub(r"[^a-z0-9.]+", "-", self.id.rpartition("/")[2].lower()).strip("-.")[:50]

    def fields(self, pool: str) -> dict[str, str]:
        """Return the entry for the environment file."""
        found = {"name": self.name, "engine": "ollama", "id": self.id, "pool": pool}
        if chosen := next((ours for theirs, ours in QUANTIZATIONS if theirs in self.quantization.upper()), ""):
            found["quantization"] = chosen
        found["weights_gib"] = f"{math.ceil(self.size_bytes / GIB * 10) / 10:g}"
        if self.kib_per_token:
            found["kv_cache_kib_per_token"] = f"{self.kib_per_token:g}"
        return found


def read(words: str) -> list[OllamaModel]:
    """Return the models of `folder:PATH`, `tags:FILE` or `list:FILE`. Raises OperatorError."""
    kind, colon, rest = words.partition(":")
    readers = {"folder": of_folder, "tags": of_tags, "list": of_list}
    if not colon or not rest or kind not in readers:
        raise OperatorError(f"{words!r} names no source", "write folder:PATH, tags:FILE or list:FILE", ExitCode.USAGE)
    try:
        found = readers[kind](Path(rest))
    except OSError as error:
        raise OperatorError(f"{rest} cannot be read: {error.strerror}", code=ExitCode.USAGE) from None
    except (UnicodeDecodeError, ValueError, KeyError, TypeError):
        raise OperatorError(
            f"{rest} is not what {kind}: names", "see llmctl adopt models --help", ExitCode.USAGE
        ) from None
    if not found:
        raise OperatorError(f"{rest} names no model", "see llmctl adopt models --help", ExitCode.USAGE)
    return found


def of_list(path: Path) -> list[OllamaModel]:
    """Return what `ollama list` printed."""
    rows = [match for line in path.read_text("utf-8").splitlines() if (match := _ROW.match(line + " "))]
    return [OllamaModel(_id(row["name"]), int(float(row["size"]) * _UNITS[row["unit"]])) for row in rows]


def of_tags(path: Path) -> list[OllamaModel]:
    """Return what the API answers to /api/tags."""
    models = json.loads(path.read_text("utf-8"))["models"]
    return [
        OllamaModel(_id(one["name"]), int(one["size"]), str((one.get("details") or {}).get("quantization_level") or ""))
        for one in models
    ]


def of_folder(path: Path) -> list[OllamaModel]:
    """Return the models of a folder as OLLAMA_MODELS names it. Raises OperatorError for weights that are cut off."""
    manifests = path / "manifests"
    if not manifests.is_dir():
        raise OperatorError(
            f"{path} has no folder manifests", "name the folder models of Ollama's volume", ExitCode.USAGE
        )
    found = []
    for manifest in sorted(one for one in manifests.glob("*/*/*/*") if one.is_file()):
        host, namespace, model, tag = manifest.relative_to(manifests).parts
        content = json.loads(manifest.read_text("utf-8"))
        layers = [layer for layer in content["layers"] if layer["mediaType"] == WEIGHTS]
        if not layers:
            continue
        prefix = ("" if host == REGISTRY else f"{host}/") + ("" if namespace == "library" else f"{namespace}/")
        blob = path / "blobs" / layers[0]["digest"].replace(":", "-")
        config = path / "blobs" / content["config"]["digest"].replace(":", "-")
        size = sum(int(layer["size"]) for layer in layers)
        if not blob.is_file() or blob.stat().st_size != int(layers[0]["size"]):
            have = blob.stat().st_size if blob.is_file() else 0
            raise OperatorError(
                f"the weights of {model}:{tag} are a half copy: {have} of {layers[0]['size']} bytes are there",
                "copy the folder again, or use list: with what `ollama list` prints",
                ExitCode.USAGE,
            )
        details = json.loads(config.read_text("utf-8")) if config.is_file() else {}
        with blob.open("rb") as file:
            cache = kib_per_token(gguf_metadata(file))
        found.append(OllamaModel(_id(f"{prefix}{model}:{tag}"), size, str(details.get("file_type") or ""), cache))
    return found


def kib_per_token(metadata: Mapping[str, Any]) -> float | None:
    """Return the key-value cache of one token: 2 x layers x KV heads x head size x 2 bytes; None where untold."""
    kind = metadata.get("general.architecture")
    layers, heads = metadata.get(f"{kind}.block_count"), metadata.get(f"{kind}.attention.head_count_kv")
    size = metadata.get(f"{kind}.attention.key_length")
    if size is None and (all_heads := metadata.get(f"{kind}.attention.head_count")):
        size = metadata.get(f"{kind}.embedding_length", 0) / all_heads
    if not isinstance(layers, int) or not isinstance(heads, int) or not size:
        return None
    return float(2 * layers * heads * size * 2 / 1024)


_PLAIN = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


def gguf_metadata(file: BinaryIO) -> dict[str, Any]:
    """Return the plain values of a GGUF file's head; nothing of another kind of file.

    Format: GGUF of the project ggml, version 3. Lists (vocabularies) end the reading: what is
    asked for stands before them.
    """

    def number(form: str) -> Any:
        return struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))[0]

    if file.read(4) != b"GGUF":
        return {}
    found: dict[str, Any] = {}
    try:
        number("I")
        number("Q")
        for _ in range(number("Q")):
            key = file.read(number("Q")).decode("utf-8")
            kind = number("I")
            if kind == 8:
                found[key] = file.read(number("Q")).decode("utf-8", "replace")
            elif kind in _PLAIN:
                found[key] = number(_PLAIN[kind])
            else:
                break
    except (struct.error, UnicodeDecodeError):
        return {}
    return found


def _id(name: str) -> str:
    return name.removesuffix(":latest")
