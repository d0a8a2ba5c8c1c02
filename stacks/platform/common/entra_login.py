"""A login at Entra before an application that has none of its own: oauth2-proxy as reverse proxy in both ingress modes.

Options: https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview (7.15).
"""

from collections.abc import Iterable
from typing import Any

from stacks.common.hosts import Host
from stacks.common.routes import Allowed, Who
from stacks.settings import Settings
from stacks.settings.azure import OperatorSettings
from stacks.settings.network import IngressMode, IngressSettings

from .ingress_mode import ingress_range

NEVER_PASSED_ON = (
    "Authorization",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
)
"""Tokens and identities, as a program sends them with its call or as anybody could claim them."""

LOGIN = Allowed(
    name="login",
    who=Who.ANYONE,
    methods=("GET", "HEAD", "POST"),
    paths=(
        "/oauth2/start",
        "/oauth2/callback",
        "/oauth2/sign_in",
        "/oauth2/sign_out",
        "/oauth2/auth",
        "/oauth2/static/**",
    ),
    why="the login at Entra, by oauth2-proxy",
)
"""What oauth2-proxy itself answers on a host."""

Option = tuple[str, object]


def options(
    settings: Settings, host: Host, *, cookie: str, requests: Iterable[Option], sessions: Iterable[Option]
) -> list[str]:
    """Command line of the proxy: whom it asks to log in where, sessions, and whose headers count.

    `requests` say which of them get no login page, `sessions` how long one lasts.
    """
    given: list[Option] = [
        ("redirect-url", host.redirect_uri(settings.domain)),
        ("skip-provider-button", True),
        # Any address, because the group decides.
        ("email-domain", "*"),
        *requests,
        # The cookie is bound to this host and sent by HTTPS only.
        ("cookie-name", f"__Host-{cookie}"),
        ("cookie-secure", True),
        ("cookie-httponly", True),
        ("cookie-samesite", "lax"),
        *sessions,
        # Behind the ingress, whose headers count, and nobody else's.
        ("reverse-proxy", True),
        ("trusted-proxy-ip", ingress_range(settings.ingress, settings.network)),
        *_logged_address(settings.ingress),
        ("silence-ping-logging", True),
    ]
    return [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in given]


def configuration(
    operators: OperatorSettings,
    upstreams: Iterable[dict[str, Any]],
    *,
    scope: str,
    client_id: str,
    group_id: str,
    tenant_id: str,
) -> dict[str, Any]:
    """What the proxy reads from its file: who gets in, and what is passed on to whom.

    Members of `group_id` and operators log in as the application `client_id`. Only the file can take a header away. Its
    keys may change with a version: tests give it to the real proxy.
    https://oauth2-proxy.github.io/oauth2-proxy/configuration/alpha-config (7.15)
    """
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
        "scope": scope,
        "code_challenge_method": "S256",
        "allowedGroups": list(dict.fromkeys((group_id, *operators.object_ids))),
    }
    return {
        "providers": [provider],
        "upstreamConfig": {"upstreams": list(upstreams)},
        # Without values, a header that a request brings is taken away: none behind the login needs anybody's token or
        # may learn who calls.
        "injectRequestHeaders": [{"name": name} for name in NEVER_PASSED_ON],
    }


_WHO_ASKED = "{{.RequestID}} - {{.Username}} [{{.Timestamp}}]"
_LINE_OF_LOGIN = f"{_WHO_ASKED} [{{{{.Status}}}}] {{{{.Message}}}}"
_LINE_OF_REQUEST = (
    f"{_WHO_ASKED} {{{{.Host}}}} {{{{.RequestMethod}}}} {{{{.Upstream}}}} {{{{.RequestURI}}}} {{{{.Protocol}}}}"
    " {{.UserAgent}} {{.StatusCode}} {{.ResponseSize}} {{.RequestDuration}}"
)
"""The proxy's own lines without the address that they begin with."""


def _logged_address(ingress: IngressSettings) -> tuple[tuple[str, str], ...]:
    """Options for the caller's address in the log: what the ingress saw, or none.

    Of `X-Forwarded-For` the proxy takes the first address, which a caller can make up; NGINX writes the other header
    itself. An Application Gateway writes none but the first, so that its own access log alone has the address.
    """
    if ingress.mode is IngressMode.NGINX:
        return (("real-client-ip-header", "X-Real-IP"),)
    return (
        ("real-client-ip-header", "X-Forwarded-For"),
        ("auth-logging-format", _LINE_OF_LOGIN),
        ("request-logging-format", _LINE_OF_REQUEST),
    )
