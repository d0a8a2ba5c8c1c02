"""Where the LLM gateway answers: names on which everything around it has to agree."""

from stacks.common.hosts import Host
from stacks.settings.llm_gateway import GatewayServiceSettings

from .routes import ROUTES

NAMESPACE = "gateway"
SERVICE = "litellm"
PORT = 4000
METRICS_PORT = 4001
"""Without a key, so that only a network policy stands before it."""
LIMITS = "gateway-redis"
"""Release and Service of the Redis that counts requests for all replicas together."""
LIMITS_PORT = 6379

BASE_URL = f"http://{SERVICE}.{NAMESPACE}.svc.cluster.local:{PORT}/v1"
"""The OpenAI-compatible API for callers in the cluster."""

DATABASE = "litellm"
"""Name of the gateway's database, and of the role that owns it."""

HOST = Host(
    label="api",
    title="API",
    namespace=NAMESPACE,
    ingress="gateway",
    routes=ROUTES,
    guarded_path="/v1/models",
    path="/v1 (OpenAI-compatible)",
)

PODS = {"app.kubernetes.io/name": "litellm"}
"""Pods that answer."""


def enabled(gateway: GatewayServiceSettings) -> bool:
    """Whether there is an LLM gateway; without it, callers talk to the engines directly."""
    return gateway.enabled
