"""The ingress controller of the mode `nginx`, as Terraform resources; else it is the cluster's AGIC add-on."""

from stacks.platform.common.ingress_mode import INGRESS
from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context

from .release import nginx_ingress


def add(context: Context) -> None:
    """Add F5 NGINX on the environment's static address."""
    settings, namespace = context.settings, context.namespaces[INGRESS]
    add_release(
        context.scope,
        "nginx-ingress",
        namespace=namespace.name,
        variants=("ha",) if settings.ingress.nginx_replicas > 1 else (),
        computed_values=nginx_ingress(
            settings,
            context.images,
            public_ip_name=context.network.public_ip_name,
            resource_group=context.network.resource_group_name,
        ),
        # Its custom resources are off, and Helm would never upgrade their definitions.
        skip_crds=True,
        depends_on=namespace.bounds,
    )
