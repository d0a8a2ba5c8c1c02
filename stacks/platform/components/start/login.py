"""The login in front of the start page: members of the access group, with a session in the cookie alone."""

import re
from collections.abc import Mapping
from typing import Any

from stacks.platform.common import entra_login
from stacks.platform.common.accounts import identity_annotations
from stacks.platform.common.catalogue import Image
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.ingress_annotations import Exposure
from stacks.platform.common.secret_marks import VERSIONS_KEY, secret_mark
from stacks.settings import Settings
from stacks.settings.azure import OperatorSettings
from stacks.settings.cluster import ClusterSettings
from stacks.settings.secrets.names import GeneratedSecret

from .names import HOST, LOGIN, LOGIN_PODS, LOGIN_SECRET, NAMESPACE, PAGE, PAGE_PORT
from .routes import CA_FILE, HEALTH, INSTALLERS

EXPOSURE = Exposure(service=LOGIN, health_path="/ping", body_mib=1, timeout_seconds=60)
SERVICE_PORT = 80
UPSTREAM = f"http://{PAGE}:{PAGE_PORT}/"
RESTART_ANNOTATION = "platform/secret-versions"


def external_secret(versions: Mapping[str, int]) -> ExternalSecret:
    """The Secret with which sessions are encrypted; `versions` are those that are not 1, by name in the vault."""
    keys = {"cookie-secret": GeneratedSecret.START_COOKIE_SECRET}
    mark = secret_mark(versions, keys.values())
    return ExternalSecret(namespace=NAMESPACE, name=LOGIN_SECRET, keys=keys, templates={VERSIONS_KEY: mark})


def oauth2_proxy(
    settings: Settings, images: Mapping[str, Image], *, client_id: str, group_id: str, tenant_id: str
) -> dict[str, Any]:
    """Values of the proxy, which logs in members of `group_id` and operators as the application `client_id`."""
    return {
        "fullnameOverride": LOGIN,
        "image": images["oauth2-proxy/proxy"].parts(),
        "replicaCount": replicas(settings.cluster),
        "serviceAccount": {"name": LOGIN, "annotations": identity_annotations(client_id, tenant_id)},
        "podAnnotations": {
            RESTART_ANNOTATION: external_secret(settings.secrets.versions).templates[VERSIONS_KEY],
        },
        "config": {"existingSecret": LOGIN_SECRET},
        # Nothing of Entra's tokens is kept, so that a session fits into a cookie.
        "sessionStorage": {"type": "cookie"},
        "extraArgs": options(settings),
        "alphaConfig": {
            "configData": configuration(settings.operators, client_id=client_id, group_id=group_id, tenant_id=tenant_id)
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": LOGIN_PODS},
            }
        ],
    }


def replicas(cluster: ClusterSettings) -> int:
    """Pods of the login and of the page: two where the cluster itself has an uptime guarantee."""
    return 1 if cluster.tier == "Free" else 2


def options(settings: Settings) -> list[str]:
    """Command line of the proxy."""
    open_paths = "|".join(re.escape(path) for path in (CA_FILE, *INSTALLERS))
    return entra_login.options(
        settings,
        HOST,
        cookie="start",
        requests=(
            # What a client needs before it trusts the page that it would log in at.
            ("skip-auth-route", f"GET=^({open_paths})$"),
            # The page's script gets a status instead of a login page.
            ("api-route", f"^{HEALTH}"),
        ),
        sessions=(("session-cookie-minimal", True), ("cookie-expire", "12h0m0s"), ("cookie-refresh", "0s")),
    )


def configuration(operators: OperatorSettings, *, client_id: str, group_id: str, tenant_id: str) -> dict[str, Any]:
    """What the proxy reads from its file: who gets in, and what is passed on to whom."""
    upstream = {"id": "page", "path": "/", "uri": UPSTREAM, "passHostHeader": True, "timeout": "30s"}
    return entra_login.configuration(
        operators,
        [upstream],
        # The last one looks up groups when a token has no room for them.
        scope="openid profile email User.Read",
        client_id=client_id,
        group_id=group_id,
        tenant_id=tenant_id,
    )
