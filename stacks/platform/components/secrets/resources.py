"""External Secrets, its access to the vault, and the secrets that it delivers."""

from collections.abc import Mapping

from cdktf_cdktf_provider_kubernetes.role_binding_v1 import (
    RoleBindingV1,
    RoleBindingV1Metadata,
    RoleBindingV1RoleRef,
    RoleBindingV1Subject,
)
from cdktf_cdktf_provider_kubernetes.role_v1 import RoleV1, RoleV1Metadata, RoleV1Rule
from cdktf_cdktf_provider_kubernetes.service_account_v1 import ServiceAccountV1, ServiceAccountV1Metadata
from constructs import Construct

from constructs.helm_release import HelmRelease
from stacks.common.outputs import DatabaseOutputs
from stacks.platform.common import values
from stacks.platform.common.accounts import VAULT_READER, identity_annotations
from stacks.platform.common.external_secrets import deliveries
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.releases import add_release
from stacks.platform.common.variants import availability
from stacks.settings import Settings

OPERATOR_ACCOUNT = "external-secrets"
"""Account of the operator's controller, as its chart names it in a release of that name."""


def add_secrets(
    scope: Construct,
    settings: Settings,
    spaces: Mapping[str, Namespace],
    *,
    client_id: str,
    vault: DatabaseOutputs,
) -> HelmRelease:
    """Add the operator; return the release of the deliveries. The vault is read as the managed identity `client_id`."""
    namespace = spaces[VAULT_READER.namespace]
    operator = add_release(
        scope,
        "external-secrets",
        namespace=namespace.name,
        variants=availability(settings),
        # Its webhook gets a certificate from the operator's own controller, which may need several rounds.
        timeout_seconds=900,
        computed_values=values.external_secrets(settings),
        depends_on=namespace.bounds,
    )
    account = _vault_reader(scope, namespace, client_id=client_id, tenant_id=vault.tenant_id)
    receivers = [bound for name in deliveries(settings) for bound in spaces[name].bounds]
    return add_release(
        scope,
        "platform-secrets",
        namespace=namespace.name,
        computed_values=values.platform_secrets(
            settings,
            vault_uri=vault.vault_uri,
            tenant_id=vault.tenant_id,
            versions=vault.secret_versions,
            database_host=vault.server_fqdn,
        ),
        depends_on=[operator, account, *receivers],
    )


def _vault_reader(scope: Construct, namespace: Namespace, *, client_id: str, tenant_id: str) -> RoleBindingV1:
    """Add the account that may read the vault, and let the operator ask for tokens of this one account."""
    account = ServiceAccountV1(
        scope,
        "vault-reader",
        metadata=ServiceAccountV1Metadata(
            name=VAULT_READER.name,
            namespace=namespace.name,
            annotations=identity_annotations(client_id, tenant_id),
        ),
        automount_service_account_token=False,
    )
    role = RoleV1(
        scope,
        "vault-reader-tokens",
        metadata=RoleV1Metadata(name="vault-reader-tokens", namespace=namespace.name),
        rule=[
            RoleV1Rule(
                api_groups=[""],
                resources=["serviceaccounts/token"],
                resource_names=[account.metadata.name],
                verbs=["create"],
            )
        ],
    )
    return RoleBindingV1(
        scope,
        "vault-reader-tokens-binding",
        metadata=RoleBindingV1Metadata(name="vault-reader-tokens", namespace=namespace.name),
        role_ref=RoleBindingV1RoleRef(api_group="rbac.authorization.k8s.io", kind="Role", name=role.metadata.name),
        subject=[
            RoleBindingV1Subject(kind="ServiceAccount", name=OPERATOR_ACCOUNT, namespace=namespace.name, api_group="")
        ],
    )
