"""Chart values of Open WebUI and of its Redis that only the stack knows.

Keys: https://github.com/open-webui/helm-charts/tree/main/charts/open-webui (16.0.0).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from stacks.platform.common import timeouts
from stacks.platform.common.catalogue import HELM, Image, fixed_values
from stacks.platform.common.databases import ROOTS_NAME, roots
from stacks.platform.common.ingress_annotations import Exposure, own_hsts
from stacks.platform.common.ingress_mode import ingress_range
from stacks.platform.common.restricted import RESTRICTED_CONTAINER
from stacks.platform.components.llm_gateway.address import PORT as GATEWAY_PORT
from stacks.platform.components.llm_gateway.address import enabled as has_gateway
from stacks.platform.components.serving.engines import PROXY_PORT
from stacks.settings import Settings
from stacks.settings.chat import ChatSettings
from stacks.settings.llm_gateway import GatewayServiceSettings
from stacks.settings.serving import ServingSettings

from . import login, scaling, secrets
from .backends import connection_values, embedding_variables
from .models import task_variables, tool_variables, tools_by_model, waiting_variables
from .names import ACCOUNT, PORT, RELEASE, SCRIPT_FOLDER, SCRIPTS, UPLOADS_CLAIM, UPLOADS_FOLDER

START_SECONDS = 1800
"""Image of several gigabytes, migrations, start."""
MIGRATE = "migrate"
FUNCTION_FILES = ("write_functions.py", "waiting_status.py")
SCRIPT_FILES = ("migrate.py", "model_tools.py", *FUNCTION_FILES, "drain.py", login.SCRIPT)
COMMAND = ("python3", "-m", "uvicorn", "open_webui.main:app", "--host=0.0.0.0", f"--port={PORT}")
"""What the image's start.sh ends in, without its trust in everybody's `X-Forwarded-For`; the rest are variables."""
RESTART_ANNOTATION = "platform/configuration"
"""Annotation of pods that changes with their scripts and secrets, so that they restart."""
REDIS_KEY_PREFIX = "open-webui"
WAITING = "WAITING_STATUS_SECONDS"
"""Variable with the time after which a chat says that its model has not begun to answer."""
CPU_LIMIT_FACTOR = 4
MEMORY_LIMIT_FACTOR = 2
LONGEST_TOTAL_SECONDS = ""
"""No bound on a whole answer: that would also cut long ones that are being written. Whoever is silent too long is
given up by the serving proxy before the engines."""


def exposure(chat: ChatSettings, serving: ServingSettings) -> Exposure:
    """What the chat needs of the ingress."""
    return Exposure(
        service=RELEASE,
        health_path="/health",
        # A form around the file.
        body_mib=chat.upload_mib + 1,
        timeout_seconds=timeouts.ingress_seconds(serving),
        sticky=True,
    )


def install_seconds(serving: ServingSettings) -> int:
    """How long an update may take: old pods end with their last answer, then new ones start."""
    return timeouts.chat(serving).grace_seconds + START_SECONDS


def insertions(gateway: GatewayServiceSettings, serving: ServingSettings) -> dict[str, str]:
    """What the chart has no value for: the pod goes on with its answers before it ends, and is not killed for it."""
    hop = timeouts.chat(serving)
    port = GATEWAY_PORT if has_gateway(gateway) else PROXY_PORT
    words = f"python3, {SCRIPT_FOLDER}/drain.py, '{hop.pre_stop_seconds}', '{hop.drain_seconds}', '{port}'"
    return {
        "      enableServiceLinks: false": f"      terminationGracePeriodSeconds: {hop.grace_seconds}",
        f"      - name: {RELEASE}": f"        lifecycle: {{preStop: {{exec: {{command: [{words}]}}}}}}",
    }


def scripts() -> dict[str, str]:
    """Files of the ConfigMap that the pods mount."""
    files = {name: (HELM / RELEASE / name).read_text("utf-8") for name in SCRIPT_FILES}
    return {**files, ROOTS_NAME: roots()}


def open_webui(
    settings: Settings, images: Mapping[str, Image], *, client_id: str, group_id: str, tenant_id: str
) -> dict[str, Any]:
    """Values of Open WebUI, which logs in members of `group_id` at the application `client_id`."""
    image = images[f"{RELEASE}/server"]
    chat = settings.chat
    given = variables(settings, client_id=client_id)
    return {
        "image": image.values(),
        "command": list(COMMAND),
        "replicaCount": chat.replicas,
        "podAnnotations": {RESTART_ANNOTATION: _restart(settings)},
        "serviceAccount": {"enable": True, "create": True, "name": ACCOUNT.name},
        "resources": {
            "requests": {"cpu": f"{chat.cpu:g}", "memory": _mebibytes(chat.memory_gib)},
            "limits": {
                "cpu": f"{chat.cpu * CPU_LIMIT_FACTOR:g}",
                "memory": _mebibytes(chat.memory_gib * MEMORY_LIMIT_FACTOR),
            },
        },
        "websocket": {"existingSecret": secrets.VARIABLES, "existingSecretKey": secrets.REDIS_URL_KEY},
        **connection_values(settings, secret=secrets.VARIABLES, key=secrets.OPENAI_KEYS),
        "extraEnvVars": given | _secret_variables(settings),
        "extraInitContainers": [
            # First: it has to answer before Open WebUI asks.
            login.sidecar(settings, image=str(image), group_id=group_id, tenant_id=tenant_id),
            _migration(settings, str(image), given),
        ],
        "volumes": [
            {"name": "uploads", "persistentVolumeClaim": {"claimName": UPLOADS_CLAIM}},
            {"name": "scripts", "configMap": {"name": SCRIPTS}},
            login.token_volume(),
        ],
        "volumeMounts": {
            "container": [
                {"name": "uploads", "mountPath": UPLOADS_FOLDER},
                {"name": "scripts", "mountPath": SCRIPT_FOLDER, "readOnly": True},
            ]
        },
        "extraResources": scaling.resources(settings.chat),
    }


PERSONAL_KEYS = {
    "ENABLE_API_KEYS": "True",
    "USER_PERMISSIONS_FEATURES_API_KEYS": "True",
    # A key that leaks reads no chats and no documents, and changes nothing.
    "ENABLE_API_KEYS_ENDPOINT_RESTRICTIONS": "True",
    "API_KEYS_ALLOWED_ENDPOINTS": "/api/models,/api/chat/completions",
}
"""Variables by which people make keys for programs (open_webui/utils/auth.py, 0.12: paths, and what is below them)."""


def variables(settings: Settings, *, client_id: str) -> dict[str, str]:
    """Variables whose values the environment decides; those of the file come last, and name none of these."""
    chat = settings.chat
    hsts = own_hsts(settings.ingress)
    return {
        **login.variables(settings.domain, settings.chat, client_id=client_id),
        **embedding_variables(settings),
        **tool_variables(settings),
        **task_variables(settings),
        "DATABASE_POOL_SIZE": str(chat.database_pool_size),
        "DATABASE_POOL_MAX_OVERFLOW": str(chat.database_pool_overflow),
        "PGVECTOR_POOL_SIZE": str(chat.database_pool_size),
        "PGVECTOR_POOL_MAX_OVERFLOW": str(chat.database_pool_overflow),
        "REDIS_KEY_PREFIX": REDIS_KEY_PREFIX,
        "RAG_FILE_MAX_SIZE": str(chat.upload_mib),
        # Read by the platform's own function (helm/open-webui/waiting_status.py).
        WAITING: str(chat.waiting_status_seconds),
        "HOLD_MINUTES": str(settings.serving.hold_minutes),
        **waiting_variables(settings),
        "AIOHTTP_CLIENT_TIMEOUT": LONGEST_TOTAL_SECONDS,
        # Whose word about a caller's address and scheme counts; uvicorn then takes the last address that is not one of
        # these, and of everybody's word (the image's own start) the first, which a caller can make up.
        "FORWARDED_ALLOW_IPS": ingress_range(settings.ingress, settings.network),
        # uvicorn reads its options from variables of this form; its own is 5 s.
        "UVICORN_TIMEOUT_KEEP_ALIVE": str(timeouts.chat(settings.serving).idle_seconds),
        # The gateway groups the traces of a chat by its id, which is among these headers.
        "ENABLE_FORWARD_USER_INFO_HEADERS": str(has_gateway(settings.gateway)),
        # Whoever is in the access group may use every model; otherwise an administrator shares each one.
        "BYPASS_MODEL_ACCESS_CONTROL": str(chat.model_access == "everyone"),
        **({"HSTS": hsts} if hsts else {}),
        **(PERSONAL_KEYS if chat.personal_keys else {}),
        **{name: _as_written(value) for name, value in chat.environment.items()},
    }


def _as_written(value: str) -> str:
    """Return `value` so that Kubernetes, which puts other variables in the place of `$(NAME)`, yields it unchanged."""
    return value.replace("$(", "$$(")


def redis(settings: Settings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the chat's Redis."""
    return {
        "image": str(images["valkey/server"]),
        "secret": secrets.REDIS_SECRET,
        "restart": secrets.mark(settings, secrets.REDIS_SECRET),
    }


