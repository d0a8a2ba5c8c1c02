"""Which models may become others when they are downloaded again, and which ask for an account."""

import re
from collections.abc import Iterator

from stacks.settings import Settings
from stacks.settings.models import Engine
from stacks.settings.rules.models import not_pinned

GATED = re.compile(
    r"meta-llama/|google/(gemma-[1-3]|codegemma|paligemma|shieldgemma)|black-forest-labs/", re.IGNORECASE
)
"""Repositories of Hugging Face that give files only to accounts that accepted their terms, as of 2026-11."""


def weights_notes(settings: Settings) -> Iterator[str]:
    """Yield a note about each engine's models whose tag or branch can move.

    Ollama's count where an uptime is paid for alone: its library replaces what a tag stands for, often on purpose.
    """
    if moving := [model.name for _, model in not_pinned(settings.models)]:
        yield (
            f"models without a commit in `revision`: {', '.join(moving)}; another download may bring other weights"
            " (refused with cluster.tier Standard or Premium)"
        )
    gated = [model.id for model in settings.models if model.engine is Engine.VLLM and GATED.match(model.id)]
    if gated and not settings.serving.hugging_face_token:
        yield (
            f"models that Hugging Face gives only to accounts that accepted their terms: {', '.join(gated)}; set"
            " serving.hugging_face_token: true and write the secret `hugging-face-token` to the vault"
        )
    if settings.cluster.tier == "Free":
        return
    if tags := [model.name for model in settings.models if model.engine is Engine.OLLAMA and not model.revision]:
        yield (
            f"Ollama models without a digest in `revision`: {', '.join(tags)}; another download may bring what the tag"
            " stands for by then (`ollama list` shows the digest under ID)"
        )
