"""cert-manager and the issuers of the environment's certificates, as Terraform resources."""

from constructs.helm_release import HelmRelease
from stacks.platform.common.releases import add_release
from stacks.platform.common.variants import availability
from stacks.platform.components.context import Context

from . import release
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
        depends_on=[controller],
    )