def _secret_variables(settings: Settings) -> dict[str, Any]:
    """Return the variables that come from the Secret; the chart itself adds those of Redis and of the models."""
    by_chart = {secrets.REDIS_URL_KEY, secrets.OPENAI_KEYS}
    return {key: _from_secret(key) for key in secrets.variables(settings) if key not in by_chart}


def _from_secret(key: str) -> dict[str, Any]:
    return {"valueFrom": {"secretKeyRef": {"name": secrets.VARIABLES, "key": key}}}


def _migration(settings: Settings, image: str, given: dict[str, str]) -> dict[str, Any]:
    own = fixed_values(RELEASE)["extraEnvVars"] | given
    plain = {
        **{name: own[name] for name in sorted(own) if name == "VECTOR_DB" or name.startswith("PGVECTOR_")},
        **tool_variables(settings),
        WAITING: given[WAITING],
        "MODEL_TOOLS": json.dumps(tools_by_model(settings)),
        "REDIS_KEY_PREFIX": REDIS_KEY_PREFIX,
        "OFFLINE_MODE": "True",
        "HOME": "/tmp",  # noqa: S108 - of the container
        "DATA_DIR": "/tmp/data",  # noqa: S108
        "STATIC_DIR": "/tmp/static",  # noqa: S108
    }
    return {
        "name": MIGRATE,
        "image": image,
        "command": ["python3", f"{SCRIPT_FOLDER}/migrate.py"],
        "env": [
            *({"name": name, "value": value} for name, value in plain.items()),
            *(
                {"name": key, **_from_secret(key)}
                for key in ("DATABASE_URL", "WEBUI_SECRET_KEY", secrets.REDIS_URL_KEY)
            ),
        ],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "2", "memory": "2Gi"}},
        "securityContext": dict(RESTRICTED_CONTAINER),
        "volumeMounts": [{"name": "scripts", "mountPath": SCRIPT_FOLDER, "readOnly": True}],
    }


def _restart(settings: Settings) -> str:
    parts = [secrets.mark(settings, secrets.VARIABLES), *scripts().values()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _mebibytes(gib: float) -> str:
    return f"{round(gib * 1024)}Mi"
