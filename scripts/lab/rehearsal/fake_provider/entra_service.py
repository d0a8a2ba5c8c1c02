"""Microsoft Entra as the azuread provider meets it: directory objects with made-up ids."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from scripts.lab.rehearsal.cloud import CloudObject

from .azure.ids import CALLER, TENANT
from .computed import guid
from .protocol.values import is_unknown
from .service import Facts, RefusedError, Service

_PREFIXES = {
    "azuread_application": "/applications/{guid}",
    "azuread_service_principal": "/servicePrincipals/{guid}",
    "azuread_group": "/groups/{guid}",
    "azuread_service_principal_delegated_permission_grant": "/oauth2PermissionGrants/{guid}",
}
_CHILDREN = {
    "azuread_application_federated_identity_credential": "{parent}/federatedIdentityCredential/{guid}",
    "azuread_application_identifier_uri": "{parent}/identifierUris/{uri}",
    "azuread_app_role_assignment": "{parent}/appRoleAssignment/{guid}",
    "azuread_application_pre_authorized": "{parent}/preAuthorizedApplication/{authorized}",
}
_GRANT = "azuread_service_principal_delegated_permission_grant"
_ASSIGNMENT = "azuread_app_role_assignment"
_GRAPH = "00000003-0000-0000-c000-000000000000"
_GRAPH_SCOPES = ("email", "openid", "profile", "offline_access", "User.Read", "GroupMember.Read.All", "Group.Read.All")


class EntraService(Service):
    """The directory: display names may repeat, so nothing but links between objects is unique."""

    def base_facts(self, type_name: str, attributes: Facts) -> dict[str, Any]:
        """Return the tenant."""
        del type_name, attributes
        return {"tenant": TENANT, "subscription": "", "group": ""}

    def unique_key(self, type_name: str, facts: Facts) -> str | None:
        """Return the link an object stands for; a service principal is one per application."""
        if type_name == "azuread_service_principal":
            return f"{type_name}|{facts.get('client_id')}"
        if type_name == "azuread_application_federated_identity_credential":
            return f"{type_name}|{facts.get('application_id')}|{facts.get('display_name')}"
        if type_name == _ASSIGNMENT:
            names = ("resource_object_id", "principal_object_id", "app_role_id")
            return "|".join((type_name, *(str(facts.get(name)) for name in names)))
        if type_name == _GRANT:
            names = ("service_principal_object_id", "resource_service_principal_object_id", "user_object_id")
            return "|".join((type_name, *(str(facts.get(name) or "") for name in names)))
        if type_name in _CHILDREN and "{guid}" not in _CHILDREN[type_name]:
            return f"{type_name}|{self._child(type_name, facts, '')}"
        return None

    def exists_message(self, type_name: str, object_id: str, existing: CloudObject | None) -> str:
        """Return Graph's own words, where azuread 3.7 does not look before it asks."""
        conflict = "unexpected status 409 (409 Conflict) with error: Request_MultipleObjectsWithSameKeyValue"
        if type_name == "azuread_application_federated_identity_credential":
            return f"{conflict}: FederatedIdentityCredential with the same name exists"
        if type_name == _GRANT:
            # https://github.com/hashicorp/terraform-provider-azuread/issues/690
            return f"Could not create delegated permission grant: {conflict}: Permission entry already exists."
        if type_name == _ASSIGNMENT:
            # https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
            return (
                "Could not create app role assignment: unexpected status 400 (400 Bad Request) with error:"
                " Request_BadRequest: Permission being assigned already exists on the object"
            )
        return super().exists_message(type_name, object_id, existing)

    def check_plan(self, type_name: str, planned: Facts) -> None:
        """Refuse a second object of a name that may not be taken twice, as azuread 3.7 does while it plans."""
        name = planned.get("display_name")
        if not planned.get("prevent_duplicate_names") or is_unknown(name):
            return
        for found in self.cloud.objects(type_name):
            if found.state.get("display_name") == name:
                raise RefusedError(
                    f'An existing "{type_name}" with name "{name}" (ID: "{found.state["object_id"]}") was found and'
                    " `prevent_duplicate_names` was specified. To be managed via Terraform, this resource needs to be"
                    f' imported into the State. Please see the resource documentation for "{type_name}" for more'
                    " information."
                )

    def lost_message(self, address: str) -> str:
        """Return what the SDK under azuread says."""
        return f"{address}: HTTP response was nil; connection may have been reset"

    def made_up(self, type_name: str, facts: Facts, seed: str) -> dict[str, Any]:
        """Return the id and, for directory objects, the object id in it."""
        identifier = guid(seed)
        if type_name in _CHILDREN:
            return {"id": self._child(type_name, facts, identifier)}
        prefix = _PREFIXES.get(type_name, "{guid}")
        return {"id": prefix.replace("{guid}", identifier), "object_id": identifier}

    def _child(self, type_name: str, facts: Facts, identifier: str) -> str:
        parent = next(
            (str(facts[name]) for name in ("application_id", "principal_object_id") if facts.get(name)),
            "",
        )
        holes = {
            "parent": parent,
            "guid": identifier,
            "authorized": facts.get("authorized_client_id"),
            "uri": base64.b64encode(str(facts.get("identifier_uri")).encode()).decode(),
        }
        text = _CHILDREN[type_name]
        for name, value in holes.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def templates(self, type_name: str) -> Mapping[str, str]:
        """Return the client id of an application."""
        return {"client_id": "{guid}"} if type_name.startswith("azuread_application") else {}

    def read_data(self, type_name: str, config: Facts) -> dict[str, Any] | None:
        """Return who asks, the well-known applications, or a directory object by its name."""
        if type_name == "azuread_client_config":
            return {"client_id": CALLER, "object_id": CALLER, "tenant_id": TENANT, "id": TENANT}
        if type_name == "azuread_service_principal" and config.get("client_id") == _GRAPH:
            scopes = {name: guid(f"scope {name}") for name in _GRAPH_SCOPES}
            return {"oauth2_permission_scope_ids": scopes, "app_role_ids": scopes}
        for name in ("client_id", "object_id", "display_name"):
            wanted = config.get(name)
            if wanted:
                for found in self.cloud.objects(type_name):
                    if found.state.get(name) == wanted:
                        return dict(found.state)
        return {}  # people, groups and applications of the tenant that are not ours
