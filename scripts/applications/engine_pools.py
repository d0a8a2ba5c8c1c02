"""Which of its pools an engine's pod waits for, and since when."""

from collections.abc import Mapping
from typing import Any

from stacks.platform.components.serving.engines import ServingEngine

WAITS = "platform/waits"
"""Annotation of pods that the budget holds to their first pool (helm/spill-over/templates/policy.yaml)."""


def waits_for(pod: Mapping[str, Any], engine: ServingEngine) -> str:
    """Return what a pod without a node waits for; empty for one that has one, and for engines of a single pool."""
    if pod["spec"].get("nodeName") or len(engine.pool_names) == 1:
        return ""
    metadata = pod["metadata"]
    if held := metadata.get("annotations", {}).get(WAITS):
        return f"waits {held}"
    return f"waits for {', then '.join(engine.pool_names)}, since {metadata.get('creationTimestamp', 'now')}"
