"""A text over the chat, for everybody who opens it.

Interface: `/api/v1/configs/banners` (open_webui/routers/configs.py, 0.12). Here no configuration is kept in the
database (ENABLE_PERSISTENT_CONFIG is off), so a banner lives in the memory of one pod: each pod gets it, and a pod that
restarts has none. Banners of others stay.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pod_program import PodProgram, in_pod
from scripts.core.errors import OperatorError
from stacks.platform.components.chat.login import administrator
from stacks.platform.components.chat.names import NAMESPACE, RELEASE
from stacks.settings import Settings

from .accounts import Accounts
from .running import SELECTOR

BANNER = "llm-platform-deployment"
"""Id of ours."""
PATH = "/api/v1/configs/banners"


@dataclass(frozen=True)
class Banner:
    """Our banner in every pod of one chat."""

    pods: Callable[[], Sequence[Accounts]]
    """Gives the pods that answer now."""
    now: Callable[[], float] = time.time

    def show(self, text: str) -> int:
        """Show `text` instead of what we showed before; return in how many pods. Raises OperatorError."""
        ours = {"id": BANNER, "type": "warning", "content": text, "dismissible": True, "timestamp": int(self.now())}
        return self._set([ours])

    def remove(self) -> int:
        """Take ours away; return from how many pods. Raises OperatorError."""
        return self._set([])

    def _set(self, ours: Sequence[Any]) -> int:
        pods = self.pods()
        for pod in pods:
            (shown,) = pod.call({"method": "GET", "path": PATH})
            others = [banner for banner in shown or [] if banner["id"] != BANNER]
            if [*ours, *others] != (shown or []):
                pod.call({"method": "POST", "path": PATH, "body": {"banners": [*ours, *others]}})
        return len(pods)


def banner_of(
    settings: Settings, kubectl: Kubectl, run_in: Callable[[Kubectl, str, str, str], PodProgram] = in_pod
) -> Banner:
    """Return the banner of an environment's chat."""

    def pods() -> list[Accounts]:
        found = kubectl.items("pods", "-n", NAMESPACE, "-l", SELECTOR, "--field-selector", "status.phase=Running")
        names = [pod["metadata"]["name"] for pod in found if not pod["metadata"].get("deletionTimestamp")]
        if not names:
            raise OperatorError("no pod of the chat runs", f"llmctl webui status {settings.name}")
        account = administrator(settings.domain)
        return [Accounts(run_in(kubectl, NAMESPACE, f"pod/{name}", RELEASE), account) for name in names]

    return Banner(pods)
