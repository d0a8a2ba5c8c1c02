"""The identities of a pipeline, and what each may do: one description for the commands, the page and its tests.

Each is a user-assigned managed identity. It has no secret and can be given none, unlike an application registration;
creating it takes a role in the subscription and no permission in the directory; its roles, federated credentials and
removal lie where the environment's do. It takes 20 federated credentials, like an application.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What a job does, and with that what its identity may."""

    PLAN = "plan"
    IMAGES = "images"
    APPLY = "apply"
    BACKUP = "backup"
    OFF_HOURS = "off-hours"


def environments_of(environment: str) -> dict[Purpose, str]:
    """Return the environment of each purpose's jobs at GitHub and GitLab; deployments have the plain name."""
    return {
        purpose: environment if purpose is Purpose.APPLY else f"{environment}-{purpose.value}" for purpose in Purpose
    }


class Scope(StrEnum):
    """Where a role is given."""

    SUBSCRIPTION = "the subscription"
    STATE = "the state's container"
    REGISTRY = "the registry"
    DISKS = "the group of the disks"
    BACKUP_SETS = "the group of the backup sets"
    DATABASE = "the group of database and vault"
    CLUSTER = "the cluster"


@dataclass(frozen=True)
class Grant:
    """One role."""

    role: str
    scope: Scope
    means: str
    """What its holder can see or do, for whoever decides about it."""
    assigns_listed_roles: bool = False
    """Whether its holder may give and take the roles of `ASSIGNED_ROLES` alone, and those that stacks give besides."""
    given_by: str = ""
    """Stack that gives it, where it goes with what it is given on, to whom `backups.` or
    `cluster.off_hours.pipeline_object_id` names."""


ASSIGNED_ROLES = (
    "AcrPull",
    "Azure Kubernetes Service RBAC Cluster Admin",
    "Contributor",
    "Disk Backup Reader",
    "Disk Restore Operator",
    "Disk Snapshot Contributor",
    "Key Vault Secrets Officer",
    "Key Vault Secrets User",
    "Managed Identity Operator",
    "Monitoring Data Reader",
    "Monitoring Reader",
    "Network Contributor",
    "Reader",
    "Storage Blob Data Contributor",
)
"""Built-in roles that the stacks assign. None of them lets its holder assign roles."""


def role_condition(ids: Iterable[str]) -> str:
    """Return the condition of a role assignment whose holder may give and take the roles of these ids alone.

    https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
    """
    listed = ", ".join(sorted(ids))
    actions = {"write": "Request", "delete": "Resource"}
    return " AND ".join(
        f"((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{action}'}})) OR "
        f"(@{source}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
        f"ForAnyOfAnyValues:GuidEquals {{{listed}}}))"
        for action, source in actions.items()
    )


@dataclass(frozen=True)
class Identity:
    """One identity of a pipeline."""

    purpose: Purpose
    used_by: str
    grants: tuple[Grant, ...]
    directory: tuple[tuple[str, str], ...] = ()
    """Application permissions of Microsoft Graph with their meaning, where the stack `identity` is the pipeline's."""


PLAN_ROLE = "pipeline plan (own role)"
"""Stands for the environment's custom role, whose name holds the environment's (`plan_role`)."""

READS_STATE = Grant(
    "Storage Blob Data Reader",
    Scope.STATE,
    "reads every state, which holds no secret value; takes no lock and writes nothing",
)

PLAN = Identity(
    Purpose.PLAN,
    "pull requests, the nightly drift, the plans of a deployment: code that nobody has read yet",
    (
        Grant("Reader", Scope.SUBSCRIPTION, "sees how every resource is configured; no key, no secret, no data"),
        Grant(
            PLAN_ROLE,
            Scope.SUBSCRIPTION,
            "finds clusters, and reads the kinds of Kubernetes objects that the stack `platform` holds: no Secret, no"
            " pod, no log, and writes nothing",
        ),
        READS_STATE,
        Grant("AcrPull", Scope.REGISTRY, "reads images and their lock, which says what is deployed; writes nothing"),
    ),
    (
        ("Application.Read.All", "reads the tenant's applications and who is assigned to them"),
        ("DelegatedPermissionGrant.Read.All", "reads which consents were given"),
        ("GroupMember.Read.All", "reads the tenant's groups with their members"),
    ),
)

