"""Whether the login may do in Azure what the stacks do, at the scopes where they do it.

What a deny assignment takes away, or a condition on an assignment of roles, Azure does not say here.
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from scripts.azure import operations
from scripts.azure.errors import MissingError
from scripts.azure.shape import Shape
from stacks.settings.azure import ClusterAccess

from .. import rights
from ..findings import Finding, warning
from ..surroundings import Surroundings

PAGE = "docs/reference/permissions.md"
_ASSIGN = "Microsoft.Authorization/roleAssignments/write"
_BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
STATE_ACTIONS = (f"{_BLOB}/read", f"{_BLOB}/write", f"{_BLOB}/delete")
"""Data actions by which Terraform reads, locks and writes a state."""
STATE_ROLE = "Storage Blob Data Contributor"


class Permission(Shape):
    """What one role allows."""

    actions: list[str] | None = None
    not_actions: list[str] | None = None
    data_actions: list[str] | None = None
    not_data_actions: list[str] | None = None

    def allows(self, action: str) -> bool:
        """Tell whether it holds an action of the control plane."""
        return _among(action, self.actions) and not _among(action, self.not_actions)

    def allows_data(self, action: str) -> bool:
        """Tell whether it holds an action on data."""
        return _among(action, self.data_actions) and not _among(action, self.not_data_actions)


def _among(action: str, patterns: Iterable[str] | None) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns or ())


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield one finding for each scope at which something is missing. Raises AnswerError."""
    yield from _subscription(asked)
    yield from _disk_encryption_set(asked)
    yield from _run_command(asked)
    yield from _state(asked)


def _subscription(asked: Surroundings) -> Iterator[Finding]:
    scope = f"/subscriptions/{asked.settings.azure.subscription_id}"
    given = asked.azure.ask_all(operations.PERMISSIONS, Permission, scope=scope)
    needed = {action: role for action, role in rights.AZURE.values() if role != rights.SECRETS}
    missing = {action: role for action, role in needed.items() if not any(one.allows(action) for one in given)}
    if missing:
        roles = sorted(set(missing.values()))
        named = sorted(missing)
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        yield Finding(
            f"this login lacks {' and '.join(roles)} on {scope} ({', '.join(named[:3])}{more})",
            f"Azure refuses what needs them (403) in the middle of a stack; {PAGE} has the table",
            "; ".join(f'az role assignment create --assignee LOGIN --role "{role}" --scope {scope}' for role in roles),
        )


def _disk_encryption_set(asked: Surroundings) -> Iterator[Finding]:
    chosen = asked.settings.cluster.disk_encryption_set_id
    if not chosen or set(asked.stacks).isdisjoint(("disks", "aks")):
        return
    try:
        given = asked.azure.ask_all(operations.PERMISSIONS, Permission, scope=chosen)
    except MissingError:
        yield Finding(
            f"cluster.disk_encryption_set_id: there is no {chosen}",
            "disks and node pools are refused",
            "az disk-encryption-set list --query [].id --output tsv",
        )
        return
    needed = {"Microsoft.Compute/diskEncryptionSets/read": "Reader"}
    if "aks" in asked.stacks:
        needed[_ASSIGN] = rights.ACCESS
    for action, role in needed.items():
        if not any(one.allows(action) for one in given):
            yield Finding(
                f"this login lacks {action} on cluster.disk_encryption_set_id",
                "the cluster's identity gets no role on the key, and its disks are refused",
                f'az role assignment create --assignee LOGIN --role "{role}" --scope {chosen}',
            )


def _run_command(asked: Surroundings) -> Iterator[Finding]:
    """On the cluster, where operators are given no more; before there is one, on the subscription."""
    settings = asked.settings
    if settings.operators.cluster_access is not ClusterAccess.COMMAND_INVOKE:
        return
    names, subscription = settings.azure_names, f"/subscriptions/{settings.azure.subscription_id}"
    scope = (
        f"{subscription}/resourceGroups/{names.resource_group('aks')}"
        f"/providers/Microsoft.ContainerService/managedClusters/{names.resource('aks')}"
    )
    try:
        given = asked.azure.ask_all(operations.PERMISSIONS, Permission, scope=scope)
    except MissingError:
        given = asked.azure.ask_all(operations.PERMISSIONS, Permission, scope=subscription)
    missing = [action for action in rights.RUN_COMMAND if not any(one.allows(action) for one in given)]
    if missing:
        yield warning(
            f"this login lacks {' and '.join(missing)} on the cluster",
            why="operators.cluster_access is command-invoke, and Azure refuses its commands (403)",
            fix=f"make the custom role of {PAGE}#commands-through-azure, and assign it on the cluster",
        )


def _state(asked: Surroundings) -> Iterator[Finding]:
    state = asked.settings.state.azurerm
    if not state:
        return
    account = (
        f"/subscriptions/{asked.settings.azure.subscription_id}/resourceGroups/{state.resource_group}"
        f"/providers/Microsoft.Storage/storageAccounts/{state.storage_account}"
    )
    scope = f"{account}/blobServices/default/containers/{state.container}"
    try:
        given = asked.azure.ask_all(operations.PERMISSIONS, Permission, scope=scope)
    except MissingError:
        yield Finding(
            f"the container of the state, {state.storage_account}/{state.container}, does not exist",
            "Terraform cannot read or lock any state",
            f"llmctl state bootstrap {asked.settings.name}",
        )
        return
    if not all(any(one.allows_data(action) for one in given) for action in STATE_ACTIONS):
        yield Finding(
            f"this login lacks {STATE_ROLE} on the container of the state",
            "Terraform cannot lock or write any state (403); Owner does not bring it",
            f'az role assignment create --assignee LOGIN --role "{STATE_ROLE}" --scope {scope}',
        )
