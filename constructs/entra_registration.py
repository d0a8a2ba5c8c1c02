"""The registration of an application in Entra: its roles, its scope, and what it asks of Microsoft Graph."""

import uuid
from collections.abc import Sequence

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azuread.application import (
    Application,
    ApplicationApi,
    ApplicationApiOauth2PermissionScope,
    ApplicationAppRole,
    ApplicationOptionalClaims,
    ApplicationOptionalClaimsAccessToken,
    ApplicationOptionalClaimsIdToken,
    ApplicationRequiredResourceAccess,
    ApplicationRequiredResourceAccessResourceAccess,
    ApplicationWeb,
    ApplicationWebImplicitGrant,
)
from constructs import Construct

MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
GRAPH_SCOPES = {
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
}
"""Delegated permissions of a login with their ids (https://learn.microsoft.com/graph/permissions-reference)."""

ACCESS_SCOPE = "access"

ROLES = {
    "user": "May use the platform.",
    "admin": "May administer the applications of the platform.",
    "traces": "May log in where the platform's traces are.",
}
"""Application roles, as they stand in the `roles` claim, with what they mean."""


class EntraRegistration(Application):
    """A registration for people and programs of this tenant alone, protected from deletion.

    `only_assigned_groups` names in a token only the groups that are assigned to the application, so that nobody has too
    many; otherwise all security groups of the person.
    """

    scope_id: str
    """Id of the scope that programs ask for."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        display_name: str,
        homepage_url: str,
        redirect_urls: Sequence[str],
        owner_id: str,
        only_assigned_groups: bool,
    ) -> None:
        self._name = display_name
        self.scope_id = self._stable_id(f"scope/{ACCESS_SCOPE}")
        super().__init__(
            scope,
            id_,
            display_name=display_name,
            description="Login of the LLM platform",
            sign_in_audience="AzureADMyOrg",
            prevent_duplicate_names=True,
            # Needed by a deployer that may only manage what it owns.
            owners=[owner_id],
            group_membership_claims=["ApplicationGroup" if only_assigned_groups else "SecurityGroup"],
            optional_claims=ApplicationOptionalClaims(
                access_token=[ApplicationOptionalClaimsAccessToken(name="groups")],
                id_token=[
                    ApplicationOptionalClaimsIdToken(name="email"),
                    ApplicationOptionalClaimsIdToken(name="groups"),
                ],
            ),
            api=ApplicationApi(requested_access_token_version=2, oauth2_permission_scope=[_access(self.scope_id)]),
            app_role=[
                ApplicationAppRole(
                    id=self.role_id(role),
                    allowed_member_types=["Application", "User"],
                    display_name=role.capitalize(),
                    description=meaning,
                    value=role,
                    enabled=True,
                )
                for role, meaning in ROLES.items()
            ],
            required_resource_access=[
                ApplicationRequiredResourceAccess(
                    resource_app_id=MICROSOFT_GRAPH,
                    resource_access=[
                        ApplicationRequiredResourceAccessResourceAccess(id=permission, type="Scope")
                        for permission in GRAPH_SCOPES.values()
                    ],
                )
            ],
            web=ApplicationWeb(
                homepage_url=homepage_url,
                redirect_uris=list(redirect_urls),
                implicit_grant=ApplicationWebImplicitGrant(
                    access_token_issuance_enabled=False, id_token_issuance_enabled=False
                ),
            ),
            # The identifier contains this resource's id, so that it is a resource of its own.
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=["identifier_uris", "owners"]),
        )

    def role_id(self, role: str) -> str:
        """Return the id of one of `ROLES`."""
        return self._stable_id(f"role/{role}")

    def _stable_id(self, path: str) -> str:
        """Id of a role or scope, equal at every synthesis; Entra wants it unique within the application."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._name}/{path}"))


def _access(id_: str) -> ApplicationApiOauth2PermissionScope:
    meaning = "Use the platform's models and traces in the name of the signed-in user."
    return ApplicationApiOauth2PermissionScope(
        id=id_,
        type="User",
        value=ACCESS_SCOPE,
        enabled=True,
        admin_consent_display_name="Use the LLM platform",
        admin_consent_description=meaning,
        user_consent_display_name="Use the LLM platform",
        user_consent_description=meaning,
    )
