"""The path of one question through a deployed environment: chat, LLM gateway, engine, trace."""

import json
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from scripts.applications.chat.question import ask
from scripts.applications.chat.running import Chat
from scripts.applications.llm_gateway.api import gateway_api
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
from scripts.core import http as web
from scripts.core.errors import OperatorError
from scripts.deployment.login_consent import LoginConsent
from scripts.opik.cluster import FRONTEND
from scripts.opik.cluster import NAMESPACE as OPIK
from stacks.platform.common.traffic import MONITORING
from stacks.platform.components.monitoring.address import SERVICE as GRAFANA
from stacks.platform.components.monitoring.address import SERVICE_PORT as GRAFANA_PORT
from stacks.settings import Settings

from .steps import Part, Step

TRACE_S = 120
POLL_S = 5.0


@dataclass
class Path:
    """One question on its way; `mark` is what its trace is found by."""

    settings: Settings
    kubectl: Kubectl
    model: str
    mark: str = field(default_factory=lambda: f"llmctl-health-{secrets.token_hex(6)}")
    trace_s: float = TRACE_S
    poll_s: float = POLL_S

    def chat(self) -> Step:
        """Return how the chat is, asked past its login."""
        wrong = [f"{check.name} {check.problem}" for check in Chat(self.kubectl).checks() if check.problem]
        return Step(
            "chat", "; ".join(wrong), "server, database and Redis answer", f"llmctl webui logs {self.settings.name}"
        )

    def gateway(self) -> Step:
        """Return whether the gateway offers every model of the environment file."""
        with gateway_api(self.kubectl) as api:
            offered = {str(item["id"]) for item in api.call("GET", "/v1/models")["data"]}
        missing = [model.name for model in self.settings.models if model.name not in offered]
        problem = f"does not offer {', '.join(missing)}" if missing else ""
        return Step("gateway", problem, f"offers {len(offered)} models", f"llmctl deploy {self.settings.name} platform")

    def engine(self) -> Step:
        """Send the question from the chat's pod and return whether it was answered."""
        fix = f"llmctl models list {self.settings.name}; kubectl -n serving get pods,events"
        answer = ask(self.kubectl, self.settings.serving, self.model, "Say yes.", most_tokens=16, tag=self.mark)
        if answer.text is None:
            return Step("engine", answer.problem, fix=fix)
        return Step("engine", "", f"{self.model} answered: {answer.text[:60]!r}")

    def trace(self) -> Step:
        """Look for the question in Opik, which gets it some seconds later."""
        asked = urlencode({"project_name": self.settings.name, "size": 20, "page": 1})
        deadline = time.monotonic() + self.trace_s
        with self.kubectl.forwarded(OPIK, *FRONTEND) as base:
            while True:
                try:
                    answer = web.get(f"{base}/api/v1/private/traces?{asked}")
                except web.NoAnswerError as error:
                    return Step(
                        "trace", f"Opik gives no answer: {error}", fix=f"llmctl opik health {self.settings.name}"
                    )
                if answer.status == 200 and self.mark.encode() in answer.body:
                    return Step("trace", "", f"in Opik's project {self.settings.name}")
                if time.monotonic() >= deadline:
                    problem = (
                        f"not in Opik's project {self.settings.name} after {self.trace_s:.0f} s (HTTP {answer.status})"
                    )
                    return Step(
                        "trace",
                        problem,
                        fix=f"llmctl opik health {self.settings.name}; docs/how-to/trace-an-application.md",
                    )
                time.sleep(self.poll_s)

    def opik(self) -> Step:
        """Return how Opik's backend and every store behind it are."""
        fix = f"llmctl opik health {self.settings.name}"
        try:
            with self.kubectl.forwarded(OPIK, *FRONTEND) as base:
                answer = web.get(f"{base}/api/health-check?name=all&type=ready")
        except web.NoAnswerError as error:
            return Step("opik", f"gives no answer: {error}", fix=fix)
        bad = _unhealthy(answer.body)
        if answer.status == 200 and not bad:
            return Step("opik", "", "backend and stores answer")
        return Step("opik", f"answers {answer.status}{f', not healthy: {bad}' if bad else ''}", fix=fix)

    def monitoring(self) -> Step:
        """Return whether Grafana and its database answer."""
        fix = f"llmctl monitoring status {self.settings.name}"
        try:
            with self.kubectl.forwarded(MONITORING, GRAFANA, GRAFANA_PORT) as base:
                answer = web.get(f"{base}/api/health")
        except web.NoAnswerError as error:
            return Step("monitoring", f"Grafana gives no answer: {error}", fix=fix)
        problem = "" if answer.status == 200 else f"Grafana answers {answer.status}"
        return Step("monitoring", problem, "Grafana answers", fix)


def _unhealthy(body: bytes) -> str:
    """Return the names of what Opik's backend reports as not healthy; each entry is critical unless it says no."""
    try:
        entries = json.loads(body)
    except ValueError:
        return ""
    found = entries if isinstance(entries, list) else []
    return ", ".join(
        str(entry.get("name", "?")) for entry in found if entry.get("critical", True) and not entry.get("healthy")
    )


def parts(settings: Settings, model: str | None, tools: Tools) -> list[Part]:
    """Return what is checked in a deployed environment, in the order of the path. Raises OperatorError."""
    client_id = settings.identity.client_id or str(tools.outputs_of(settings.name, "identity")["identity"]["client_id"])
    kubectl = tools.kubectl_of(settings.name)
    path = Path(settings, kubectl, model or (settings.models[0].name if settings.models else ""))
    enabled: list[tuple[Part, bool]] = [
        (("login", lambda: _login(tools.consent_of(client_id))), True),
        (("chat", path.chat), settings.chat.enabled),
        (("gateway", path.gateway), settings.gateway.enabled),
        (("engine", path.engine), settings.chat.enabled and bool(settings.models)),
        (
            ("trace", path.trace),
            settings.chat.enabled and settings.gateway.enabled and settings.opik.enabled and bool(settings.models),
        ),
        (("opik", path.opik), settings.opik.enabled),
        (("monitoring", path.monitoring), settings.monitoring.enabled),
    ]
    return [part for part, there in enabled if there]


def _login(found: LoginConsent) -> Step:
    if found.unknown:
        raise OperatorError(
            f"Entra cannot be asked: {found.unknown}", f"log in with `az login`, or look at {found.link}"
        )
    lines = found.lines()
    return Step("login", lines[0] if lines else "", "an administrator has consented", lines[1].strip() if lines else "")
