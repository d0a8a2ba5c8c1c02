"""The objects of a namespace: itself and its bounds, which are Pod Security, quota, defaults and network policies."""

from collections.abc import Sequence
from dataclasses import dataclass

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

from constructs.network_policy import DenyAllPolicy, NetworkPolicy

from .namespaces import NamespaceRules
from .traffic import Direction, workloads


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace that is bounded."""

    name: str
    """Token: what uses it comes after the namespace."""
    bounds: tuple[ITerraformDependable, ...]
    """What a release in it has to wait for: installed before them, its pods would miss quota defaults and could talk to
    anybody."""


def add_namespace(
    scope: Construct, rules: NamespaceRules, *, kubernetes_minor: str, private_ranges: Sequence[str] = ()
) -> Namespace:
    """Add namespace and bounds; `kubernetes_minor` such as `1.36` fixes the meaning of the Pod Security levels.

    What goes out to every address leaves out `private_ranges`: a pod reaches those by a rule of its own.

    They lie in `scope` itself, not in a subtree: their Terraform addresses are state.
    """
    name = rules.name
    levels = {"enforce": rules.enforced, "audit": rules.reported, "warn": rules.reported}
    labels = {f"pod-security.kubernetes.io/{mode}": level.value for mode, level in levels.items()}
    labels |= {f"pod-security.kubernetes.io/{mode}-version": f"v{kubernetes_minor}" for mode in levels}
    labels |= rules.labels
    namespace = NamespaceV1(
        scope,
        f"{name}-namespace",
        metadata=NamespaceV1Metadata(name=name, labels=labels | {"app.kubernetes.io/managed-by": "terraform"}),
        wait_for_default_service_account=True,
    )
    created: str = namespace.metadata.name
    quota = ResourceQuotaV1(
        scope,
        f"{name}-quota",
        metadata=ResourceQuotaV1Metadata(name="quota", namespace=created),
        spec=ResourceQuotaV1Spec(hard=dict(rules.quota)),
    )
    limits = LimitRangeV1(
        scope,
        f"{name}-limits",
        metadata=LimitRangeV1Metadata(name="defaults", namespace=created),
        spec=LimitRangeV1Spec(
            limit=[
                LimitRangeV1SpecLimit(
                    type="Container",
                    default=dict(rules.container_defaults),
                    default_request=dict(rules.container_requests),
                )
            ]
        ),
    )
    allowances = [
        NetworkPolicy(
            scope,
            f"{name}-{workload.name}-traffic",
            name=workload.name,
            namespace=created,
            pods=workload.pods,
            ingress=workload.towards(Direction.INGRESS),
            egress=workload.towards(Direction.EGRESS),
            private_ranges=private_ranges,
        )
        for workload in workloads(rules.traffic)
    ]
    deny_all = DenyAllPolicy(scope, f"{name}-deny-all", namespace=created)
    return Namespace(name=created, bounds=(namespace, quota, limits, deny_all, *allowances))
