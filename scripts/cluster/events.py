"""Events of some namespaces in the order of time: what Kubernetes did and why something does not go on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .api import ClusterApi, Object


@dataclass(frozen=True)
class Event:
    """One event; one that was repeated is one here, at the time of its last."""

    time: str
    """UTC, as the API writes it; empty for one without."""
    warning: bool
    namespace: str
    object: str
    """As kubectl names it: `pod/open-webui-1`."""
    reason: str
    message: str
    count: int

    def __str__(self) -> str:
        often = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.time} {self.namespace}/{self.object} {self.reason}: {self.message}{often}"


def events(api: ClusterApi, namespaces: Sequence[str], *, since: datetime, warnings: bool = False) -> list[Event]:
    """Return what happened from `since` on; warnings alone where they are asked for. Raises ClusterError."""
    found = [read(item) for namespace in namespaces for item in api.items("events", namespace)]
    return sorted(
        (event for event in found if _within(event, since) and (event.warning or not warnings)),
        key=lambda event: event.time,
    )


def watched(api: ClusterApi, namespace: str, *, since: datetime, warnings: bool = False) -> Iterator[Event]:
    """Yield events of a namespace as they come, first those from `since` on. Raises ClusterError."""
    for kind, item in api.watch("events", namespace):
        event = read(item)
        if kind != "DELETED" and _within(event, since) and (event.warning or not warnings):
            yield event


def read(item: Object) -> Event:
    """Return an event as the API lists it, in either of its two ages."""
    about, series = item.get("involvedObject") or {}, item.get("series") or {}
    moment = series.get("lastObservedTime") or item.get("lastTimestamp") or item.get("eventTime") or ""
    return Event(
        time=moment or item["metadata"].get("creationTimestamp", ""),
        warning=item.get("type") == "Warning",
        namespace=item["metadata"]["namespace"],
        object=f"{about.get('kind', '?').lower()}/{about.get('name', '?')}",
        reason=item.get("reason") or "",
        message=" ".join((item.get("message") or "").split()),
        count=int(series.get("count") or item.get("count") or 1),
    )


def _within(event: Event, since: datetime) -> bool:
    return not event.time or datetime.fromisoformat(event.time).astimezone(UTC) >= since
