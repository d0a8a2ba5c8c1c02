"""The objects of a cluster at one moment, by kind, as far as the operator may read them."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scripts.cluster.kubectl import Kubectl, KubectlError

Object = Mapping[str, Any]

KINDS = (
    "nodes",
    "namespaces",
    "pods",
    "events",
    "persistentvolumeclaims",
    "resourcequotas",
    "jobs",
    "daemonsets",
    "certificates.cert-manager.io",
    "challenges.acme.cert-manager.io",
    "externalsecrets.external-secrets.io",
    "leases",
    "mutatingadmissionpolicies.admissionregistration.k8s.io",
)
_UNKNOWN = "the server doesn't have a resource type"
PARALLEL = 6
LONGEST = 300
"""Characters of a detail."""


@dataclass(frozen=True)
class Snapshot:
    """What was listed, and what could not be."""

    now: datetime
    """By the clock of this machine."""
    objects: Mapping[str, Sequence[Object]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    """Why a kind could not be listed; a kind that the cluster does not know is an empty one."""

    def of(self, kind: str) -> Sequence[Object]:
        """Return the objects of a kind."""
        return self.objects.get(kind, ())

    def events_of(self, item: Object, *reasons: str) -> Iterator[Object]:
        """Return the events about an object, newest first, of these reasons where any is named."""
        meta = item["metadata"]
        mine = [
            event
            for event in self.of("events")
            if (about := event.get("involvedObject") or {}).get("name") == meta["name"]
            and about.get("namespace", "") in ("", meta.get("namespace", ""))
            and about.get("kind") == item.get("kind", about.get("kind"))
            and (not reasons or event.get("reason") in reasons)
        ]
        yield from sorted(mine, key=moment, reverse=True)

    def minutes_since(self, text: str | None) -> float:
        """Return how many minutes ago a moment was that the API server wrote; 0 for none."""
        return (self.now - datetime.fromisoformat(text)).total_seconds() / 60 if text else 0.0


def condition(item: Object, kind: str = "Ready") -> Object:
    """Return one condition of an object, an empty one where it has none."""
    found = (item.get("status") or {}).get("conditions") or []
    return next((one for one in found if one["type"] == kind), {})


def ready(item: Object) -> bool:
    """Whether an object says that it is ready."""
    return condition(item).get("status") == "True"


def short(text: object) -> str:
    """Return what a program said as one line or two of a terminal."""
    words = " ".join(str(text).split())
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."


def moment(event: Object) -> str:
    """Return when an event was seen last."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def take(kubectl: Kubectl) -> Snapshot:
    """List every kind, side by side. Raises KubectlError when not even the nodes can be listed."""
    unread: dict[str, str] = {}

    def read(kind: str) -> list[dict[str, Any]]:
        try:
            return [{"kind": _kind(kind), **item} for item in kubectl.items(kind, "--all-namespaces")]
        except KubectlError as error:
            if kind == "nodes":
                raise
            if _UNKNOWN not in error.message:
                unread[kind] = error.message
            return []

    with ThreadPoolExecutor(PARALLEL) as pool:
        objects = dict(zip(KINDS, pool.map(read, KINDS), strict=True))
    return Snapshot(datetime.now(UTC), objects, unread)


def _kind(plural: str) -> str:
    singular = plural.partition(".")[0].removesuffix("s")
    names = {"persistentvolumeclaim": "PersistentVolumeClaim", "resourcequota": "ResourceQuota"}
    return names.get(singular, singular.capitalize())


def running_pods(seen: Snapshot) -> Iterator[Object]:
    """Yield the pods that run or are to run."""
    for pod in seen.of("pods"):
        if not pod["metadata"].get("deletionTimestamp") and (pod.get("status") or {}).get("phase") not in (
            "Succeeded",
            "Failed",
        ):
            yield pod


def waits_for_a_node(pod: Object) -> bool:
    """Whether the scheduler has not placed it."""
    return (pod.get("status") or {}).get("phase") == "Pending" and not pod["spec"].get("nodeName")


def name_of(item: Object) -> str:
    """Return namespace and name of an object."""
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}".strip("/")


def values_of(pod: Object) -> dict[str, str]:
    """Return what the text of a fix names of a pod."""
    meta = pod["metadata"]
    return {"pod": meta["name"], "namespace": meta["namespace"]}
