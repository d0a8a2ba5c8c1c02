"""Names in the namespace of the chat on which several modules have to agree."""

from stacks.platform.common.accounts import OPEN_WEBUI

NAMESPACE = OPEN_WEBUI.namespace
RELEASE = OPEN_WEBUI.name
"""Release, Deployment, Service and service account: the chart uses its own name as it is."""
SERVICE_PORT = 80
PORT = 8080
PODS = {"app.kubernetes.io/component": RELEASE}

REDIS = "chat-redis"
REDIS_PORT = 6379
REDIS_PODS = {"app.kubernetes.io/instance": REDIS}

UPLOADS_CLAIM = "chat-uploads"
UPLOADS_FOLDER = "/app/backend/data/uploads"
"""Where Open WebUI keeps uploads: below its data folder, of which nothing else has to be shared."""

SCRIPTS = "open-webui-scripts"
SCRIPT_FOLDER = "/scripts"