IMAGES = Identity(
    Purpose.IMAGES,
    "the job that builds and imports images, on the default branch",
    (
        Grant("AcrPush", Scope.REGISTRY, "replaces any image that the cluster may run"),
        Grant(
            "Container Registry Data Importer and Data Reader",
            Scope.REGISTRY,
            "imports images from other registries (`importImage`, which AcrPush lacks), reads all",
        ),
        Grant("Reader", Scope.REGISTRY, "finds the registry"),
    ),
)

APPLY = Identity(
    Purpose.APPLY,
    "the job that applies reviewed plans, on the default branch",
    (
        Grant("Contributor", Scope.SUBSCRIPTION, "creates, changes and deletes everything in the subscription"),
        Grant(
            "User Access Administrator",
            Scope.SUBSCRIPTION,
            "writes locks, policies and, by a condition, assignments of the platform's own roles: none that assigns"
            " roles, so no Owner",
            assigns_listed_roles=True,
        ),
        Grant("Storage Blob Data Contributor", Scope.STATE, "reads, locks and writes every state"),
        Grant("AcrPush", Scope.REGISTRY, "replaces any image that the cluster may run"),
        Grant("Container Registry Data Importer and Data Reader", Scope.REGISTRY, "imports images, reads all"),
    ),
    (
        (
            "Application.ReadWrite.OwnedBy",
            "changes the applications that it has created or owns; no other one, no group, no consent",
        ),
    ),
)

BACKUP_ROLE = "pipeline backup (own role)"
"""Stands for the environment's other custom role."""

BACKUP = Identity(
    Purpose.BACKUP,
    "the nightly backup set, on the default branch, where `backups.scheduled` is on",
    (
        Grant("Reader", Scope.SUBSCRIPTION, "sees how every resource is configured; no key, no secret, no data"),
        READS_STATE,
        Grant(BACKUP_ROLE, Scope.DISKS, "takes snapshots of disks and of the share of uploads; deletes nothing"),
        Grant(BACKUP_ROLE, Scope.BACKUP_SETS, "locks snapshots, writes manifests; deletes none, lifts no lock"),
        Grant(BACKUP_ROLE, Scope.DATABASE, "reads names and versions of secrets, no value"),
        Grant(
            BACKUP_ROLE,
            Scope.CLUSTER,
            "scales Deployments, runs commands in pods, and so reads what they hold; reads no Secret",
            given_by="aks",
        ),
    ),
)

OFF_HOURS_ROLE = "pipeline off-hours (own role)"
"""Stands for the environment's custom role that stops and starts the cluster."""

OFF_HOURS = Identity(
    Purpose.OFF_HOURS,
    "the schedule that stops and starts the cluster, where `cluster.off_hours` is on",
    (
        READS_STATE,
        Grant(
            OFF_HOURS_ROLE,
            Scope.CLUSTER,
            "stops and starts the cluster; changes nothing else, logs in to nothing",
            given_by="aks",
        ),
    ),
)

IDENTITIES = (PLAN, IMAGES, APPLY, BACKUP, OFF_HOURS)


def identities(*, backups: bool, off_hours: bool) -> tuple[Identity, ...]:
    """Return the identities of a pipeline; those of a schedule only where there is one."""
    left_out = {Purpose.BACKUP: not backups, Purpose.OFF_HOURS: not off_hours}
    return tuple(identity for identity in IDENTITIES if not left_out.get(identity.purpose))


def table() -> str:
    """Return the identities with their rights as a Markdown table, for docs/reference/permissions.md."""
    return "\n".join(["| identity | right | on | its holder |", "|---|---|---|---|", *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    for identity in IDENTITIES:
        for grant in identity.grants:
            yield f"| `{identity.purpose}` | {grant.role} | {grant.scope} | {grant.means} |"
        for permission, means in identity.directory:
            yield f"| `{identity.purpose}` | `{permission}` | the directory, with `identity.manage` | {means} |"
