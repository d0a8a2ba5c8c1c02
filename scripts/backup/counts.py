"""How much an environment holds: traces, projects, users, chats, uploads, keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scripts.cluster.bundle import bundled
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pod_program import PodProgram, in_chat, in_gateway
from scripts.core.errors import OperatorError
from stacks.platform.components.chat import names as chat
from stacks.settings import Settings

from .manifest import Count

PROGRAM = "scripts.backup.count_in_database"
CHAT = {"users": "user", "chats": "chat", "uploads": "file", "knowledge": "knowledge"}
"""Kinds of rows of the chat, and Open WebUI's tables."""
FILES = "files"
"""Kind of the files on the share of uploads."""
OPIK = frozenset({"projects", "datasets", "prompts", "traces", "spans"})
"""Kinds that Opik's disks hold; all others are in PostgreSQL, but for the files."""
GATEWAY = {"keys": "LiteLLM_VerificationToken", "teams": "LiteLLM_TeamTable"}
"""Kinds of rows of the LLM gateway, and LiteLLM's tables."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What is counted; None for what the environment does not run."""

    opik: Callable[[], Mapping[str, int]] | None = None
    chat: PodProgram | None = None
    gateway: PodProgram | None = None

    def traces(self) -> dict[str, int]:
        """Return what Opik holds. Raises OperatorError."""
        return dict(self.opik()) if self.opik else {}

    def database(self) -> dict[str, int]:
        """Return what PostgreSQL and the uploads hold. Raises OperatorError."""
        found: dict[str, int] = {}
        if self.chat:
            found |= _ask(self.chat, CHAT, chat.UPLOADS_FOLDER, "the chat")
        if self.gateway:
            found |= _ask(self.gateway, GATEWAY, "", "the LLM gateway")
        return found


def counted_in(settings: Settings, kubectl: Kubectl, opik: Callable[[], Mapping[str, int]]) -> Counted:
    """Return what is counted in an environment."""
    return Counted(
        opik=opik if settings.opik.enabled else None,
        chat=in_chat(kubectl) if settings.chat.enabled else None,
        gateway=in_gateway(kubectl) if settings.gateway.enabled else None,
    )


def admits(kind: str, expected: Count, found: int) -> bool:
    """Tell whether what was found is what the set held; files that came later are no loss."""
    return found >= expected.low if kind == FILES else expected.admits(found)


def between(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Count]:
    """Return what there was between two counts of the same kinds."""
    return {
        kind: Count(low=min(count, after.get(kind, count)), high=max(count, after.get(kind, count)))
        for kind, count in sorted({**after, **before}.items())
    }


def differences(expected: Mapping[str, Count], found: Mapping[str, int]) -> list[str]:
    """Return the kinds of which a restored environment holds something else than its set, in words."""
    return [
        f"{kind}: {found.get(kind, 'not counted')} instead of {count}"
        for kind, count in sorted(expected.items())
        if kind not in found or not admits(kind, count, found[kind])
    ]


def _ask(run: PodProgram, tables: Mapping[str, str], folder: str, where: str) -> dict[str, int]:
    for line in run(bundled(PROGRAM), {"tables": dict(tables), "folder": folder}):
        if "counts" in line:
            return {kind: int(count) for kind, count in line["counts"].items()}
    raise OperatorError(f"{where} was not counted: its pod gives no answer", "llmctl health")
