"""Chart values of the LLM gateway that only the stack knows.

Keys of `config`: https://docs.litellm.ai/docs/proxy/config_settings (1.101).
"""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common import timeouts
from stacks.platform.common.catalogue import Image
from stacks.platform.common.databases import ROOTS_NAME, prisma_url
from stacks.platform.common.ingress_annotations import Exposure
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings
from stacks.settings.llm_gateway import GatewayServiceSettings, PersonLimits
from stacks.settings.serving import ServingSettings

from . import cloud, secrets
from .address import DATABASE, LIMITS, LIMITS_PORT, METRICS_PORT, PORT, SERVICE
from .models import model_list

RELEASE = SERVICE
PUBLIC_PATH = "/v1"
"""All that the ingress lets through: models, and neither keys, teams, administration pages nor metrics."""
ROOTS = "litellm-database-roots"
"""ConfigMap with the authorities of the database server's certificate, for pods and for the Job before them."""
ROOTS_FOLDER = "/database-roots"
PERSON_BUDGET = "platform-person"
"""LiteLLM's id of the limits that everybody in the chat has; the Job that registers keys writes them."""
START_SECONDS = 1200
"""Image, migrations, then the pods."""


def exposure(serving: ServingSettings) -> Exposure:
    """What the gateway needs of the ingress: long prompts, and silence while a GPU starts."""
    return Exposure(
        service=SERVICE,
        # Readiness asks the database, without which calls with known keys go on.
        health_path="/health/liveliness",
        body_mib=100,
        timeout_seconds=timeouts.ingress_seconds(serving),
    )


def litellm(
    components: EnabledComponents,
    images: Mapping[str, Image],
    *,
    database_host: str,
    client_id: str = "",
    tenant_id: str = "",
) -> dict[str, Any]:
    """Values of the own chart; `database_host` is the PostgreSQL server.

    `client_id` is the gateway's identity in the tenant, where cloud models need one.
    """
    settings, callers = components.settings, components.gateway_callers()
    hop = timeouts.llm_gateway(settings.serving)
    return {
        "image": images["litellm/proxy"].values(),
        "replicas": settings.gateway.replicas,
        "maxReplicas": settings.gateway.max_replicas,
        "port": PORT,
        "metricsPort": METRICS_PORT,
        # Answers that are being written, and requests that wait for a GPU, outlive an update.
        "drainSeconds": hop.grace_seconds,
        "preStopSeconds": hop.pre_stop_seconds,
        "keepAliveSeconds": hop.idle_seconds,
        "secret": secrets.SECRET,
        "restart": secrets.versions(settings, callers),
        # The chart puts the password in from the Secret.
        "databaseUrl": prisma_url(DATABASE, host=database_host, roots_folder=ROOTS_FOLDER).replace(
            "%s", "$(DATABASE_PASSWORD)"
        ),
        "databaseRoots": {"configMap": ROOTS, "folder": ROOTS_FOLDER, "file": ROOTS_NAME},
        "platformKeys": [caller.key_name for caller in callers],
        **(person_values(own) if (own := settings.gateway.person_limits) else {}),
        "opik": tracing(components),
        "config": config(settings),
        **cloud.values(settings.models, settings.cloud_models, callers, client_id=client_id, tenant_id=tenant_id),
    }


def person_values(limits: PersonLimits) -> dict[str, Any]:
    """What everybody may spend, and whom they ask for more, as the chart has it."""
    return {
        "personLimits": person_limits(limits),
        **({"personContact": limits.contact} if limits.contact else {}),
    }


def person_limits(limits: PersonLimits) -> dict[str, Any]:
    """What everybody may spend, as LiteLLM's `/budget/new` takes it."""
    return {
        "budget_id": PERSON_BUDGET,
        "max_budget": limits.budget_usd,
        "budget_duration": f"{limits.days}d",
        "rpm_limit": limits.requests_per_minute,
        "tpm_limit": limits.tokens_per_minute,
    }


def limits(components: EnabledComponents, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the Redis that counts for all replicas together."""
    return {
        "image": str(images["valkey/server"]),
        "secret": secrets.SECRET,
        "restart": secrets.versions(components.settings, components.gateway_callers()),
    }


def tracing(components: EnabledComponents) -> dict[str, str]:
    """Where traces go, in which project, and with whose texts; nowhere when nothing takes them."""
    receiver, gateway = components.trace_receiver(), components.settings.gateway
    if receiver is None:
        return {}
    return {
        "url": receiver.url,
        "project": components.settings.name,
        "chats": str(gateway.trace_chats).lower(),
        "prompts": str(gateway.trace_prompts).lower(),
        "chatKeys": ",".join(caller.key_name for caller in components.gateway_callers() if caller.private),
    }


def timeout_seconds(serving: ServingSettings) -> int:
    """How long the gateway waits for an engine: longer than everything behind it."""
    return timeouts.path_seconds(serving) + timeouts.LLM_GATEWAY_MARGIN_SECONDS


def config(settings: Settings) -> dict[str, Any]:
    """LiteLLM's configuration file."""
    timeout = timeout_seconds(settings.serving)
    limited = settings.gateway.person_limits is not None
    return {
        "model_list": model_list(settings),
        "litellm_settings": {
            # Not LiteLLM's own for Opik, which forgets what Opik does not take (helm/litellm/tracing.py).
            "callbacks": [
                "prometheus",
                "tracing.platform",
                *(["refusals.platform"] if limited else []),
                *([cloud.CALLBACK] if settings.cloud_models else []),
            ],
            "request_timeout": timeout,
            "json_logs": True,
            # Clients send parameters that one engine knows and the other does not.
            "drop_params": True,
            **({"max_end_user_budget_id": PERSON_BUDGET} if limited else {}),
            **_keepalive(settings.gateway.keepalive_seconds),
            # Of each call by itself, tracing.py decides.
            "turn_off_message_logging": not (settings.gateway.trace_prompts or settings.gateway.trace_chats),
        },
        "router_settings": {
            # Whoever was refused after the longest wait would wait as long again, and a model that refused once is
            # the only one of its name.
            "num_retries": 0,
            "disable_cooldowns": True,
            "timeout": timeout,
            **cloud.router_settings(settings.models, settings.cloud_models),
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "database_connection_pool_limit": settings.gateway.database_pool_size,
            "coordination_redis": {
                "host": LIMITS,
                "port": LIMITS_PORT,
                "password": "os.environ/REDIS_PASSWORD",
            },
            "proxy_batch_write_at": 60,
            # Models are listed in the environment file; nobody adds one beside it.
            "store_model_in_db": False,
            # They would call every model, and so start every GPU.
            "background_health_checks": False,
            "maximum_spend_logs_retention_period": f"{settings.gateway.spend_log_days}d",
            **_people(settings.gateway),
            **cloud.general_settings(settings.cloud_models),
        },
    }


def _keepalive(seconds: int) -> dict[str, Any]:
    """Comments in streams that are silent, the time before the first byte included."""
    return {"sse_keepalive_ping_interval_seconds": seconds} if seconds else {}


def _people(gateway: GatewayServiceSettings) -> dict[str, Any]:
    """Who asked, from the header that Open WebUI alone can send: the ingress takes it away from all others."""
    if not gateway.spend_per_person:
        return {}
    return {"user_header_mappings": [{"header_name": "X-OpenWebUI-User-Id", "litellm_user_role": "customer"}]}
