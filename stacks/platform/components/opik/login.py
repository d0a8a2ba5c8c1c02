"""The login in front of Opik, which has none of its own."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from stacks.platform.common import entra_login
from stacks.platform.common.accounts import identity_annotations
from stacks.platform.common.catalogue import Image
from stacks.platform.common.ingress_annotations import Exposure
from stacks.settings import Settings
from stacks.settings.azure import OperatorSettings, SecretSettings
from stacks.settings.opik import OpikSettings

from . import secrets
from .names import FRONTEND_PORT, HOST, LOGIN_ACCOUNT

RELEASE = LOGIN_ACCOUNT.name
SESSIONS = "login-sessions"
RESTART_ANNOTATION = "platform/secret-versions"

EXPOSURE = Exposure(service=RELEASE, health_path="/ping")
"""What the ingress has to let through: 500 MB, as Opik's own web server does, and answers that pause."""
SERVICE_PORT = 80

FRONTEND = f"http://opik-frontend:{FRONTEND_PORT}/"
GUARDRAILS = "http://opik-guardrails:5000/guardrails/"


def oauth2_proxy(
    settings: Settings, images: Mapping[str, Image], *, client_id: str, group_id: str, tenant_id: str
) -> dict[str, Any]:
    """Values of the proxy, which logs in members of `group_id` and operators as the application `client_id`."""
    return {
        "image": images[f"{RELEASE}/proxy"].parts(),
        "replicaCount": settings.opik.login_replicas,
        "serviceAccount": {"annotations": identity_annotations(client_id, tenant_id)},
        "podAnnotations": {RESTART_ANNOTATION: secrets.versions(settings.secrets.versions, secrets.LOGIN)},
        "config": {"existingSecret": secrets.LOGIN},
        "sessionStorage": {"redis": {"existingSecret": secrets.LOGIN}},
        # A list here replaces one in the values file, so all options stand in one place.
        "extraArgs": options(settings),
        "alphaConfig": {
            "configData": configuration(
                settings.operators, settings.opik, client_id=client_id, group_id=group_id, tenant_id=tenant_id
            )
        },
    }


def options(settings: Settings) -> list[str]:
    """Command line of the proxy: whom it asks to log in where, sessions, and whose headers count."""
    return entra_login.options(
        settings,
        HOST,
        cookie="opik",
        requests=(
            # Programs: a token of the same application instead of a session, and no login page when it is missing or
            # wrong.
            ("skip-jwt-bearer-tokens", True),
            ("bearer-token-login-fallback", False),
            *(("api-route", path) for path in ("^/api/", "^/guardrails/")),
        ),
        # All but the cookie is in the store.
        sessions=(("cookie-expire", "24h0m0s"), ("cookie-refresh", "1h0m0s")),
    )


def configuration(
    operators: OperatorSettings, opik: OpikSettings, *, client_id: str, group_id: str, tenant_id: str
) -> dict[str, Any]:
    """What the proxy reads from its file: who gets in, and what is passed on to whom."""
    upstreams = (FRONTEND, GUARDRAILS) if opik.guardrails_pool else (FRONTEND,)
    return entra_login.configuration(
        operators,
        [_upstream(address) for address in upstreams],
        # The last two renew sessions and look up groups when a token has no room for them.
        scope="openid profile email offline_access User.Read",
        client_id=client_id,
        group_id=group_id,
        tenant_id=tenant_id,
    )


def _upstream(address: str) -> dict[str, Any]:
    path = urlsplit(address).path
    return {
        "id": path,
        "path": path,
        "uri": address,
        "passHostHeader": True,
        "proxyWebSockets": True,
        "flushInterval": "1s",
        "timeout": f"{EXPOSURE.timeout_seconds}s",
    }


def sessions(secret_settings: SecretSettings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the Redis that keeps the sessions, apart from Opik's Redis: evaluation code can reach that one."""
    return {
        "image": str(images["valkey/server"]),
        "secret": secrets.LOGIN,
        "restart": secrets.versions(secret_settings.versions, secrets.LOGIN),
    }
