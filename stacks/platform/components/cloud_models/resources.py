"""The way out to cloud models, as Terraform resources."""

from constructs.helm_release import HelmRelease
from stacks.platform.common.releases import add_release
from stacks.platform.common.variants import availability
from stacks.platform.components.context import Context

from .address import NAMESPACE, SERVICE
from .release import cloud_egress


def add(context: Context) -> HelmRelease:
    """Add the pods that alone reach the models' hosts."""
    settings, namespace = context.settings, context.namespaces[NAMESPACE]
    return add_release(
        context.scope,
        SERVICE,
        namespace=namespace.name,
        variants=availability(settings.cluster),
        computed_values=cloud_egress(
            settings.cloud_models,
            context.images,
            tenant_id=context.database.tenant_id,
            company_roots=bool(settings.trust.company_roots),
        ),
        depends_on=namespace.bounds,
    )
