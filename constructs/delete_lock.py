"""Azure's lock against deleting a resource."""

from cdktf_cdktf_provider_azurerm.management_lock import ManagementLock
from constructs import Construct


class DeleteLock(ManagementLock):
    """A CanNotDelete lock on one resource, whatever the role and the tool.

    Only for resources that neither a role assignment nor a private endpoint of another stack points at: Azure
    refuses to delete those, too, as long as the resource that they point at is locked
    (https://github.com/hashicorp/terraform-provider-azurerm/issues/11770 and /issues/17478).
    Use `DenyDeletePolicy` there.
    """

    def __init__(self, scope: Construct, id_: str, *, resource_id: str, reason: str) -> None:
        super().__init__(scope, id_, name="keep", scope=resource_id, lock_level="CanNotDelete", notes=reason)
