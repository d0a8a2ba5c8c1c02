"""How long Opik keeps traces: the rule of its workspace.

Interface: `/v1/private/retention/rules` of Opik's backend (2.1.23). Rules do not change: a new one takes the place of
the old. The backend deletes by itself, a part of the workspaces every half hour, once its job is switched on
(`stacks/platform/components/opik/application.py`). Experiments' traces stay.
"""

import json
from typing import Any

from scripts.cluster.kubectl import Kubectl
from scripts.core import http as web
from scripts.core.checks import Check
from scripts.core.errors import OperatorError
from scripts.opik.cluster import FRONTEND, NAMESPACE
from stacks.settings.opik import OpikSettings

PERIODS = {14: "short_14d", 60: "base_60d", 400: "extended_400d"}
"""Days to what Opik calls them; it knows no others."""
FOR_EVER = "unlimited"


def period(days: int | None) -> str:
    """Return what Opik calls this time."""
    return FOR_EVER if days is None else PERIODS[days]


def active_period(base: str) -> str:
    """Return the time that the workspace's rule says; `base` is Opik's address. Raises OperatorError."""
    return next((str(rule["retention"]) for rule in _rules(base)), FOR_EVER)


def set_period(base: str, days: int | None) -> bool:
    """Set the rule, also for traces that are there; return whether it changed. Raises OperatorError."""
    if active_period(base) == period(days):
        return False
    if days is None:
        for rule in _rules(base):
            _asked("DELETE", f"{base}/{_PATH}/{rule['id']}")
    else:
        _asked("POST", f"{base}/{_PATH}", {"retention": period(days), "apply_to_past": True})
    return True


def retention_check(kubectl: Kubectl, environment: str, opik: OpikSettings) -> Check:
    """Compare the workspace's rule with the environment file."""
    asked = period(opik.retention_days)
    try:
        with kubectl.forwarded(NAMESPACE, *FRONTEND) as base:
            now = active_period(base)
    except OperatorError as error:
        return Check("retention", f"{error.message}; llmctl opik retention {environment}")
    if now == asked:
        return Check(f"retention {now}", "")
    return Check(f"retention {now}", f"the file asks for {asked}: run `llmctl opik retention {environment}`")


_PATH = "api/v1/private/retention/rules"


def _rules(base: str) -> list[dict[str, Any]]:
    answer = _asked("GET", f"{base}/{_PATH}?size=100")
    return [rule for rule in answer.get("content") or [] if rule.get("level", "workspace").lower() == "workspace"]


def _asked(method: str, url: str, body: Any = None) -> Any:
    try:
        answer = web.get(url) if method == "GET" else web.send_json(url, body, method=method, timeout_s=60)
    except web.NoAnswerError as error:
        raise OperatorError(f"Opik gives no answer: {error}", "llmctl opik health") from None
    if answer.status >= 400:
        raise OperatorError(f"Opik answers {answer.status} to its retention rules", "llmctl opik health")
    try:
        return json.loads(answer.body or b"{}")
    except ValueError:
        raise OperatorError("Opik answers something else than its retention rules", "llmctl opik health") from None
