"""cert-manager, what is kept of its certificates and the issuers, as Terraform resources."""

from cdktf import ITerraformDependable

from constructs.helm_release import HelmRelease
from stacks.platform.common.ingress_mode import INGRESS
from stacks.platform.common.releases import add_release
from stacks.platform.common.variants import availability
from stacks.platform.components.context import Context

from . import release
from .kept import kept_of
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
        )
        | release.public_lookups(context.settings.private_access, is_private=context.settings.is_private),
        depends_on=namespace.bounds,
    )
    if context.settings.is_private:
        return _private(context, controller)
    # Custom resources need their definitions and the webhook, so they are a release of their own.
    return add_release(
        context.scope,
        "platform-issuers",
        namespace=namespace.name,
        computed_values=release.platform_issuers(context.settings.ingress),
        # An issuer without its account's key makes a new account, and a host without its certificate orders one.
        depends_on=[controller, *_keep(context)],
    )


def _private(context: Context, controller: HelmRelease) -> HelmRelease:
    """Add the issuer and the certificate for all hosts; return their release, which ends when the CA is kept."""
    return add_release(
        context.scope,
        "private-certificates",
        namespace=context.namespaces[NAMESPACE].name,
        # External Secrets looks for the CA at growing intervals before it is there.
        timeout_seconds=1200,
        computed_values=release.private_certificates(
            context.settings,
            context.images,
            vault_uri=context.database.vault_uri,
            client_id=context.cluster.cert_manager_client_id,
            tenant_id=context.database.tenant_id,
        ),
        depends_on=[controller, *context.after("secrets"), *context.namespaces[INGRESS].bounds, *_keep(context)],
    )


def _keep(context: Context) -> list[ITerraformDependable]:
    """Add what keeps the certificates and brings them back; return what orders none before it is done."""
    settings, database = context.settings, context.database
    kept = kept_of(settings, context.components.hosts())
    if not kept:
        return []
    namespaces = [context.namespaces[name] for name in dict.fromkeys(secret.namespace for secret in kept)]
    return [
        add_release(
            context.scope,
            "kept-internal-ca" if settings.has_internal_ca else "kept-certificates",
            namespace=context.namespaces[NAMESPACE].name,
            # The identity's roles may be as new as the release, and take minutes to reach the vault.
            timeout_seconds=1200,
            computed_values=release.kept_certificates(
                settings.ingress,
                context.images,
                kept,
                vault_uri=database.vault_uri,
                client_id=context.cluster.certificate_keeper_client_id,
                tenant_id=database.tenant_id,
                issuer=release.issuer_of_kept(settings),
            ),
            depends_on=[
                *context.after("secrets"),
                *(bound for namespace in namespaces for bound in namespace.bounds),
            ],
        )
    ]
