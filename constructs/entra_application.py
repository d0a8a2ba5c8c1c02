"""The Entra application that people log in with and programs ask tokens for."""

from collections.abc import Sequence

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azuread.app_role_assignment import AppRoleAssignment
from cdktf_cdktf_provider_azuread.application_identifier_uri import ApplicationIdentifierUri
from cdktf_cdktf_provider_azuread.application_pre_authorized import ApplicationPreAuthorized
from cdktf_cdktf_provider_azuread.data_azuread_service_principal import DataAzureadServicePrincipal
from cdktf_cdktf_provider_azuread.service_principal import ServicePrincipal
from cdktf_cdktf_provider_azuread.service_principal_delegated_permission_grant import (
    ServicePrincipalDelegatedPermissionGrant,
)
from constructs import Construct

from .entra_registration import ACCESS_SCOPE, GRAPH_SCOPES, MICROSOFT_GRAPH, EntraRegistration

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""Client id of the Azure CLI in every tenant."""

KEEP_FIRST_PRINCIPAL = TerraformResourceLifecycle(ignore_changes=["principal_object_id"])
"""The next deployer does not take over what the first one got."""


class EntraApplication(Construct):
    """One application registration for all logins of an environment, and its service principal.

    With `assignment_required` Entra gives tokens only to members of `user_group_id` (role `user`), of `traces_group_id`
    (role `traces`) and to `admin_ids` (role `admin`; the owner when there are none), and names in the token only groups
    that are assigned, so that nobody has too many. Without it every account of the tenant gets a token, and the
    applications check the group claim.

    An application that requires assignment needs an administrator's consent to what it asks of Microsoft Graph,
    whatever the tenant lets users consent to
    (https://learn.microsoft.com/entra/identity/enterprise-apps/configure-user-consent); until then every login ends at
    "Need admin approval" (AADSTS65001, AADSTS90094). `admin_consent` gives it here, for the whole tenant, as the
    portal's button does; without, an administrator has to.
    """

    application: EntraRegistration
    """The registration; its client id is the audience of every token."""
    service_principal: ServicePrincipal
    """What roles and consent are given to."""
    api_scope: str
    """Scope that programs ask for, `api://<client id>/access`; there once the identifier is set."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        display_name: str,
        homepage_url: str,
        redirect_urls: Sequence[str],
        owner_id: str,
        assignment_required: bool,
        admin_consent: bool,
        user_group_id: str,
        traces_group_id: str | None = None,
        admin_ids: Sequence[str],
    ) -> None:
        super().__init__(scope, id_)
        self.application = EntraRegistration(
            self,
            "application",
            display_name=display_name,
            homepage_url=homepage_url,
            redirect_urls=redirect_urls,
            owner_id=owner_id,
            only_assigned_groups=assignment_required,
        )
        identifier = ApplicationIdentifierUri(
            self,
            "identifier",
            application_id=self.application.id,
            identifier_uri=f"api://{self.application.client_id}",
        )
        self.api_scope = f"{identifier.identifier_uri}/{ACCESS_SCOPE}"
        # So that `az account get-access-token --scope <api_scope>` gives people a token without a consent page.
        ApplicationPreAuthorized(
            self,
            "azure-cli",
            application_id=self.application.id,
            authorized_client_id=AZURE_CLI,
            permission_ids=[self.application.scope_id],
        )
        self.service_principal = ServicePrincipal(
            self,
            "service-principal",
            client_id=self.application.client_id,
            app_role_assignment_required=assignment_required,
            login_url=homepage_url,
            owners=[owner_id],
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=["owners"]),
        )
        if admin_consent:
            self._consent()
        if assignment_required:
            self._assign("users", "user", user_group_id)
            if traces_group_id is not None:
                self._assign("traces", "traces", traces_group_id)
            for admin_id in admin_ids:
                self._assign(f"admin-{admin_id}", "admin", admin_id)
            if not admin_ids:
                self._assign("admin", "admin", owner_id, lifecycle=KEEP_FIRST_PRINCIPAL)

    def _consent(self) -> None:
        graph = DataAzureadServicePrincipal(self, "microsoft-graph", client_id=MICROSOFT_GRAPH)
        ServicePrincipalDelegatedPermissionGrant(
            self,
            "consent",
            service_principal_object_id=self.service_principal.object_id,
            resource_service_principal_object_id=graph.object_id,
            claim_values=sorted(GRAPH_SCOPES),
        )

    def _assign(
        self, id_: str, role: str, principal_id: str, lifecycle: TerraformResourceLifecycle | None = None
    ) -> None:
        AppRoleAssignment(
            self,
            id_,
            app_role_id=self.application.role_id(role),
            principal_object_id=principal_id,
            resource_object_id=self.service_principal.object_id,
            lifecycle=lifecycle,
        )
