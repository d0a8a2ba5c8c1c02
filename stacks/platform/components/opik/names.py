"""Names in Opik's namespace on which several modules have to agree."""

from stacks.common.hosts import Host
from stacks.platform.common.accounts import WorkloadAccount

from .routes import ROUTES

LOGIN_ACCOUNT = WorkloadAccount("opik", "oauth2-proxy")
"""The account of the proxy that logs people in before Opik."""
NAMESPACE = LOGIN_ACCOUNT.namespace
RELEASE = "opik"
OPERATOR = "altinity-clickhouse-operator"
"""Release of the ClickHouse operator, which reads its own account from a Secret of exactly that name."""
GUARDRAILS = "opik-guardrails"
ACCOUNT = "opik"
"""Service account of every pod of Opik that needs no access to Kubernetes."""
BACKEND_ACCOUNT = "opik-backend"
"""Service account of the backend, which may read the state of the stores (`settling.RIGHTS`)."""

HOST = Host(
    label="opik",
    title="traces",
    namespace=NAMESPACE,
    ingress="opik",
    routes=ROUTES,
    guarded_path="/api/is-alive/ping",
    callback_path="/oauth2/callback",
)
"""The callback's path is oauth2-proxy's."""

BACKEND = {"component": "opik-backend"}
FRONTEND = {"component": "opik-frontend"}
FRONTEND_PORT = 5173
FRONTEND_URL = f"http://opik-frontend.{NAMESPACE}.svc.cluster.local:{FRONTEND_PORT}/api"
"""Opik's API without a login, for the LLM gateway's traces."""

GATEWAY_KEY = "opik-key"
"""Name of Opik's key in the LLM gateway."""
