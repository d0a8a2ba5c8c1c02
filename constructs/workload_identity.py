"""A managed identity that one Kubernetes service account may use."""

from collections.abc import Mapping

from cdktf_cdktf_provider_azurerm.federated_identity_credential import FederatedIdentityCredential
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from stacks.platform.common.accounts import TOKEN_AUDIENCE, WorkloadAccount


class WorkloadIdentity(Construct):
    """An identity without secret: it trusts the tokens that the cluster's issuer gives to `account`, and no others."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        group: ResourceGroup,
        issuer_url: str,
        account: WorkloadAccount,
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.identity = UserAssignedIdentity(
            self,
            "identity",
            name=name,
            location=group.location,
            resource_group_name=group.name,
            tags=dict(tags),
        )
        FederatedIdentityCredential(
            self,
            "credential",
            name=account.name,
            resource_group_name=group.name,
            parent_id=self.identity.id,
            issuer=issuer_url,
            subject=account.subject,
            audience=[TOKEN_AUDIENCE],
        )
