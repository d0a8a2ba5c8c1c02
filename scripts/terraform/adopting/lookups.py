"""Ids that Azure and Entra have made up, found by what a plan knows of a resource."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.core.azure import az, az_list

Known = Mapping[str, Any]
_GRAPH = "https://graph.microsoft.com/v1.0"

NEEDED = {
    "azurerm_role_assignment": ("scope", "principal_id"),
    "azurerm_key_vault_secret": ("key_vault_id", "name"),
    "azuread_application": ("display_name",),
    "azuread_group": ("display_name",),
    "azuread_service_principal": ("client_id",),
    "azuread_application_identifier_uri": ("application_id", "identifier_uri"),
    "azuread_application_pre_authorized": ("application_id", "authorized_client_id"),
    "azuread_application_federated_identity_credential": ("application_id", "display_name"),
    "azuread_app_role_assignment": ("resource_object_id", "principal_object_id", "app_role_id"),
    "azuread_service_principal_delegated_permission_grant": (
        "service_principal_object_id",
        "resource_service_principal_object_id",
    ),
}
"""What has to be known of a resource before it can be looked up."""


@dataclass(frozen=True)
class Lookups:
    """Asks the Azure CLI."""

    ask: Callable[..., dict[str, Any]] = az
    ask_list: Callable[..., list[Any]] = az_list

    def find(self, type_: str, known: Known) -> str | None:
        """Return the import id of the one resource that fits; None where there is none, or more than one.

        Raises AzureError.
        """
        if type_ == "azurerm_role_assignment":
            return self._role(known)
        if type_ == "azurerm_key_vault_secret":
            return self._secret(known)
        kind = type_.removeprefix("azuread_")
        app = str(known.get("application_id")).rsplit("/", 1)[-1]
        if kind == "application_identifier_uri":
            uri = base64.b64encode(str(known["identifier_uri"]).encode()).decode()
            return f"/applications/{app}/identifierUris/{uri}"
        if kind == "application_pre_authorized":
            return f"{app}/preAuthorizedApplication/{known['authorized_client_id']}"
        path, fits, form = self._in_the_directory(kind, app, known)
        found = [it["id"] for it in self._graph(path) if all(it.get(key) == value for key, value in fits.items())]
        return form + str(found[0]) if len(found) == 1 else None

    def _in_the_directory(self, kind: str, app: str, known: Known) -> tuple[str, dict[str, Any], str]:
        """Return where such objects are listed, what the right one has, and what its import id begins with."""
        if kind in ("application", "group"):
            name = known["display_name"]
            return f"{kind}s?$filter=displayName eq '{name}'", {"displayName": name}, f"/{kind}s/"
        if kind == "service_principal":
            client = known["client_id"]
            return f"servicePrincipals?$filter=appId eq '{client}'", {"appId": client}, "/servicePrincipals/"
        if kind == "application_federated_identity_credential":
            fits = {"name": known["display_name"]}
            return f"applications/{app}/federatedIdentityCredentials", fits, f"{app}/federatedIdentityCredential/"
        if kind == "app_role_assignment":
            path = f"servicePrincipals/{known['resource_object_id']}/appRoleAssignedTo"
            fits = {"principalId": known["principal_object_id"], "appRoleId": known["app_role_id"]}
            return path, fits, f"/{path}/"
        path = f"servicePrincipals/{known['service_principal_object_id']}/oauth2PermissionGrants"
        return path, {"resourceId": known["resource_service_principal_object_id"]}, "/oauth2PermissionGrants/"

    def _graph(self, path: str) -> list[dict[str, Any]]:
        return list(self.ask("rest", "--method", "GET", "--url", f"{_GRAPH}/{path}")["value"])

    def _role(self, known: Known) -> str | None:
        listed = self.ask_list("role", "assignment", "list", "--scope", str(known["scope"]))
        given = str(known.get("role_definition_id") or "").rsplit("/", 1)[-1]
        found = [
            it["id"]
            for it in listed
            if it["principalId"] == known["principal_id"]
            and str(it["scope"]).lower() == str(known["scope"]).lower()
            and (
                it["roleDefinitionId"].rsplit("/", 1)[-1] == given
                or it["roleDefinitionName"] == known.get("role_definition_name")
            )
        ]
        return str(found[0]) if len(found) == 1 else None

    def _secret(self, known: Known) -> str | None:
        vault = str(known["key_vault_id"]).rsplit("/", 1)[-1]
        listed = self.ask_list(
            "keyvault", "secret", "list-versions", "--vault-name", vault, "--name", str(known["name"])
        )  # fmt: skip
        newest = max(listed, key=lambda it: str(it["attributes"]["created"]), default=None)
        return str(newest["id"]) if newest else None
