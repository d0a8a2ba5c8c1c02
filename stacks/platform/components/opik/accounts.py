"""The service accounts of Opik's pods and what they may do in Kubernetes, as Terraform resources."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.default_service_account_v1 import (
    DefaultServiceAccountV1,
    DefaultServiceAccountV1Metadata,
)
from cdktf_cdktf_provider_kubernetes.role_binding_v1 import (
    RoleBindingV1,
    RoleBindingV1Metadata,
    RoleBindingV1RoleRef,
    RoleBindingV1Subject,
)
from cdktf_cdktf_provider_kubernetes.role_v1 import RoleV1, RoleV1Metadata, RoleV1Rule
from cdktf_cdktf_provider_kubernetes.service_account_v1 import ServiceAccountV1, ServiceAccountV1Metadata
from constructs import Construct

from stacks.platform.common.namespace_bounds import Namespace

from .names import ACCOUNT, BACKEND_ACCOUNT
from .settling import RIGHTS


def add_accounts(scope: Construct, namespace: Namespace) -> list[ITerraformDependable]:
    """Add the account of pods that ask Kubernetes nothing, and take the token from the one that pods get by default.

    The backend has its own, with the right to read how the stores are; no pod gets a token but by a volume of its own.
    """
    backend = ServiceAccountV1(
        scope,
        "opik-backend-account",
        metadata=ServiceAccountV1Metadata(name=BACKEND_ACCOUNT, namespace=namespace.name),
        automount_service_account_token=False,
    )
    role = RoleV1(
        scope,
        "opik-backend-role",
        metadata=RoleV1Metadata(name=BACKEND_ACCOUNT, namespace=namespace.name),
        rule=[RoleV1Rule(**rule) for rule in RIGHTS],
    )
    binding = RoleBindingV1(
        scope,
        "opik-backend-role-binding",
        metadata=RoleBindingV1Metadata(name=BACKEND_ACCOUNT, namespace=namespace.name),
        role_ref=RoleBindingV1RoleRef(api_group="rbac.authorization.k8s.io", kind="Role", name=role.metadata.name),
        subject=[
            RoleBindingV1Subject(
                kind="ServiceAccount", name=backend.metadata.name, namespace=namespace.name, api_group=""
            )
        ],
    )
    return [
        backend,
        binding,
        ServiceAccountV1(
            scope,
            "opik-account",
            metadata=ServiceAccountV1Metadata(name=ACCOUNT, namespace=namespace.name),
            automount_service_account_token=False,
        ),
        DefaultServiceAccountV1(
            scope,
            "opik-default-account",
            metadata=DefaultServiceAccountV1Metadata(namespace=namespace.name),
            automount_service_account_token=False,
        ),
    ]
