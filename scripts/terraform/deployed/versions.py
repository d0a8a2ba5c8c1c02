"""Which versions an environment runs, out of the states of its stacks, whatever checkout asks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scripts.core.deployed_record import recorded

from ..state.places import State

PROGRAMS = {
    "open-webui/server": "Open WebUI",
    "litellm/proxy": "LiteLLM",
    "opik/backend": "Opik",
    "ollama/server": "Ollama",
    "vllm/engine": "vLLM",
    "kube-prometheus-stack/prometheus": "Prometheus",
    "kube-prometheus-stack/grafana": "Grafana",
}
"""Image to the program that people know it by."""
SERVICES = {"cluster.kubernetes_version": "Kubernetes", "database.version": "PostgreSQL"}
"""Setting to what it is the version of."""
_PLATFORM = "platform"


@dataclass(frozen=True)
class Versions:
    """What runs, as the states say."""

    services: Mapping[str, str]
    """Of Azure: Kubernetes and PostgreSQL."""
    programs: Mapping[str, str]
    charts: Mapping[str, str]
    """Version of each chart of others, by release."""
    images: Mapping[str, str]
    images_serial: int
    """Change of the shared image lock that the images come from."""
    writes: Mapping[str, int]
    """How often the state of each deployed stack was written."""
    last_release: datetime | None
    """When Helm last installed or upgraded one; None where the state does not say."""


def versions_of(states: Mapping[str, State]) -> Versions:
    """Return what the states of the deployed stacks say."""
    records = {key: value for state in states.values() for key, value in recorded(state).items()}
    outputs = states.get(_PLATFORM, {}).get("outputs") or {}
    images: Mapping[str, str] = (outputs.get("images") or {}).get("value") or {}
    charts = dict(_charts(states.get(_PLATFORM, {})))
    return Versions(
        services={name: records[key] for key, name in SERVICES.items() if key in records},
        programs={name: _tag(images[image]) for image, name in PROGRAMS.items() if image in images},
        charts={release: version for release, (version, _) in charts.items() if version},
        images=images,
        images_serial=int((outputs.get("images_serial") or {}).get("value") or 0),
        writes={stack: int(state.get("serial") or 0) for stack, state in states.items()},
        last_release=max((moment for _, moment in charts.values() if moment), default=None),
    )


def _charts(state: State) -> Iterator[tuple[str, tuple[str, datetime | None]]]:
    for resource in state.get("resources") or []:
        if resource.get("type") != "helm_release":
            continue
        for instance in resource.get("instances") or []:
            attributes: Mapping[str, Any] = instance.get("attributes") or {}
            metadata = attributes.get("metadata") or {}
            # A list in version 2 of the provider, an object since.
            metadata = (metadata[0] if metadata else {}) if isinstance(metadata, list) else metadata
            own = str(attributes.get("chart") or "").startswith("./assets/")
            version = "" if own else str(attributes.get("version") or metadata.get("version") or "")
            seconds = metadata.get("last_deployed")
            moment = datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and seconds else None
            yield str(attributes.get("name") or resource["name"]), (version, moment)


def _tag(image: str) -> str:
    return image.partition("@")[0].rpartition(":")[2]
