"""Azure Policy that denies deletion, for resources that a management lock would bind too tightly."""

import json
from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_azurerm.policy_definition import PolicyDefinition
from cdktf_cdktf_provider_azurerm.resource_group_policy_assignment import (
    ResourceGroupPolicyAssignment,
    ResourceGroupPolicyAssignmentNonComplianceMessage,
)
from constructs import Construct


class DenyDeletePolicy(Construct):
    """Refuses to delete resources of the given types in one resource group, and the group with them.

    A CanNotDelete lock is inherited by everything below the resource, so it would also keep the private endpoints
    and role assignments of the disposable stacks from being removed. The policy effect `denyAction` concerns the named
    types alone (https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny-action).
    `resource_types` are full type names such as `Microsoft.KeyVault/vaults`, `guarded` the stack's resources of these
    types: whoever destroys the stack on purpose then has Terraform lift the guard before it turns to them.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        resource_group_id: str,
        resource_types: Sequence[str],
        guarded: Sequence[ITerraformDependable],
        reason: str,
    ) -> None:
        super().__init__(scope, id_)
        definition = PolicyDefinition(
            self,
            "definition",
            name=name,
            display_name=f"{name}: refuse deletion",
            description=reason,
            policy_type="Custom",
            mode="Indexed",
            policy_rule=json.dumps(
                {
                    "if": {"field": "type", "in": list(resource_types)},
                    "then": {
                        "effect": "denyAction",
                        "details": {"actionNames": ["delete"], "cascadeBehaviors": {"resourceGroup": "deny"}},
                    },
                }
            ),
        )
        ResourceGroupPolicyAssignment(
            self,
            "assignment",
            name=name,
            display_name=f"{name}: refuse deletion",
            resource_group_id=resource_group_id,
            policy_definition_id=definition.id,
            non_compliance_message=[ResourceGroupPolicyAssignmentNonComplianceMessage(content=reason)],
            depends_on=list(guarded),
        )
