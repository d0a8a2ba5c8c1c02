"""Which models call tools and think aloud, and by which parsers vLLM reads that out of their answers.

A chat offers its own tools with every message; an engine that cannot pass them on answers 400, and nobody can chat.
"""

import re

from ..models import Engine, ModelSettings

_PARSERS = (
    # Names: vllm/tool_parsers/__init__.py. Families whose own chat template writes tools as the parser reads them
    # (https://docs.vllm.ai/en/latest/features/tool_calling); others need a template as well, and their parser by name.
    (re.compile(r"qwen3-coder"), "qwen3_coder"),
    (re.compile(r"qwen2\.5-\d|qwen3-\d|qwq-|hermes-[23]"), "hermes"),
    (re.compile(r"gpt-oss-"), "openai"),
)
_REASONING = (
    # gpt-oss is not here: vLLM sets its parser itself. Of Qwen3, "Instruct" and "Coder" write no thoughts.
    (re.compile(r"qwen3-\d(?!.*(instruct|embedding|reranker))"), "qwen3"),
    (re.compile(r"qwq-|deepseek-r1"), "deepseek_r1"),
)
NO_PARSER = "none"
_OLLAMA = frozenset(
    """
    command-r command-r-plus cogito deepseek-r1 devstral glm-4.7-flash gpt-oss granite3.3 granite4 llama3.1 llama3.2
    llama3.3 magistral ministral-3 mistral mistral-large mistral-nemo mistral-small mistral-small3.1 mistral-small3.2
    mixtral nemotron-mini phi4-mini qwen2 qwen2.5 qwen2.5-coder qwen3 qwen3-coder qwen3.5 qwq smollm2
    """.split()  # noqa: SIM905 (one name per line would fill pages)
)
"""Models of Ollama's library that are listed there as calling tools; Ollama itself decides by the template of the tag
(server/images.go, `Capabilities`) and answers 400 for others."""


def tool_parser(model: ModelSettings) -> str | None:
    """Parser with which vLLM reads tool calls: the model's own, else its family's; None without tools."""
    if model.engine is not Engine.VLLM or model.tools is False:
        return None
    name = model.id.rpartition("/")[2].lower()
    return model.tool_parser or next((parser for family, parser in _PARSERS if family.match(name)), None)


def calls_tools(model: ModelSettings) -> bool:
    """Whether a request with tools is answered; a model of an unknown family is taken for one that has none."""
    if model.engine is Engine.VLLM:
        return tool_parser(model) is not None
    return model.id.partition(":")[0] in _OLLAMA if model.tools is None else model.tools


def reasoning_parser(model: ModelSettings) -> str | None:
    """Parser with which vLLM tells thoughts from the answer: the model's own, else its family's; None without."""
    if model.engine is not Engine.VLLM or model.reasoning_parser == NO_PARSER:
        return None
    name = model.id.rpartition("/")[2].lower()
    return model.reasoning_parser or next((parser for family, parser in _REASONING if family.match(name)), None)
