"""Keys that stand in an environment file and change nothing, since another one switches off what they belong to."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pydantic import BaseModel

from ..environment import Settings
from ..models import Engine
from ..monitoring import MetricsStore
from ..network import IngressMode, Outbound
from ..private_access import Nameserver
from ..rules.base import Finding
from ..serving import ModelStore
from .errors import Key


class Idle(NamedTuple):
    """What has no effect, when, and why."""

    keys: tuple[str, ...]
    """Dotted keys; one that ends in `.` stands for everything below it but `enabled`."""
    when: Callable[[Settings], bool]
    reason: str


IDLE: tuple[Idle, ...] = (
    Idle(("chat.",), lambda it: not it.chat.enabled, "chat.enabled is false"),
    Idle(("gateway.",), lambda it: not it.gateway.enabled, "gateway.enabled is false"),
    Idle(("opik.",), lambda it: not it.opik.enabled, "opik.enabled is false"),
    Idle(("monitoring.",), lambda it: not it.monitoring.enabled, "monitoring.enabled is false"),
    Idle(("deployments.chat_banner",), lambda it: not it.chat.enabled, "chat.enabled is false"),
    Idle(("deployments.silence_alerts",), lambda it: not it.monitoring.enabled, "monitoring.enabled is false"),
    Idle(
        ("deployments.silence_alerts",),
        lambda it: it.monitoring.metrics is MetricsStore.AZURE_MONITOR,
        "monitoring.metrics is azure-monitor, which raises alerts outside of the cluster",
    ),
    Idle(("serving.",), lambda it: not it.models, "no model is listed"),
    Idle(("private_access.", "network.ingress_subnet"), lambda it: not it.is_private, "exposure is public"),
    Idle(
        ("network.resolver_subnet",),
        lambda it: not it.is_private or it.private_access.nameserver is not Nameserver.RESOLVER,
        "exposure is public, or private_access.nameserver is not resolver",
    ),
    Idle(
        ("ingress.nginx_replicas",),
        lambda it: it.ingress.mode is not IngressMode.NGINX,
        "ingress.mode is application-gateway",
    ),
    Idle(
        ("network.gateway_subnet",),
        lambda it: it.ingress.mode is not IngressMode.APPLICATION_GATEWAY,
        "ingress.mode is nginx",
    ),
    Idle(
        ("ingress.application_gateway.waf_mode",),
        lambda it: bool(it.ingress.application_gateway and it.ingress.application_gateway.sku == "Standard_v2"),
        "the sku Standard_v2 has no web application firewall",
    ),
    Idle(
        ("private_access.root_years", "private_access.leaf_days"),
        lambda it: not it.has_internal_ca,
        "private_access.certificates is not internal-ca",
    ),
    Idle(
        ("network.outbound_ports_per_node",),
        lambda it: it.network.outbound is not Outbound.LOAD_BALANCER,
        "network.outbound is nat-gateway",
    ),
    Idle(
        ("network.nat_idle_timeout_minutes",),
        lambda it: it.network.outbound is not Outbound.NAT_GATEWAY,
        "network.outbound is load-balancer",
    ),
    Idle(
        ("monitoring.retention_days", "monitoring.prometheus_disk_gib", "monitoring.prometheus_memory_gib"),
        lambda it: it.monitoring.metrics is MetricsStore.AZURE_MONITOR,
        "monitoring.metrics is azure-monitor, which keeps metrics itself",
    ),
    Idle(
        ("serving.ollama_store_gib", "serving.vllm_store_gib", "serving.store_encrypted_mount"),
        lambda it: it.serving.model_store is ModelStore.NODE_DISK,
        "serving.model_store is node-disk",
    ),
    Idle(
        ("serving.ollama_store_gib", "serving.requests_per_replica", "serving.prune_models"),
        lambda it: all(model.engine is not Engine.OLLAMA for model in it.models),
        "no model is served by ollama",
    ),
    Idle(
        ("serving.spill_over.",),
        lambda it: all(not model.later_pools for model in it.models),
        "no model lists several pools",
    ),
    Idle(
        (
            "serving.vllm_store_gib",
            "serving.waiting_per_replica",
            "serving.startup_minutes",
            "serving.hugging_face_token",
        ),
        lambda it: all(model.engine is not Engine.VLLM for model in it.models),
        "no model is served by vllm",
    ),
    Idle(
        ("identity.access_group_owner_ids",),
        lambda it: it.identity.access_group_object_id is not None,
        "identity.access_group_object_id names a group that keeps its owners",
    ),
    Idle(
        ("database.standby_zone",),
        lambda it: it.database.high_availability != "zone-redundant",
        "database.high_availability is not zone-redundant",
    ),
)


def without_effect(settings: Settings) -> Iterator[Finding]:
    """Yield each key of the file that changes nothing, once, with what switches it off."""
    seen: set[Key] = set()
    for keys, when, reason in IDLE:
        if not when(settings):
            continue
        for key in keys:
            for written in _written(settings, key):
                if written not in seen:
                    seen.add(written)
                    yield Finding(written, f"has no effect: {reason}")


def _written(settings: Settings, key: str) -> Iterator[Key]:
    """Yield the keys of the file that `key` stands for, none that is left out."""
    whole = key.endswith(".")
    parts = key.removesuffix(".").split(".")
    section: object = settings
    for part in parts if whole else parts[:-1]:
        if not isinstance(section, BaseModel) or part not in section.model_fields_set:
            return
        section = getattr(section, part)
    if not isinstance(section, BaseModel):
        return
    if whole:
        yield from ((*parts, name) for name in section.model_fields_set if name != "enabled")
    elif parts[-1] in section.model_fields_set:
        yield tuple(parts)
