"""Whether the login may make in the directory what the stack `identity` makes: application, groups, consent.

A role that somebody can activate for a time (Privileged Identity Management) does not show before it is active.
"""

from collections.abc import Iterator

from scripts.azure import operations
from scripts.azure.shape import Shape
from stacks.settings.identity import IdentitySettings
from stacks.settings.opik import OpikSettings

from . import rights
from .azure.permissions import PAGE
from .findings import Finding, warning
from .surroundings import Surroundings

WIDER = {
    rights.OWNED: {"Application.ReadWrite.All"},
    rights.READ_APPLICATIONS: {"Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
    rights.CREATE_GROUPS: {"Group.ReadWrite.All", "Directory.ReadWrite.All"},
    rights.GRANT: {"Directory.ReadWrite.All"},
}
"""Permissions of Microsoft Graph that hold another one (https://learn.microsoft.com/graph/permissions-reference)."""
GLOBAL = "62e90394-69f5-4237-9190-012177145e10"
ADMINISTRATORS = {
    GLOBAL: "Global Administrator",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
}
"""Roles that may assign and consent (https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference)."""
DEVELOPERS = {**ADMINISTRATORS, "cf1c38e5-3621-4004-a7cb-879624dced7c": "Application Developer"}
"""Roles that may make an application where users may not."""
GROUP_MAKERS = {
    GLOBAL: "Global Administrator",
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "Groups Administrator",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
}
"""Roles that may make a group where users may not."""
_STOPS = "Entra refuses it (403), and the stack identity stops halfway"


class Role(Shape):
    """A role of the directory that somebody holds."""

    role_template_id: str = ""


class Allowed(Shape):
    """What every member of the directory may."""

    allowed_to_create_apps: bool = True
    allowed_to_create_security_groups: bool = True


class AuthorizationPolicy(Shape):
    """The tenant's own policy."""

    default_user_role_permissions: Allowed = Allowed()


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield what the login lacks. Raises AnswerError."""
    claims = asked.graph.login.claims(asked.graph.scope)
    roles = set(map(str, claims.get("wids") or ()))
    if claims.get("idtyp") == "app":
        yield from _of_program(
            asked.settings.identity, asked.settings.opik, set(map(str, claims.get("roles") or ())), roles
        )
    else:
        yield from _of_person(asked, roles)


def _of_program(identity: IdentitySettings, opik: OpikSettings, held: set[str], roles: set[str]) -> Iterator[Finding]:
    if roles & ADMINISTRATORS.keys():
        return
    missing = [right for right in needed(identity, opik) if right not in held and not (WIDER.get(right, set()) & held)]
    if missing:
        yield Finding(
            f"this login lacks {', '.join(missing)} in the directory (Microsoft Graph, application permissions)",
            f"{_STOPS}; {PAGE} says which is for what",
            "deploy identity once as a person who may: llmctl deploy ENV identity; or have a Privileged Role"
            " Administrator grant them",
        )


def needed(identity: IdentitySettings, opik: OpikSettings) -> list[str]:
    """Return the Graph permissions that a program needs for what this file makes."""
    spared = {
        rights.CREATE_GROUPS: not _makes_groups(identity, opik),
        rights.GRANT: not identity.admin_consent,
    }
    return [right for right in rights.program_rights() if not spared.get(right)]


def _makes_groups(identity: IdentitySettings, opik: OpikSettings) -> bool:
    own_traces = opik.enabled and opik.access_group_object_id is None
    return identity.access_group_object_id is None or own_traces


def _of_person(asked: Surroundings, roles: set[str]) -> Iterator[Finding]:
    roles |= {role.role_template_id for role in asked.graph.ask_all(operations.MY_DIRECTORY_ROLES, Role)}
    everybody = asked.graph.ask(operations.AUTHORIZATION_POLICY, AuthorizationPolicy).default_user_role_permissions
    if not everybody.allowed_to_create_apps and not roles & DEVELOPERS.keys():
        yield Finding(
            "users may not register applications in this tenant, and this login has no role that may",
            _STOPS,
            "have an administrator assign the role Application Developer, or use an existing application:"
            " docs/how-to/login.md",
        )
    may_make_groups = everybody.allowed_to_create_security_groups or roles & GROUP_MAKERS.keys()
    if _makes_groups(asked.settings.identity, asked.settings.opik) and not may_make_groups:
        yield Finding(
            "users may not create groups in this tenant, and this login has no role that may",
            _STOPS,
            "have an administrator assign the role Groups Administrator, or name existing groups in"
            " identity.access_group_object_id and opik.access_group_object_id",
        )
    if not roles & ADMINISTRATORS.keys():
        yield warning(
            "this login has no active role that assigns people to applications or consents for everybody",
            why="application and groups are made, then Entra refuses the assignment (403)",
            fix="activate or ask for the role Cloud Application Administrator; without consent: identity.admin_consent:"
            " false",
        )
