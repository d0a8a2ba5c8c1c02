"""Whether what uses PostgreSQL reaches it: asked from inside the cluster, past the login."""

from collections.abc import Callable
from dataclasses import dataclass

from scripts.cluster.kubectl import Kubectl
from scripts.core import http as web
from scripts.core.checks import Check, failed, print_checks, wait_until_passed
from scripts.core.console import report
from scripts.core.errors import OperatorError
from scripts.core.http import NoAnswerError
from stacks.settings import Settings


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


def require_databases(settings: Settings, connect: Callable[[str], Kubectl], patience_s: float) -> None:
    """Return when chat and LLM gateway reach their databases. Raises OperatorError after `patience_s`."""
    users = {CHAT: settings.chat.enabled, GATEWAY: settings.gateway.enabled}
    asked = [user for user, enabled in users.items() if enabled]
    if not asked:
        return
    kubectl = connect(settings.name)
    checks = wait_until_passed(
        lambda: [check(kubectl, user) for user in asked],
        report,
        patience_s=patience_s,
    )
    print_checks(checks)
    if failed(checks):
        raise OperatorError(
            "the server is restored, but not everything reaches it",
            f"look at the pods: `kubectl get pods -A`; `llmctl deploy {settings.name}` deploys again what is missing",
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
