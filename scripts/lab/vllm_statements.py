"""Renew `helm/engines.json` after vLLM's version was raised: what the pinned vLLM says of itself.

Usage: `python -m scripts.lab.vllm_statements WHEEL` (`pip download --no-deps vllm==VERSION`). The wheel is read and
never run: its modules would ask for a GPU.
"""

import ast
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stacks.settings.model_catalogue.engine_statements import FILE, FLOAT16, TURING

_OPTION = re.compile(r"--?[a-z][a-z0-9-]*")
_LAYERS = "vllm/model_executor/layers/quantization/"
_FRONTEND = "vllm/entrypoints/common/cli_args.py"
_FORMATS = {
    "awq": ("auto_awq.py", "AutoAWQConfig"),
    "gptq": ("auto_gptq.py", "AutoGPTQConfig"),
    "fp8": ("fp8.py", "Fp8Config"),
    "mxfp4": ("mxfp4.py", "Mxfp4Config"),
}
"""Class that says from which compute capability on a format runs, by the format's name here."""


def statements(wheel: Path) -> dict[str, Any]:
    """Return version, arguments, parsers and what decides which GPU runs a format."""
    with zipfile.ZipFile(wheel) as archive:

        def tree(name: str) -> ast.Module:
            return ast.parse(archive.read(name))

        serve = ("vllm/engine/arg_utils.py", _FRONTEND, "vllm/entrypoints/cli/serve.py")
        arguments = {word for name in serve for word in _options(tree(name))} | set(_fields(tree(_FRONTEND)))
        return {
            "version": f"v{wheel.name.split('-')[1]}",
            "arguments": sorted(arguments),
            "tool_parsers": _keys(tree("vllm/tool_parsers/__init__.py"), "_TOOL_PARSERS_TO_REGISTER"),
            "reasoning_parsers": _keys(tree("vllm/reasoning/__init__.py"), "_REASONING_PARSERS_TO_REGISTER"),
            "speculative_methods": _literals(tree("vllm/config/speculative.py"), "SpeculativeMethod"),
            "capabilities": {
                # `vllm/platforms/cuda.py` has it in a sentence.
                "bf16": 8.0,
                **{kind: _capability(tree(_LAYERS + file), name) for kind, (file, name) in _FORMATS.items()},
                FLOAT16: TURING,
            },
            "not_in_half_precision": _keys(tree("vllm/config/model.py"), "_FLOAT16_NOT_SUPPORTED_MODELS"),
        }


def _options(tree: ast.Module) -> Iterator[str]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "add_argument":
            for word in call.args:
                if isinstance(word, ast.Constant) and _OPTION.fullmatch(str(word.value)):
                    yield str(word.value)


def _fields(tree: ast.Module) -> Iterator[str]:
    """Yield the options that are made of a class' fields."""
    for part in tree.body:
        if isinstance(part, ast.ClassDef) and part.name.endswith("FrontendArgs"):
            for field in part.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield f"--{field.target.id.replace('_', '-')}"


def _assigned(tree: ast.Module, name: str) -> ast.expr:
    return next(
        part.value
        for part in tree.body
        if isinstance(part, ast.Assign) and any(getattr(target, "id", "") == name for target in part.targets)
    )


def _keys(tree: ast.Module, name: str) -> list[str]:
    table = _assigned(tree, name)
    assert isinstance(table, ast.Dict)
    return sorted(str(key.value) for key in table.keys if isinstance(key, ast.Constant))


def _literals(tree: ast.Module, name: str) -> list[str]:
    """Return the texts of a `Literal`, those of other literals that it names included."""
    found: list[str] = []
    for part in ast.walk(_assigned(tree, name)):
        if isinstance(part, ast.Constant):
            found.append(str(part.value))
        elif isinstance(part, ast.Name) and part.id.endswith("Types"):
            found += _literals(tree, part.id)
    return sorted(set(found))


def _capability(tree: ast.Module, name: str) -> float:
    (kind,) = (part for part in tree.body if isinstance(part, ast.ClassDef) and part.name == name)
    (method,) = (part for part in kind.body if getattr(part, "name", "") == "get_min_capability")
    (number,) = (
        part.value for part in ast.walk(method) if isinstance(part, ast.Constant) and isinstance(part.value, int)
    )
    return number / 10


def main(wheel: str) -> int:
    """Write the file."""
    FILE.write_text(json.dumps(statements(Path(wheel)), indent=1) + "\n", "utf-8")
    print(f"wrote {FILE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
