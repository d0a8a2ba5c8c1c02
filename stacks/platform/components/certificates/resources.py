"""cert-manager, what is kept of its certificates and the issuers, as Terraform resources."""

from cdktf import ITerraformDependable

from constructs.helm_release import HelmRelease
from stacks.platform.common.releases import add_release
from stacks.platform.common.variants import availability
from stacks.platform.components.context import Context

from . import release
from .kept import kept_secrets
from .names import NAMESPACE


def add(context: Context) -> HelmRelease:
    """Add cert-manager, which acts as its managed identity; return the release of the issuers."""
    namespace = context.namespaces[NAMESPACE]
    controller = add_release(
        context.scope,
        "cert-manager",
        namespace=namespace.name,
        variants=availability(context.settings.cluster),
        computed_values=release.cert_manager(
            context.images, client_id=context.cluster.cert_manager_client_id, tenant_id=context.database.tenant_id
        ),
        depends_on=namespace.bounds,
    )
    # Custom resources need their definitions and the webhook, so they are a release of their own.
    return add_release(
        context.scope,
        "platform-issuers",
        namespace=namespace.name,
        computed_values=release.platform_issuers(context.settings.ingress),
        # An issuer without its account's key makes a new account, and a host without its certificate orders one.
        depends_on=[controller, *_keep(context)],
    )


def _keep(context: Context) -> list[ITerraformDependable]:
    """Add what keeps the certificates and brings them back; return what orders none before it is done."""
    ingress, database = context.settings.ingress, context.database
    kept = kept_secrets(ingress, context.components.hosts())
    if not kept:
        return []
    namespaces = [context.namespaces[name] for name in dict.fromkeys(secret.namespace for secret in kept)]
    return [
        add_release(
            context.scope,
            "kept-certificates",
            namespace=context.namespaces[NAMESPACE].name,
            # The identity's roles may be as new as the release, and take minutes to reach the vault.
            timeout_seconds=1200,
            computed_values=release.kept_certificates(
                ingress,
                context.images,
                kept,
                vault_uri=database.vault_uri,
                client_id=context.cluster.certificate_keeper_client_id,
                tenant_id=database.tenant_id,
            ),
            depends_on=[
                *context.after("secrets"),
                *(bound for namespace in namespaces for bound in namespace.bounds),
            ],
        )
    ]
