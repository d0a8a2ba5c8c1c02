"""Names in the namespace of the chat on which several modules have to agree."""

from stacks.common.hosts import Host
from stacks.platform.common.accounts import WorkloadAccount

from .routes import ROUTES

ACCOUNT = WorkloadAccount("chat", "open-webui")
"""The account of the chat, which logs people in itself."""
NAMESPACE = ACCOUNT.namespace
RELEASE = ACCOUNT.name
"""Release, Deployment, Service and service account: the chart uses its own name as it is."""
SERVICE_PORT = 80
PORT = 8080
PODS = {"app.kubernetes.io/component": RELEASE}

REDIS = "chat-redis"
REDIS_PORT = 6379
REDIS_PODS = {"app.kubernetes.io/instance": REDIS}

HOST = Host(
    label="chat",
    title="chat",
    namespace=NAMESPACE,
    ingress="chat",
    routes=ROUTES,
    guarded_path="/api/models",
    callback_path="/oauth/oidc/callback",
    login_path="/oauth/oidc/login",
)
"""The paths of the login are those of Open WebUI's generic OpenID Connect client."""

DATABASE = "open_webui"
GATEWAY_KEY = "chat-key"
"""Name of the chat's key in the LLM gateway."""

UPLOADS_CLAIM = "chat-uploads"
UPLOADS_FOLDER = "/app/backend/data/uploads"
"""Where Open WebUI keeps uploads: below its data folder, of which nothing else has to be shared."""

SCRIPTS = "open-webui-scripts"
SCRIPT_FOLDER = "/scripts"
