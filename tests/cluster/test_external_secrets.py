"""Secrets follow the vault at once: every one is asked for, and waited for until it was read after the question."""

from datetime import UTC, datetime
from typing import Any

import pytest

from scripts.cluster.external_secrets import PATIENCE_S, refresh
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import OperatorError

NOW = datetime(2026, 11, 30, 3, 0, 0, 500_000, tzinfo=UTC)


def secret(name: str, read: str | None, ready: str = "True") -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": ready}], **({"refreshTime": read} if read else {})}
    return {"metadata": {"namespace": "opik", "name": name}, "status": status}


class Cluster(Kubectl):
    """A cluster whose operator answers so, one look after the other; the last answer stays."""

    def __init__(self, *looks: list[dict[str, Any]]) -> None:
        super().__init__("fake")
        self.__dict__.update(looks=list(looks), told=[])

    looks: list[list[dict[str, Any]]]
    told: list[tuple[str, ...]]

    def run(self, *arguments: str, timeout_s: float = 0, given: str | None = None) -> str:  # noqa: ARG002
        self.told.append(arguments)
        return ""

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        assert arguments == ("externalsecrets.external-secrets.io", "--all-namespaces")
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def test_all_are_asked_for_and_waited_for() -> None:
    old, fresh = secret("stores", "2026-11-30T02:59:59Z"), secret("stores", "2026-11-30T03:00:00Z")
    cluster, waits = Cluster([old], [secret("stores", None)], [fresh]), list[float]()
    refresh(cluster, now=lambda: NOW, clock=lambda: 0, pause=waits.append)
    assert cluster.told == [
        ("annotate", "externalsecrets.external-secrets.io", "--all", "--all-namespaces", "--overwrite",
         f"force-sync={NOW.replace(microsecond=0).timestamp():.0f}"),
    ]  # fmt: skip
    assert len(waits) == 2


@pytest.mark.parametrize(
    "state", [secret("stores", "2026-11-30T02:00:00Z"), secret("stores", "2026-11-30T03:01:00Z", "False")]
)
def test_one_that_does_not_follow_is_named_in_the_end(state: dict[str, Any]) -> None:
    ticks = iter([0.0, 1.0, PATIENCE_S + 1])
    with pytest.raises(OperatorError, match="opik/stores is not up to date with the vault"):
        refresh(Cluster([state]), now=lambda: NOW, clock=lambda: next(ticks), pause=lambda _s: None)


def test_a_cluster_without_any_has_nothing_to_wait_for() -> None:
    refresh(Cluster([]), now=lambda: NOW)
