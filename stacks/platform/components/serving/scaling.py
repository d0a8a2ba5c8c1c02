"""Values of what scales the engines: KEDA's HTTP add-on, the routes and scalers, and the proxy before them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from stacks.platform.common import timeouts
from stacks.platform.common.catalogue import Image
from stacks.settings import Settings
from stacks.settings.models import Engine
from stacks.settings.serving import ServingSettings, WarmHours

from .engines import (
    EXTERNAL_SCALER,
    EXTERNAL_SCALER_PORT,
    INTERCEPTOR,
    INTERCEPTOR_PORT,
    SCALING,
    SERVING,
    ServingEngine,
    engines,
)
from .routes import CALLS

VLLM_CONCURRENCY = 1000
"""vLLM batches many requests at once; its own queue tells when another replica is needed."""


def keda_http_add_on(serving: ServingSettings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the HTTP add-on: one tag for its three images, which the chart cannot take by digest."""
    own = {name: images[f"keda-http-add-on/{name}"] for name in _ADD_ON}
    tags = {image.tag for image in own.values()}
    if len(tags) > 1:
        raise ValueError(f"the images of keda-http-add-on have different tags ({', '.join(sorted(tags))})")
    hop = timeouts.interceptor(serving)
    return {
        "images": {"tag": tags.pop(), **{name: image.repository for name, image in own.items()}},
        "interceptor": {
            "readinessTimeout": f"{timeouts.hold_seconds(serving)}s",
            "responseHeaderTimeout": f"{timeouts.ANSWER_SECONDS}s",
            "shutdownDelay": f"{hop.pre_stop_seconds}s",
            "drainTimeout": f"{hop.drain_seconds}s",
            "terminationGracePeriodSeconds": hop.grace_seconds,
        },
    }


_ADD_ON = ("operator", "interceptor", "scaler")


def scaling(settings: Settings) -> dict[str, Any]:
    """Values of the own chart with every engine's scaler and route."""
    hours = settings.serving.warm_hours
    return {
        "scalerAddress": f"{EXTERNAL_SCALER}.{SCALING}:{EXTERNAL_SCALER_PORT}",
        "holdSeconds": timeouts.hold_seconds(settings.serving),
        "answerSeconds": timeouts.ANSWER_SECONDS,
        **({"warmHours": _cron(hours)} if hours else {}),
        "engines": {
            engine.name: _engine(settings.serving, engine) for engine in engines(settings.models, settings.cluster)
        },
    }


def serving_proxy(settings: Settings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the own chart of the proxy before the engines: where every engine is reached, and what it serves."""
    replicas = 1 if settings.cluster.tier == "Free" else 2
    hop = timeouts.serving_proxy(settings.serving)
    return {
        "image": images["serving-front/nginx"].values(),
        "replicas": replicas,
        "timeoutSeconds": hop.silence_seconds,
        "idleSeconds": hop.idle_seconds,
        "preStopSeconds": hop.pre_stop_seconds,
        "graceSeconds": hop.grace_seconds,
        "ollamaVersion": images["ollama/server"].tag,
        "engines": {
            engine.name: {
                "engine": engine.engine.value,
                "upstream": f"{INTERCEPTOR}.{SCALING}.svc.cluster.local:{INTERCEPTOR_PORT}",
                "host": engine.host,
                "calls": list(CALLS[engine.engine]),
                # Connections spread unevenly over few replicas: each takes more than its part.
                "requests": math.ceil(engine.most_requests(settings.serving) * (1 if replicas == 1 else 0.75)),
                "models": list(_listed(engine)),
            }
            for engine in engines(settings.models, settings.cluster)
        },
    }


def _listed(engine: ServingEngine) -> Iterator[str]:
    """The names under which an engine itself knows its models."""
    for model in engine.models:
        yield from (engine.served_id(model),) if engine.engine is Engine.OLLAMA else model.served_names


def _engine(serving: ServingSettings, engine: ServingEngine) -> dict[str, Any]:
    leader = engine.leader
    is_vllm = engine.engine is Engine.VLLM
    return {
        "deployment": engine.deployment,
        "service": engine.service,
        "port": engine.service_port,
        "host": engine.host,
        "min": leader.min_replicas,
        "max": leader.max_replicas,
        # Not shorter than a start may take, or an engine whose caller has given up would be ended while it loads.
        "idleSeconds": max(leader.idle_minutes * 60, timeouts.hold_seconds(serving)),
        "concurrency": VLLM_CONCURRENCY if is_vllm else serving.requests_per_replica,
        **({"waiting": _waiting(serving, engine)} if is_vllm else {}),
    }


def _waiting(serving: ServingSettings, engine: ServingEngine) -> dict[str, Any]:
    """The engine's own metric, asked of the engine: no Prometheus has to run, and its label is not needed."""
    return {
        "url": f"http://{engine.service}.{SERVING}.svc.cluster.local:{engine.service_port}/metrics",
        "metric": "vllm:num_requests_waiting",
        "perReplica": serving.waiting_per_replica,
    }


def _cron(hours: WarmHours) -> dict[str, str]:
    return {"timezone": hours.timezone, "start": _at(hours.start, hours.days), "end": _at(hours.end, hours.days)}


def _at(time: str, days: str) -> str:
    hour, minute = (int(part) for part in time.split(":"))
    return f"{minute} {hour} * * {days}"
