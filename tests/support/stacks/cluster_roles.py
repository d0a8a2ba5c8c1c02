"""Role assignments of a synthesized cluster, and the people and ranges that tests of it name."""

import pytest

from tests.support.stacks.durable import Block, of_type

OFFICE = "203.0.113.0/24"
SITE = "198.51.100.0/24"
SOMEBODY = "11111111-2222-3333-4444-555555555555"
ADMINS = "22222222-2222-3333-4444-555555555555"
DISK_KEY = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/keys"
    "/providers/Microsoft.Compute/diskEncryptionSets/cluster"
)
ENVIRONMENTS = pytest.mark.parametrize("environment", ["dev", "prod"])


def roles_of(aks: Block) -> set[tuple[str, str, str]]:
    """Every role as principal, role and scope, shortened to what tells them apart."""

    def short(token: str) -> str:
        return token.removeprefix("${").removesuffix("}").removeprefix("data.terraform_remote_state.")

    return {
        (short(role["principal_id"]), role["role_definition_name"], short(role["scope"]))
        for role in of_type(aks, "azurerm_role_assignment")
    }
