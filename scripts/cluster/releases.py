"""Helm releases that a killed run has left pending, which Helm refuses to touch; and the way back to their last state.

Helm writes a record of a new revision before it changes anything, and gives it its final status afterwards. While the
newest one is pending, every other run ends in "another operation (install/upgrade/rollback) is in progress". The
revision before keeps its status `deployed` until the new one is done
(https://github.com/helm/helm/blob/v3.18.4/pkg/action/upgrade.go#L380).
"""

from dataclasses import dataclass

from .kubectl import Kubectl

_PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
_RECORDS = "secrets,configmaps"


@dataclass(frozen=True, slots=True)
class PendingRelease:
    """One release whose newest revision is pending."""

    namespace: str
    name: str
    revision: int
    status: str
    since: str
    """When the run that left it began, as the API server writes times."""
    record: str
    """Kind and name of Helm's record of the revision, as kubectl takes them."""
    kept: int | None
    """The revision that is deployed and stays; None where nothing ever was."""

    @property
    def path(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"


def pending_releases(kubectl: Kubectl) -> list[PendingRelease]:
    """Return every release that is pending, by namespace and name. Raises KubectlError."""
    found = []
    for record in kubectl.items(_RECORDS, "--all-namespaces", "-l", f"owner=helm,status in ({','.join(_PENDING)})"):
        metadata = record["metadata"]
        if (labels := metadata.get("labels", {})).get("status") not in _PENDING:
            continue
        namespace = metadata["namespace"]
        deployed = kubectl.items(_RECORDS, "-n", namespace, "-l", f"owner=helm,name={labels['name']},status=deployed")
        kept = [int(other["metadata"]["labels"]["version"]) for other in deployed]
        found.append(
            PendingRelease(
                namespace,
                labels["name"],
                int(labels["version"]),
                labels["status"],
                metadata["creationTimestamp"],
                f"{record['kind'].lower()}/{metadata['name']}",
                max(kept, default=None),
            )
        )
    return sorted(found, key=lambda release: release.path)


def clear(kubectl: Kubectl, release: PendingRelease) -> None:
    """Remove the record of the pending revision, and nothing in the cluster. Raises KubectlError.

    Helm then takes the revision that is deployed for the newest, and the next upgrade starts from it. Where nothing was
    ever deployed, the next installation takes over the objects that bear its name.
    """
    kubectl.run("delete", release.record, "-n", release.namespace, "--ignore-not-found")
