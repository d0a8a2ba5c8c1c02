"""A role of a managed identity."""

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.role_assignment import RoleAssignment
from constructs import Construct

from .role_name import role_name


class IdentityRole(RoleAssignment):
    """A built-in role of one managed identity on one scope.

    Stating the kind of principal spares Azure the look-up in Entra, which does not know a new identity for a while.
    """

    def __init__(self, scope: Construct, construct_id: str, *, role: str, on: str, principal_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            name=role_name(on, role, principal_id),
            scope=on,
            role_definition_name=role,
            principal_id=principal_id,
            principal_type="ServicePrincipal",
            lifecycle=TerraformResourceLifecycle(ignore_changes=["name"]),
        )
