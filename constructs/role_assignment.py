"""A role of a user or an identity on a scope in Azure."""

from typing import Literal

from cdktf import Fn, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.role_assignment import RoleAssignment as AzurermRoleAssignment
from constructs import Construct


class RoleAssignment(AzurermRoleAssignment):
    """A built-in role of one principal on one scope, under a name that two runs agree on.

    Without a name the provider takes a random one: after an answer that got lost, the next run asks Azure for a second
    assignment under another name, is refused, and learns the id only in part. With it, the provider finds the first
    one itself and tells its whole id. Changes of the name are ignored: assignments that exist keep theirs, since
    another name would take the role away for a while.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        role: str,
        on: str,
        principal_id: str,
        principal_type: Literal["ServicePrincipal"] | None = "ServicePrincipal",
        description: str | None = None,
        keep_principal: bool = False,
    ) -> None:
        """Add the assignment of the built-in role named `role` on the resource id `on`.

        Stating that the principal is a managed identity spares Azure the look-up in Entra, which does not know a new
        one for a while; None is for principals of any kind. `keep_principal` is for the role of whoever deploys: it
        stays with the first one.
        """
        super().__init__(
            scope,
            id_,
            name=Fn.uuidv5("url", f"{on}|{role}|{principal_id}"),
            scope=on,
            role_definition_name=role,
            principal_id=principal_id,
            principal_type=principal_type,
            description=description,
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=["name", *(["principal_id"] if keep_principal else [])]
            ),
        )
