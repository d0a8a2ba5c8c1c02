"""The container registry."""

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.container_registry import (
    ContainerRegistry,
    ContainerRegistryGeoreplications,
    ContainerRegistryNetworkRuleSet,
    ContainerRegistryNetworkRuleSetIpRule,
)
from constructs import Construct

from constructs.deny_delete_policy import DenyDeletePolicy

from .common import wiring
from .common.base import EnvironmentStack, Tier
from .common.outputs import AcrOutputs
from .settings import Settings

BILLED = (
    *("disks", "disks-snapshots", "disks-backup-sets", "disks-models", "acr", "database", "address", "network"),
    *("aks", "aks-nodes"),
)
"""Ends of the names of all resource groups that an environment may have; AKS puts the nodes into one of its own."""


class AcrStack(EnvironmentStack):
    """Owns the container registry. Needs nothing. Publishes its id, name and login server.

    The environment's budget, where it has one, is here too: this stack comes first and outlives the cluster.

    The cluster's right to pull is given by the cluster's stack. Docker Content Trust is left out: Azure enables it on
    no new registry since May 2026 and removes it in 2028 (https://learn.microsoft.com/azure/container-registry/
    container-registry-content-trust-deprecation); images are referenced by digest instead.
    """

    stack_name = "acr"
    tier = Tier.DURABLE

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, settings)
        registry = self._registry()
        DenyDeletePolicy(
            self,
            "guard",
            name=self.names.resource("keep-registry"),
            resource_group_id=self.resource_group.id,
            resource_types=["Microsoft.ContainerRegistry/registries"],
            guarded=[registry],
            reason="The registry holds the images that the platform runs; see docs/data.md.",
        )
        if self.settings.budget.monthly_amount is not None:
            self._budget(self.settings.budget.monthly_amount)
        self.outputs = AcrOutputs(
            resource_group_id=self.resource_group.id,
            registry_id=registry.id,
            registry_name=registry.name,
            login_server=registry.login_server,
            one_way=self.one_way,
        )
        wiring.publish(self, self.outputs)

    def _budget(self, amount: int) -> None:
        # Imported by environments with a budget alone: the binding is slow.
        from constructs.budget import Budget  # noqa: PLC0415

        budget = self.settings.budget
        Budget(
            self,
            "budget",
            name=self.names.resource("monthly"),
            subscription_id=self.settings.azure.subscription_id,
            resource_groups=[self.names.resource_group(stack) for stack in BILLED],
            amount=amount,
            alert_at_percent=budget.alert_at_percent,
            alert_on_forecast=budget.alert_on_forecast,
            email_addresses=budget.email_addresses or self.settings.monitoring.alerts.email_addresses,
            action_group_ids=budget.action_group_ids,
        )

    def _registry(self) -> ContainerRegistry:
        registry = self.settings.registry
        premium = registry.tier == "Premium"
        return ContainerRegistry(
            self,
            "registry",
            name=self.names.container_registry,
            location=self.resource_group.location,
            resource_group_name=self.resource_group.name,
            sku=registry.tier,
            admin_enabled=False,
            anonymous_pull_enabled=False,
            public_network_access_enabled=registry.public_access,
            network_rule_bypass_option="AzureServices",
            # Azure takes these on Premium only; stated there even when off, so that turning one off takes effect.
            network_rule_set=self._network_rules() if premium else None,
            data_endpoint_enabled=premium,
            zone_redundancy_enabled=premium and bool(self.settings.azure.zones),
            quarantine_policy_enabled=premium and registry.quarantine,
            retention_policy_in_days=registry.untagged_retention_days if premium else None,
            # Azure couples the two: artifacts may only be kept from leaving a registry that is closed to the internet.
            export_policy_enabled=registry.public_access,
            georeplications=[
                ContainerRegistryGeoreplications(location=region, regional_endpoint_enabled=True, tags=self.tags)
                for region in sorted(registry.geo_replicas)
            ]
            or None,
            tags=self.tags,
            # Azure makes every registry zone-redundant, whatever its tier, and will say so some day; the provider would
            # replace it for that. (Below Premium azurerm 4.55 then refuses every plan; a newer one has to be taken.)
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=["zone_redundancy_enabled"]),
        )

    def _network_rules(self) -> list[ContainerRegistryNetworkRuleSet]:
        ranges = self.settings.operators.ip_ranges if self.settings.registry.public_access else ()
        closed = bool(ranges) or not self.settings.registry.public_access
        return [
            ContainerRegistryNetworkRuleSet(
                default_action="Deny" if closed else "Allow",
                ip_rule=[
                    ContainerRegistryNetworkRuleSetIpRule(action="Allow", ip_range=str(range_)) for range_ in ranges
                ],
            )
        ]
