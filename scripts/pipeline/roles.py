"""The roles of a pipeline's identities in Azure, and the custom role of its plans."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from scripts.core.azure import AzureError

from .identities import (
    ASSIGNED_ROLES,
    BACKUP_ROLE,
    OFF_HOURS_ROLE,
    PLAN_ROLE,
    Grant,
    Identity,
    Purpose,
    Scope,
    role_condition,
)
from .own_roles import backup_role, off_hours_role, plan_role
from .place import REGISTRY, Place, Principal
from .steps import Step


@dataclass(frozen=True)
class Roles:
    """Compares the roles of identities with their description."""

    place: Place
    identities: Sequence[Identity]
    principals: Mapping[Purpose, Principal]
    """Those that are there; a step reads it when it is carried out, after the identity was created."""
    waiting: list[str]
    """Gets what can only be given once a stack is deployed."""
    ask: Callable[..., dict[str, Any]]
    ask_list: Callable[..., list[Any]] = field(kw_only=True)
    tell: Callable[..., str] = field(kw_only=True)

    def steps(self) -> Iterator[Step]:
        """Yield what is missing, differs or is too much. Raises AzureError."""
        used = {grant.role for identity in self.identities for grant in identity.grants}
        for own, (name, make) in self._own.items():
            if own in used:
                yield from self._role_definition(name, make(name, self.place.names.subscription_id))
        yield from self._assignments()

    def taken(self, principal: Principal, name: str) -> Iterator[Step]:
        """Yield what takes every role from an identity. Raises AzureError."""
        for given in self._given().get(principal.object_id, []):
            yield Step(f"take {given['roleDefinitionName']} from {name}", partial(self._take, given["id"]))

    def definitions_removed(self) -> Iterator[Step]:
        """Yield what removes the custom roles that there are. Raises AzureError."""
        for name, _ in self._own.values():
            if self._definition(name):
                gone = partial(
                    self.tell,
                    *("role", "definition", "delete", "--name", name),
                    *("--custom-role-only", "true", "--scope", self.place.subscription),
                )
                yield Step(f"delete role {name}", gone)

    @property
    def _own(self) -> Mapping[str, tuple[str, Callable[[str, str], dict[str, object]]]]:
        """Names of the environment's custom roles and what makes them, by what stands for them in a grant."""
        return {
            PLAN_ROLE: (self.place.plan_role, plan_role),
            BACKUP_ROLE: (self.place.backup_role, backup_role),
            OFF_HOURS_ROLE: (self.place.off_hours_role, off_hours_role),
        }

    def _definition(self, name: str) -> dict[str, Any] | None:
        found = self.ask_list(
            *("role", "definition", "list", "--custom-role-only", "true"),
            *("--name", name, "--scope", self.place.subscription),
        )
        return found[0] if found else None

    def _role_definition(self, name: str, desired: Mapping[str, object]) -> Iterator[Step]:
        found, text = self._definition(name), json.dumps(desired)
        if found is None:
            create = partial(self.ask, "role", "definition", "create", "--role-definition", text)
            yield Step(f"create role {name}: {_counted(desired)}", create)
            return
        there = found["permissions"][0]
        if (sorted(there["actions"]), sorted(there["dataActions"])) != (
            sorted(desired["Actions"]),  # type: ignore[call-overload]
            sorted(desired["DataActions"]),  # type: ignore[call-overload]
        ):
            update = partial(self.ask, "role", "definition", "update", "--role-definition", text)
            yield Step(f"change role {name}: {_counted(desired)}", update)

    def _given(self) -> dict[str, list[dict[str, Any]]]:
        """Return the role assignments in the subscription by principal."""
        found: dict[str, list[dict[str, Any]]] = {}
        for item in self.ask_list("role", "assignment", "list", "--all", *self._subscription):
            found.setdefault(item["principalId"], []).append(item)
        return found

    def _assignments(self) -> Iterator[Step]:
        given = self._given()
        for identity in self.identities:
            principal = self.principals.get(identity.purpose)
            name = self.place.identity(identity.purpose)
            held = given.get(principal.object_id, []) if principal else []
            there = {(item["roleDefinitionName"], item["scope"].lower()): item for item in held}
            desired = set()
            for grant in identity.grants:
                scope = self.place.scope(grant.scope)
                if scope is None:
                    continue
                role = self._own[grant.role][0] if grant.role in self._own else grant.role
                desired.add((role, scope.lower()))
                if grant.given_by:
                    continue
                if grant.scope in _STACKS and not self._exists(scope):
                    deploy = f"deploy the stack {_STACKS[grant.scope]}, then run this again"
                    self.waiting.append(f"{role} of {name} on {grant.scope}: {deploy}")
                elif (role, scope.lower()) not in there:
                    text = f"give {name} {role} on {grant.scope}: {grant.means}"
                    yield Step(text, partial(self._give, identity.purpose, role, scope, grant))
                elif self._unsettled(grant) or (there[role, scope.lower()].get("condition") or "") != self._condition(
                    grant
                ):
                    text = f"limit the roles that {name} may assign on {grant.scope} to those of the platform"
                    wide = there[role, scope.lower()]["id"]
                    yield Step(text, partial(self._limit, identity.purpose, role, scope, grant, wide))
            for (role, scope), assignment in there.items():
                # What the platform's own stacks give it stands for the operators of the environment file.
                if (role, scope) not in desired and self.place.group.lower() not in scope and not _of_stacks(role):
                    yield Step(f"take {role} on {scope} from {name}", partial(self._take, assignment["id"]))

    def _exists(self, scope: str) -> bool:
        name = scope.rsplit("/", 1)[-1].lower()
        return name in (self._groups if "/providers/" not in scope else self._registries)

    @cached_property
    def _groups(self) -> set[str]:
        return {item["name"].lower() for item in self.ask_list("group", "list", *self._subscription)}

    @cached_property
    def _registries(self) -> set[str]:
        found = self.ask_list("resource", "list", *self._subscription, "--resource-type", REGISTRY)
        return {item["name"].lower() for item in found}

    def _condition(self, grant: Grant) -> str:
        if not grant.assigns_listed_roles:
            return ""
        missing = sorted(set(ASSIGNED_ROLES) - set(self._built_in))
        if missing:
            raise AzureError(f"Azure has no built-in role {', '.join(missing)}, which the stacks assign")
        own = [found["name"] for name in self._given_by_stacks if (found := self._definition(name))]
        return role_condition([*(self._built_in[role] for role in ASSIGNED_ROLES), *own])

    @property
    def _given_by_stacks(self) -> list[str]:
        """Names of the custom roles that stacks give."""
        grants = [grant for identity in self.identities for grant in identity.grants]
        return sorted({self._own[grant.role][0] for grant in grants if grant.given_by})

    def _unsettled(self, grant: Grant) -> bool:
        """Tell whether a condition names a custom role that an earlier step makes."""
        return grant.assigns_listed_roles and None in map(self._definition, self._given_by_stacks)

    @cached_property
    def _built_in(self) -> Mapping[str, str]:
        """Ids of Azure's own roles by name."""
        listed = self.ask_list(
            *("role", "definition", "list", "--custom-role-only", "false", "--scope", self.place.subscription),
            *("--query", "[?roleType=='BuiltInRole'].{roleName: roleName, name: name}"),
        )
        return {item["roleName"]: item["name"] for item in listed}

    def _give(self, purpose: Purpose, role: str, scope: str, grant: Grant) -> None:
        condition = self._condition(grant)
        self.ask(
            *("role", "assignment", "create", "--assignee-object-id", self.principals[purpose].object_id),
            *("--assignee-principal-type", "ServicePrincipal", "--role", role, "--scope", scope),
            *(("--condition-version", "2.0", "--condition", condition) if condition else ()),
        )

    def _limit(self, purpose: Purpose, role: str, scope: str, grant: Grant, wide: str) -> None:
        self._take(wide)
        self._give(purpose, role, scope, grant)

    def _take(self, assignment: str) -> None:
        self.tell("role", "assignment", "delete", "--ids", assignment)

    @property
    def _subscription(self) -> tuple[str, str]:
        return ("--subscription", self.place.names.subscription_id)


_STACKS = {
    Scope.REGISTRY: "acr",
    Scope.DISKS: "disks",
    Scope.BACKUP_SETS: "disks",
    Scope.DATABASE: "database",
}
"""Stack that makes what a role is given on."""


def _counted(role: Mapping[str, Any]) -> str:
    return f"{len(role['Actions'])} actions, {len(role['DataActions'])} on data and Kubernetes objects"


def _of_stacks(role: str) -> bool:
    """Tell whether the stacks give the role to whoever `operators.object_ids` names."""
    return role in {"Key Vault Secrets Officer", "Azure Kubernetes Service RBAC Cluster Admin"}
