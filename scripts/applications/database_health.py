"""Whether what uses PostgreSQL reaches it: asked from inside the cluster, past the login."""

from dataclasses import dataclass

from scripts.applications.ingress import Check, print_checks, wait_until_sound
from scripts.cluster.kubectl import Kubectl
from scripts.core import http as web
from scripts.core.errors import OperatorError
from scripts.core.http import NoAnswerError
from scripts.core.targets import load_environment


@dataclass(frozen=True)
class User:
    """An application on PostgreSQL, and the page on which it asks its database something."""

    namespace: str
    service: str
    port: int
    path: str
    says: str
    """Text in its answer; one of them answers 200 without a database too."""


CHAT = User("chat", "open-webui", 80, "/health/db", '"status":true')
GATEWAY = User("gateway", "litellm", 4000, "/health/readiness", '"db":"connected"')


def require_databases(environment: str, patience_s: float) -> None:
    """Return when chat and gateway reach their databases. Raises OperatorError when they do not within `patience_s`."""
    from scripts.core.console import err  # noqa: PLC0415
    from scripts.terraform.outputs import kubectl_of  # noqa: PLC0415

    settings = load_environment(environment)
    users = {CHAT: settings.chat.enabled, GATEWAY: settings.gateway.enabled}
    asked = [user for user, enabled in users.items() if enabled]
    if not asked:
        return
    kubectl = kubectl_of(environment)
    checks = wait_until_sound(
        lambda: [check(kubectl, user) for user in asked],
        lambda text: err.print(text, markup=False),
        patience_s=patience_s,
    )
    print_checks(checks)
    if any(found.problem for found in checks):
        raise OperatorError(
            "the server is restored, but not everything reaches it",
            f"look at the pods: `kubectl get pods -A`; `llmctl deploy {environment}` deploys again what is missing",
        )


def check(kubectl: Kubectl, user: User) -> Check:
    """Return whether one application reaches its database."""
    name = f"{user.service}: database"
    try:
        with kubectl.forwarded(user.namespace, user.service, user.port) as base:
            answer = web.get(f"{base}{user.path}")
    except OperatorError as error:
        return Check(name, error.message)
    except NoAnswerError as error:
        return Check(name, str(error))
    if answer.status != 200:
        return Check(name, f"{user.path} answers {answer.status}")
    said = "".join(answer.body.decode(errors="replace").split())
    return Check(name, "" if user.says in said else f"{user.path} does not say {user.says}")
