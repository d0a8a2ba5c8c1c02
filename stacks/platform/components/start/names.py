"""Names in the namespace of the start page on which several modules have to agree."""

from stacks.common.hosts import Host
from stacks.platform.common.accounts import WorkloadAccount
from stacks.platform.common.traffic import Peer

from .routes import ROUTES

LOGIN_ACCOUNT = WorkloadAccount("start", "start-login")
"""The account of the proxy that logs people in before the page."""
NAMESPACE = LOGIN_ACCOUNT.namespace
LOGIN = LOGIN_ACCOUNT.name
"""Release, Deployment and Service of that proxy."""
LOGIN_PORT = 4180
LOGIN_METRICS_PORT = 44180
LOGIN_PODS = {"app.kubernetes.io/instance": LOGIN}
LOGIN_SECRET = "start-login"  # noqa: S105 (a name, not a secret)

PAGE = "start-page"
"""Chart, release, Deployment and Service of the page's web server."""
PAGE_PORT = 8080
PAGE_PODS = {"app.kubernetes.io/name": PAGE}
READER = Peer(namespace=NAMESPACE, pods=PAGE_PODS)
"""Pods that ask for the health of what runs here."""
SITE = "start-site"
"""ConfigMap with the page's files."""

HOST = Host(
    label="start",
    title="start page",
    namespace=NAMESPACE,
    ingress="start",
    routes=ROUTES,
    guarded_path="/health/chat",
    callback_path="/oauth2/callback",
)
"""The callback's path is oauth2-proxy's."""
