"""What is pinned, who named the digest, and why the rest has none: `helm/pin_evidence.yaml` beside the lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stacks.common.yaml_text import parsed
from stacks.platform.common.catalogue import HELM

from .upstream import Kind, Upstream

FILE = HELM / "pin_evidence.yaml"
_SECTIONS: Mapping[Kind, str] = {"image": "images", "chart": "charts", "source": "sources"}


@dataclass(frozen=True, slots=True)
class Pin:
    """An image, a chart or a source, with what it is pinned by."""

    upstream: Upstream
    why: str
    """Who named the digest or commit; where there is none, why."""


def read_evidence() -> Mapping[str, Any]:
    """Return the evidence, by section and name."""
    content: Mapping[str, Any] = parsed(FILE.read_text("utf-8"))
    return content


def explained(upstreams: Iterable[Upstream], evidence: Mapping[str, Any]) -> list[Pin]:
    """Return how each of them is pinned.

    Evidence counts for its own digest alone: another one was written by `llmctl images pin` or by Renovate, which ask
    the registry.
    """
    return [Pin(each, _why(each, evidence)) for each in upstreams]


def _why(each: Upstream, evidence: Mapping[str, Any]) -> str:
    known = evidence[_SECTIONS[each.kind]].get(each.name, {})
    if each.pinned is None:
        return str(known.get("open", "not looked up yet"))
    if each.pinned.removeprefix("sha256:").startswith(known.get("digest", "none")):
        return f"{known['source']}, {evidence['date']}"
    return "its registry" if each.kind != "source" else "its repository"
