"""What people notice while a deployment changes what they use: a banner in the chat, and alerts that stay silent.

Both are undone afterwards, also when the deployment fails or is interrupted. Neither may keep one from happening: what
cannot be announced is one line, and the deployment goes on.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from scripts.applications.chat.banner import Banner, banner_of
from scripts.applications.silences import SEVERITIES, Silences
from scripts.cluster.kubectl import Kubectl
from scripts.core.console import report
from scripts.core.errors import OperatorError
from scripts.core.person import person
from scripts.core.targets import load_environment
from scripts.core.workspace import ROOT
from scripts.terraform.outputs import NotDeployedError, kubectl_of
from scripts.terraform.rollout import Rollout
from stacks.platform.common.traffic import MONITORING
from stacks.platform.components.monitoring.address import ALERTMANAGER_SERVICE
from stacks.platform.components.monitoring.traffic import ALERTMANAGER_PORT
from stacks.settings import Settings
from stacks.settings.deployments import SilencedAlerts
from stacks.settings.monitoring import MetricsStore

NOTICED = frozenset({"database", "network", "aks", "platform"})
"""Stacks whose changes people notice."""


@dataclass(frozen=True)
class Announcing:
    """How it is done; tests hand over others."""

    load: Callable[[str], Settings] = load_environment
    connect: Callable[[str], Kubectl] = kubectl_of
    banner: Callable[[Settings, Kubectl], Banner] = banner_of
    silences: Callable[[str], Silences] = Silences
    """Gives Alertmanager at an address."""
    who: Callable[[], str] = person
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    everywhere: bool = False
    """Whether in a rehearsal too, which has no chat."""

    @contextmanager
    def around(self, run: Rollout, names: Collection[str]) -> Iterator[None]:
        """Within, stacks of a run are applied, and announced where people notice that and the settings ask for it."""
        with ExitStack() as ends:
            if self._noticed(run, names):
                self._begin(run, ends)
            yield

    def _noticed(self, run: Rollout, names: Collection[str]) -> bool:
        here = run.workspace.base == ROOT or self.everywhere
        return here and any(
            name in NOTICED and (name not in run.plans or not run.plans[name].changes.empty) for name in names
        )

    def _begin(self, run: Rollout, ends: ExitStack) -> None:
        settings = self.load(run.workspace.environment)
        asked, monitoring = settings.deployments, settings.monitoring
        text = asked.chat_banner if settings.chat.enabled else None
        has_alerts = monitoring.enabled and monitoring.metrics is MetricsStore.PROMETHEUS
        silent = asked.silence_alerts if has_alerts else SilencedAlerts.NONE
        if not text and silent is SilencedAlerts.NONE:
            return
        try:
            kubectl = self.connect(settings.name)
        except NotDeployedError:
            return  # nobody uses it yet
        except OperatorError as error:
            report(f"Not announced to anybody: {error.message}")
            return
        if silent is not SilencedAlerts.NONE:
            self._silence(kubectl, SEVERITIES[silent.value], settings.name, ends)
        if text:
            self._show(self.banner(settings, kubectl), text, settings.name, ends)

    def _silence(self, kubectl: Kubectl, severities: str, name: str, ends: ExitStack) -> None:
        try:
            with kubectl.forwarded(MONITORING, ALERTMANAGER_SERVICE, ALERTMANAGER_PORT) as base:
                comment = f"llmctl deploy {name}"
                silence = self.silences(base).begin(severities, self.who(), comment, self.now())
        except OperatorError as error:
            report(f"Alerts are not silenced: {error.message}")
            return
        report("Alerts are silenced until this is done.")

        def end() -> None:
            try:
                with kubectl.forwarded(MONITORING, ALERTMANAGER_SERVICE, ALERTMANAGER_PORT) as base:
                    self.silences(base).end(silence)
            except OperatorError as error:
                report(f"Alerts stay silenced for two hours at most (Grafana, Alerting, Silences): {error.message}")

        ends.callback(end)

    def _show(self, banner: Banner, text: str, name: str, ends: ExitStack) -> None:
        # Before it is shown: of several pods, some may have it when another one fails.
        ends.callback(self._hide, banner, name)
        try:
            banner.show(text)
        except OperatorError as error:
            report(f"The chat shows no banner: {error.message}")
            return
        report("The chat shows its banner until this is done.")

    def _hide(self, banner: Banner, name: str) -> None:
        try:
            banner.remove()
        except OperatorError as error:
            report(f"The banner may still be there: {error.message}; `llmctl webui remove-banner {name}` takes it away")


ANNOUNCING = Announcing()
