"""Which of its pools an engine's pod waits for and since when, and what later pools have cost of their budget."""

import json
from collections.abc import Mapping
from typing import Any

from stacks.platform.components.serving.engines import ServingEngine
from stacks.platform.components.spill_over.release import RELEASE
from stacks.settings.serving import SpillOverSettings

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


def node_hours(notes: Mapping[str, Any] | None, given: SpillOverSettings) -> str:
    """Return what the job's ConfigMap says of later pools in one sentence; `notes` are None where there is none."""
    state = json.loads(((notes or {}).get("data") or {}).get("state") or "{}")
    if not state:
        return f"later pools: the job in namespace {RELEASE} has not run yet"
    said = f"later pools: {state['seconds'] / 3600:.1f} node hours in {state['month']}"
    if given.node_hours_per_month is None:
        return f"{said}, no budget"
    spent = "; they are spent: models wait for their first pool" if state["closed"] == "true" else ""
    return f"{said} of {given.node_hours_per_month}{spent}"
