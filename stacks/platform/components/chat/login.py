"""How people log in to the chat: as members of the Entra application, without a client secret.

Open WebUI is the OpenID Connect client; a sidecar proves its identity to Entra (helm/open-webui/entra_login.py).
Variables: https://docs.openwebui.com/reference/env-configuration, checked against the source of 0.12.
"""

from typing import Any

from stacks.platform.common.accounts import TOKEN_AUDIENCE
from stacks.platform.common.restricted import RESTRICTED_CONTAINER
from stacks.settings import Settings
from stacks.settings.chat import ChatSettings

from .names import HOST, SCRIPT_FOLDER

SIDECAR = "entra-login"
SIDECAR_PORT = 8089
SCRIPT = "entra_login.py"
TOKEN_VOLUME = "entra-token"  # noqa: S105 (a name, not a secret)
TOKEN_FOLDER = "/var/run/secrets/entra"  # noqa: S105
TOKEN_FILE = "token"  # noqa: S105
GRAPH = "https://graph.microsoft.com/v1.0"
ROLES_CLAIM, NAME_CLAIM, GROUPS_CLAIM = "platform_roles", "platform_name", "platform_groups"
"""Claims that the sidecar's userinfo endpoint adds (helm/open-webui/entra_login.py)."""


def administrator(domain: str) -> str:
    """Name of the local administrator, who exists so that nobody becomes one by logging in first.

    An address that no account in Entra has, since accounts of one address are never merged.
    """
    return f"administrator@{HOST.name(domain)}"


def variables(domain: str, chat: ChatSettings, *, client_id: str) -> dict[str, str]:
    """Variables of the login at the application `client_id`."""
    url = HOST.url(domain)
    local = str(chat.password_login)
    return {
        "WEBUI_URL": url,
        # Web sockets from pages of any other origin are refused.
        "CORS_ALLOW_ORIGIN": url,
        "WEBUI_ADMIN_EMAIL": administrator(domain),
        "WEBUI_ADMIN_NAME": "Administrator",
        "ENABLE_SIGNUP": "False",
        "ENABLE_LOGIN_FORM": local,
        "ENABLE_PASSWORD_AUTH": local,
        "OAUTH_AUTO_REDIRECT": str(not chat.password_login),
        "ENABLE_OAUTH_SIGNUP": "True",
        "OAUTH_MERGE_ACCOUNTS_BY_EMAIL": "False",
        "OAUTH_PROVIDER_NAME": "Microsoft",
        "OAUTH_CLIENT_ID": client_id,
        # No secret: the sidecar adds the proof. PKCE ties the code to the browser that asked for it.
        "OAUTH_TOKEN_ENDPOINT_AUTH_METHOD": "none",
        "OAUTH_CODE_CHALLENGE_METHOD": "S256",
        "OPENID_PROVIDER_URL": f"http://127.0.0.1:{SIDECAR_PORT}/.well-known/openid-configuration",
        "OPENID_REDIRECT_URI": HOST.redirect_uri(domain),
        # The last one lets the sidecar ask Microsoft Graph for the groups of whoever has too many for a token.
        "OAUTH_SCOPES": "openid profile email offline_access User.Read",
        "OAUTH_REFRESH_TOKEN_INCLUDE_SCOPE": "True",
        # The object id stays the same when the application is made again, `sub` would not; accounts without a mailbox
        # have no `email`.
        "OAUTH_SUB_CLAIM": "oid",
        "OAUTH_EMAIL_CLAIM": "preferred_username",
        # In no token: Open WebUI asks the sidecar's userinfo endpoint for it, and gets the role there.
        "OAUTH_USERNAME_CLAIM": NAME_CLAIM,
        "OAUTH_PICTURE_CLAIM": "",
        "OAUTH_UPDATE_NAME_ON_LOGIN": "True",
        "OAUTH_UPDATE_EMAIL_ON_LOGIN": "True",
        # Too large for some proxies beside the session's own, and used for nothing.
        "ENABLE_OAUTH_ID_TOKEN_COOKIE": "False",
        "JWT_EXPIRES_IN": f"{chat.session_hours}h",
        # The sidecar decides who is a user and who an administrator, and lets nobody else in.
        "ENABLE_OAUTH_ROLE_MANAGEMENT": "True",
        "OAUTH_ROLES_CLAIM": ROLES_CLAIM,
        "OAUTH_ALLOWED_ROLES": "user",
        "OAUTH_ADMIN_ROLES": "admin",
        "DEFAULT_USER_ROLE": "pending",
        "ENABLE_OAUTH_GROUP_MANAGEMENT": str(chat.sync_groups),
        "ENABLE_OAUTH_GROUP_CREATION": str(chat.sync_groups),
        # From the sidecar's userinfo endpoint: a token names no groups of whoever has too many.
        "OAUTH_GROUPS_CLAIM": GROUPS_CLAIM,
    }


def sidecar(settings: Settings, *, image: str, group_id: str, tenant_id: str) -> dict[str, Any]:
    """The container that proves the pod's identity and lets members in: it starts before Open WebUI and runs as long.

    Members are those with a role of the application, where Entra gives tokens to nobody else; otherwise those of the
    group `group_id` and the operators.
    """
    by_role = settings.identity.assignment_required
    variables = {
        "ENTRA_AUTHORITY": f"https://login.microsoftonline.com/{tenant_id}",
        "GRAPH_URL": GRAPH,
        "ACCESS_GROUP": "" if by_role else group_id,
        "ADMINISTRATORS": "" if by_role else ",".join(settings.operators.object_ids),
        "SYNC_GROUPS": "true" if settings.chat.sync_groups else "",
        "TOKEN_FILE": f"{TOKEN_FOLDER}/{TOKEN_FILE}",
        "PORT": str(SIDECAR_PORT),
    }
    return {
        "name": SIDECAR,
        "image": image,
        "command": ["python3", "-I", f"{SCRIPT_FOLDER}/{SCRIPT}"],
        "restartPolicy": "Always",
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "startupProbe": {
            "exec": {"command": ["python3", "-I", "-c", _PROBE]},
            "periodSeconds": 2,
            "timeoutSeconds": 5,
            "failureThreshold": 30,
        },
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "200m", "memory": "96Mi"}},
        "securityContext": {**RESTRICTED_CONTAINER, "readOnlyRootFilesystem": True},
        "volumeMounts": [
            {"name": "scripts", "mountPath": SCRIPT_FOLDER, "readOnly": True},
            {"name": TOKEN_VOLUME, "mountPath": TOKEN_FOLDER, "readOnly": True},
        ],
    }


_PROBE = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{SIDECAR_PORT}/healthz', timeout=4)"


def token_volume() -> dict[str, Any]:
    """Token of the pod's service account for Entra, in the sidecar alone: no label, no webhook, no variables."""
    token = {"audience": TOKEN_AUDIENCE, "expirationSeconds": 3600, "path": TOKEN_FILE}
    return {"name": TOKEN_VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}
