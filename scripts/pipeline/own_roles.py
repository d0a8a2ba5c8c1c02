"""The custom roles of a pipeline's identities, where Azure has none that is small enough: what each allows."""

from collections.abc import Sequence

from .cluster_role import data_actions


def _role(
    name: str, subscription_id: str, description: str, actions: Sequence[str], data_actions: Sequence[str] = ()
) -> dict[str, object]:
    return {
        "Name": name,
        "Description": description,
        "Actions": list(actions),
        "NotActions": [],
        "DataActions": list(data_actions),
        "NotDataActions": [],
        "AssignableScopes": [f"/subscriptions/{subscription_id}"],
    }


OFF_HOURS_ACTIONS = (
    "Microsoft.ContainerService/managedClusters/read",
    "Microsoft.ContainerService/managedClusters/start/action",
    "Microsoft.ContainerService/managedClusters/stop/action",
)
"""What the schedule asks of the cluster."""


def off_hours_role(name: str, subscription_id: str) -> dict[str, object]:
    """Return the custom role of the schedule, as `az role definition create` takes it."""
    return _role(name, subscription_id, "Stops and starts the cluster of the LLM platform.", OFF_HOURS_ACTIONS)


BACKUP_ACTIONS = (
    "Microsoft.Authorization/locks/read",
    "Microsoft.Authorization/locks/write",
    "Microsoft.Compute/disks/beginGetAccess/action",
    "Microsoft.Compute/disks/read",
    "Microsoft.Compute/snapshots/beginGetAccess/action",
    "Microsoft.Compute/snapshots/read",
    "Microsoft.Compute/snapshots/write",
    "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
    "Microsoft.Storage/storageAccounts/fileServices/shares/read",
    "Microsoft.Storage/storageAccounts/fileServices/shares/write",
)
"""What making a set asks of the resource manager; no `delete`."""
_KUBERNETES = "Microsoft.ContainerService/managedClusters"
BACKUP_DATA_ACTIONS = (
    f"{_KUBERNETES}/apps/deployments/read",
    f"{_KUBERNETES}/apps/deployments/write",
    f"{_KUBERNETES}/batch/jobs/delete",
    f"{_KUBERNETES}/batch/jobs/read",
    f"{_KUBERNETES}/batch/jobs/write",
    f"{_KUBERNETES}/configmaps/read",
    f"{_KUBERNETES}/pods/exec/action",
    f"{_KUBERNETES}/pods/read",
    "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
)
"""What it asks of cluster, vault and container; the one Job that it deletes marks the newest set."""


def backup_role(name: str, subscription_id: str) -> dict[str, object]:
    """Return the custom role of backups, as `az role definition create` takes it."""
    return _role(
        name,
        subscription_id,
        "Makes backup sets of the LLM platform: snapshots, locks, manifests; deletes none of them.",
        BACKUP_ACTIONS,
        BACKUP_DATA_ACTIONS,
    )


PLAN_ACTIONS = ("Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",)
"""What azurerm asks of every cluster that it refreshes, and Reader lacks. It gives no right inside the cluster."""


def plan_role(name: str, subscription_id: str) -> dict[str, object]:
    """Return the custom role of the plan, as `az role definition create` takes it."""
    return _role(
        name,
        subscription_id,
        "Plans the LLM platform: finds clusters and reads the kinds of objects that its state holds.",
        PLAN_ACTIONS,
        data_actions(),
    )


def actions_list() -> str:
    """Return the actions of the plan's own role as a Markdown list."""
    return "".join(f"- `{action}`\n" for action in (*PLAN_ACTIONS, *data_actions()))


def backup_actions_list() -> str:
    """Return the actions of the backups' own role as a Markdown list."""
    return "".join(f"- `{action}`\n" for action in (*BACKUP_ACTIONS, *BACKUP_DATA_ACTIONS))
