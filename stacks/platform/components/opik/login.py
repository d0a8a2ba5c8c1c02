"""The login in front of Opik, which has none of its own: oauth2-proxy as reverse proxy, the same in both ingress modes.

Options: https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview (7.15).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from stacks.platform.common.accounts import identity_annotations
from stacks.platform.common.catalogue import Image
from stacks.platform.common.ingress_annotations import Exposure
from stacks.platform.common.ingress_mode import ingress_range
from stacks.settings import Settings
from stacks.settings.network import IngressMode

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
NEVER_PASSED_ON = (
    "Authorization",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
)
"""Tokens and identities, as a program sends them with its call or as anybody could claim them."""


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
            "configData": configuration(settings, client_id=client_id, group_id=group_id, tenant_id=tenant_id)
        },
    }


def options(settings: Settings) -> list[str]:
    """Command line of the proxy: whom it asks to log in where, sessions, and whose headers count."""
    given: list[tuple[str, object]] = [
        ("redirect-url", HOST.redirect_uri(settings.domain)),
        ("skip-provider-button", True),
        # Any address, because the group decides.
        ("email-domain", "*"),
        # Programs: a token of the same application instead of a session, and no login page when it is missing or wrong.
        ("skip-jwt-bearer-tokens", True),
        ("bearer-token-login-fallback", False),
        *(("api-route", path) for path in ("^/api/", "^/guardrails/")),
        # Sessions. The cookie is bound to this host and sent by HTTPS only; the rest is in the store.
        ("cookie-name", "__Host-opik"),
        ("cookie-secure", True),
        ("cookie-httponly", True),
        ("cookie-samesite", "lax"),
        ("cookie-expire", "24h0m0s"),
        ("cookie-refresh", "1h0m0s"),
        # Behind the ingress, whose headers count, and nobody else's.
        ("reverse-proxy", True),
        ("trusted-proxy-ip", ingress_range(settings)),
        *_logged_address(settings),
        ("silence-ping-logging", True),
    ]
    return [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in given]


def configuration(settings: Settings, *, client_id: str, group_id: str, tenant_id: str) -> dict[str, Any]:
    """What the proxy reads from its file: who gets in, and what is passed on to whom.

    Only the file can take a header away. Its keys may change with a version: a test gives it to the real proxy.
    https://oauth2-proxy.github.io/oauth2-proxy/configuration/alpha-config (7.15)
    """
    upstreams = (FRONTEND, GUARDRAILS) if settings.opik.guardrails_pool else (FRONTEND,)
    provider = {
        "id": "entra",
        # Entra, by the pod's own identity; no client secret exists.
        "provider": "entra-id",
        "clientID": client_id,
        "oidcConfig": {
            "issuerURL": f"https://login.microsoftonline.com/{tenant_id}/v2.0",
            "audienceClaims": ["aud"],
            "emailClaim": "email",
            "groupsClaim": "groups",
            "userIDClaim": "email",
        },
        "microsoftEntraIDConfig": {"federatedTokenAuth": True, "allowedTenants": [tenant_id]},
        # The last two renew sessions and look up groups when a token has no room for them.
        "scope": "openid profile email offline_access User.Read",
        "code_challenge_method": "S256",
        "allowedGroups": list(dict.fromkeys((group_id, *settings.operators.object_ids))),
    }
    return {
        "providers": [provider],
        "upstreamConfig": {"upstreams": [_upstream(address) for address in upstreams]},
        # Without values, a header that a request brings is taken away: none behind the login needs anybody's token or
        # may learn who calls.
        "injectRequestHeaders": [{"name": name} for name in NEVER_PASSED_ON],
    }


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


def sessions(settings: Settings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the Redis that keeps the sessions, apart from Opik's Redis: evaluation code can reach that one."""
    return {
        "image": str(images["valkey/server"]),
        "secret": secrets.LOGIN,
        "restart": secrets.versions(settings.secrets.versions, secrets.LOGIN),
    }


_WHO_ASKED = "{{.RequestID}} - {{.Username}} [{{.Timestamp}}]"
_LINE_OF_LOGIN = f"{_WHO_ASKED} [{{{{.Status}}}}] {{{{.Message}}}}"
_LINE_OF_REQUEST = (
    f"{_WHO_ASKED} {{{{.Host}}}} {{{{.RequestMethod}}}} {{{{.Upstream}}}} {{{{.RequestURI}}}} {{{{.Protocol}}}}"
    " {{.UserAgent}} {{.StatusCode}} {{.ResponseSize}} {{.RequestDuration}}"
)
"""The proxy's own lines without the address that they begin with."""


def _logged_address(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Options for the caller's address in the log: what the ingress saw, or none.

    Of `X-Forwarded-For` the proxy takes the first address, which a caller can make up; NGINX writes the other header
    itself. An Application Gateway writes none but the first, so that its own access log alone has the address.
    """
    if settings.ingress.mode is IngressMode.NGINX:
        return (("real-client-ip-header", "X-Real-IP"),)
    return (
        ("real-client-ip-header", "X-Forwarded-For"),
        ("auth-logging-format", _LINE_OF_LOGIN),
        ("request-logging-format", _LINE_OF_REQUEST),
    )
