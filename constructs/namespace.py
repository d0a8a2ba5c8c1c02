"""A Kubernetes namespace with its bounds: Pod Security, quota, container defaults, network policies."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.limit_range_v1 import (
    LimitRangeV1,
    LimitRangeV1Metadata,
    LimitRangeV1Spec,
    LimitRangeV1SpecLimit,
)
from cdktf_cdktf_provider_kubernetes.namespace_v1 import NamespaceV1, NamespaceV1Metadata
from cdktf_cdktf_provider_kubernetes.resource_quota_v1 import (
    ResourceQuotaV1,
    ResourceQuotaV1Metadata,
    ResourceQuotaV1Spec,
)
from constructs import Construct

from stacks.platform.common.namespaces import NamespaceRules
from stacks.platform.common.traffic import workloads

from .network_policy import allow, deny_all


class Namespace(NamespaceV1):
    """The namespace that `rules` describe, and its bounds beside it in the same scope.

    `bounds` are what a release in it has to wait for: installed before them, its pods would miss quota defaults and
    could talk to anybody.
    """

    def __init__(self, scope: Construct, rules: NamespaceRules, *, kubernetes_minor: str) -> None:
        """Add namespace and bounds; `kubernetes_minor` such as `1.36` fixes the meaning of the Pod Security levels."""
        name = rules.name
        levels = {"enforce": rules.enforced, "audit": rules.reported, "warn": rules.reported}
        labels = {f"pod-security.kubernetes.io/{mode}": level.value for mode, level in levels.items()}
        labels |= {f"pod-security.kubernetes.io/{mode}-version": f"v{kubernetes_minor}" for mode in levels}
        super().__init__(
            scope,
            f"{name}-namespace",
            metadata=NamespaceV1Metadata(name=name, labels=labels | {"app.kubernetes.io/managed-by": "terraform"}),
            wait_for_default_service_account=True,
        )
        created: str = self.metadata.name
        quota = ResourceQuotaV1(
            scope,
            f"{name}-quota",
            metadata=ResourceQuotaV1Metadata(name="quota", namespace=created),
            spec=ResourceQuotaV1Spec(hard=rules.quota),
        )
        limits = LimitRangeV1(
            scope,
            f"{name}-limits",
            metadata=LimitRangeV1Metadata(name="defaults", namespace=created),
            spec=LimitRangeV1Spec(
                limit=[
                    LimitRangeV1SpecLimit(
                        type="Container",
                        default=rules.container_defaults,
                        default_request=rules.container_requests,
                    )
                ]
            ),
        )
        allowances = [allow(scope, name, created, workload) for workload in workloads(rules.flows)]
        policies = [deny_all(scope, name, created), *allowances]
        self.bounds: list[ITerraformDependable] = [self, quota, limits, *policies]
