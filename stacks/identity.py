"""The Entra application that people and programs log in with."""

from collections.abc import Sequence

from cdktf_cdktf_provider_azuread.data_azuread_client_config import DataAzureadClientConfig
from cdktf_cdktf_provider_azuread.provider import AzureadProvider
from constructs import Construct

from constructs.access_group import AccessGroup
from constructs.entra_application import EntraApplication

from .common import wiring
from .common.base import EnvironmentStack, Tier
from .common.outputs import IdentityOutputs
from .platform.components.chat.names import HOST as CHAT
from .settings import Settings


class IdentityStack(EnvironmentStack):
    """Owns the Entra application, its service principal and the access groups. Needs nothing. Outputs their ids.

    With `identity.manage: false` it owns nothing and outputs the ids that the environment file gives. No client secret
    exists: the cluster's stack lets its workloads prove themselves by federated credentials.
    """

    stack_name = "identity"
    tier = Tier.DURABLE
    has_resource_group = False

    def __init__(self, scope: Construct, settings: Settings, *, redirect_uris: Sequence[str]) -> None:
        """Add the application; `redirect_uris` are where Entra may return logins to."""
        super().__init__(scope, settings)
        self._redirect_uris = redirect_uris
        self.outputs = self._managed() if self.settings.identity.manage else self._given()
        wiring.publish(self, self.outputs)

    def _managed(self) -> IdentityOutputs:
        identity = self.settings.identity
        AzureadProvider(self, "azuread")
        owner = DataAzureadClientConfig(self, "deployer").object_id
        further = identity.access_group_owner_ids
        owners = [owner, *further] if further else []
        group_id = (
            identity.access_group_object_id
            or AccessGroup(self, "access-group", display_name=f"{self.names.base} users", owner_ids=owners).object_id
        )
        traces_group_id = self._traces_group(owner, owners)
        login = EntraApplication(
            self,
            "login",
            display_name=f"{self.names.base} login",
            homepage_url=f"{CHAT.url(self.settings.domain)}/",
            redirect_urls=self._redirect_uris,
            owner_id=owner,
            assignment_required=identity.assignment_required,
            admin_consent=identity.admin_consent,
            user_group_id=group_id,
            traces_group_id=traces_group_id,
            admin_ids=self.settings.operators.object_ids,
        )
        return IdentityOutputs(
            client_id=login.application.client_id,
            application_id=login.application.id,
            access_group_object_id=group_id,
            opik_access_group_object_id=traces_group_id or group_id,
            api_scope=login.api_scope,
            one_way=self.one_way,
        )

    def _traces_group(self, owner: str, owners: Sequence[str]) -> str | None:
        """Return the group of those who may see traces; made with the operators in it, or whoever deploys first."""
        opik = self.settings.opik
        if not opik.enabled:
            return None
        return (
            opik.access_group_object_id
            or AccessGroup(
                self,
                "opik-access-group",
                display_name=f"{self.names.base} traces",
                owner_ids=owners,
                purpose="see every trace in Opik",
                first_member_ids=self.settings.operators.object_ids or [owner],
            ).object_id
        )

    def _given(self) -> IdentityOutputs:
        identity = self.settings.identity
        if not (identity.client_id and identity.application_object_id and identity.access_group_object_id):
            raise ValueError(
                "identity.manage is false, so client_id, application_object_id and access_group_object_id must be given"
            )
        return IdentityOutputs(
            client_id=identity.client_id,
            application_id=f"/applications/{identity.application_object_id}",
            access_group_object_id=identity.access_group_object_id,
            opik_access_group_object_id=self.settings.opik.access_group_object_id or identity.access_group_object_id,
            api_scope=f"api://{identity.client_id}/access",
            one_way=self.one_way,
        )
