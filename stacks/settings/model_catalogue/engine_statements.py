"""What the pinned vLLM says of itself (`helm/engines.json`): arguments, parsers, formats by compute capability.

Read out of the wheel of the same version by `python -m scripts.lab.vllm_statements`.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[3] / "helm" / "engines.json"
FLOAT16 = "fp16"
TURING = 7.5
"""Oldest card that this vLLM starts on; half precision runs on all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatements:
    """Statements of one version of vLLM."""

    version: str
    arguments: frozenset[str]
    """Options of `vllm serve`, long and short."""
    tool_parsers: frozenset[str]
    reasoning_parsers: frozenset[str]
    speculative_methods: frozenset[str]
    capabilities: dict[str, float]
    """Least compute capability of a GPU by format of the weights."""
    not_in_half_precision: frozenset[str]
    """Types of models that are refused in half precision."""


@cache
def vllm_statements() -> EngineStatements:
    """Return what the pinned vLLM says of itself."""
    said = json.loads(FILE.read_text("utf-8"))
    listed = ("arguments", "tool_parsers", "reasoning_parsers", "speculative_methods", "not_in_half_precision")
    return EngineStatements(
        version=said["version"],
        capabilities=said["capabilities"],
        **{name: frozenset(said[name]) for name in listed},
    )
