"""Who will see what people write, where an environment file or an upgrade opens or changes it."""

import json
from collections.abc import Iterator
from pathlib import Path

from stacks.settings import Settings


def privacy_notes(settings: Settings, identity_state: Path) -> Iterator[str]:
    """Yield what an operator should know before a deployment; `identity_state` is the local state of that stack."""
    if not settings.opik.enabled:
        return
    if settings.gateway.enabled and settings.gateway.trace_chats:
        yield "gateway.trace_chats: whoever is in Opik's access group reads what people write in the chat"
    if not settings.identity.manage and settings.opik.access_group_object_id is None:
        yield (
            "opik.access_group_object_id is left out and identity.manage is false: everybody in the access group reads"
            " all traces; give a group of its own"
        )
    if settings.identity.manage and _deployed_without_group(identity_state):
        group = settings.opik.access_group_object_id or f"{settings.prefix}-{settings.name} traces"
        yield (
            f"the next deployment closes Opik to everybody but the operators and the members of the group {group}; add"
            " those who shall read traces. Texts of chats are no longer traced (gateway.trace_chats); traces that exist"
            " keep theirs"
        )


def _deployed_without_group(state: Path) -> bool:
    """Whether a local state is of a release in which everybody with access saw all traces."""
    try:
        outputs = json.loads(state.read_bytes())["outputs"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return "access_group_object_id" in outputs and "opik_access_group_object_id" not in outputs
