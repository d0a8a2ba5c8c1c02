"""The Entra group whose members may use the platform."""

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azuread.group import Group
from constructs import Construct


class AccessGroup(Group):
    """A security group that Terraform creates and people fill: members and owners are never changed afterwards."""

    def __init__(self, scope: Construct, construct_id: str, *, display_name: str, owner_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            display_name=display_name,
            description="Members may use the platform. Membership is managed here in Entra, not in code.",
            security_enabled=True,
            prevent_duplicate_names=True,
            owners=[owner_id],
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=["members", "owners"]),
        )
