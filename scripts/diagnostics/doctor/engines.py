"""Engines that were asked for, never started and are at zero again, whose pods are gone."""

import re
from collections.abc import Iterator

from scripts.cluster.events import read
from scripts.cluster.last_start import why_not_started
from stacks.platform.components.serving.engines import SERVING

from .problem import Finding, Problem
from .snapshot import Snapshot, short

GAVE_UP = Problem(
    id="engine-gave-up",
    title="An engine went back to zero without having started",
    symptoms=("EngineGaveUp", "the model is still starting, or no GPU is to be had", "NotTriggerScaleUp"),
    why="People asked for its model and got 503; its pod never got ready, and KEDA took it away after its idle time."
    " The last event of that pod names the reason; Kubernetes keeps it for an hour.",
    fix="By the reason: `NotTriggerScaleUp` or `FailedScheduling`: `llmctl preflight {ENV}` shows quota; give the pool"
    " another size or more `max_nodes` in `cluster.gpu_pools`, or a regular pool. `BackOff`: the model's arguments or"
    " its memory; `llmctl env check {ENV}`, a smaller `context_tokens`. `Failed`: `llmctl images ensure {ENV}`."
    " Afterwards `llmctl models warm MODEL {ENV}` starts it while you watch.",
)
_RANDOM = "bcdfghjklmnpqrstvwxz2456789"
_POD = re.compile(rf"pod/((?:ollama|vllm)-.+)-[{_RANDOM}]{{6,10}}-[{_RANDOM}]{{5}}")
"""A pod of a Deployment, by the letters that Kubernetes draws names from; downloads are Jobs."""


def find(seen: Snapshot) -> Iterator[Finding]:
    """Return the engines without a pod whose last one ended in trouble."""
    events = [read(dict(item)) for item in seen.of("events") if item["metadata"].get("namespace") == SERVING]
    there = [f"pod/{pod['metadata']['name']}" for pod in seen.of("pods")]
    running = {found[1] for name in there if (found := _POD.fullmatch(name))}
    asked = {found[1] for event in events if (found := _POD.fullmatch(event.object))}
    for deployment in sorted(asked - running):
        if trouble := why_not_started(events, deployment):
            yield Finding(problem=GAVE_UP, where=f"{SERVING}/{deployment}", detail=short(trouble))
