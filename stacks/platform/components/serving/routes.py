"""What callers of the engines may ask for: paths that call a model, by POST. The proxy before them refuses all others.

Looking around (`/v1/models`, `/api/tags`, `/health` and the like) is answered by the proxy itself, so that it starts no
GPU. Every route of both engines stands in `routes.tsv`, with the table that it comes from.
"""

from stacks.settings.models import Engine

_OPENAI = ("v1/chat/completions", "v1/completions", "v1/embeddings", "v1/messages", "v1/responses")

CALLS: dict[Engine, tuple[str, ...]] = {
    Engine.OLLAMA: (
        *_OPENAI,
        "v1/audio/transcriptions",
        "api/chat",
        "api/generate",
        "api/embed",
        "api/embeddings",
        "api/show",
    ),
    Engine.VLLM: (
        *_OPENAI,
        "v1/messages/count_tokens",
        "v1/audio/transcriptions",
        "v1/audio/translations",
        "v1/score",
        "v1/rerank",
    ),
}
"""Paths below an engine's own that reach it."""
