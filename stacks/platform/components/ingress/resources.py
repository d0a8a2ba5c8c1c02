"""The ingress controller of the mode `nginx`, as Terraform resources; else it is the cluster's AGIC add-on."""

from stacks.platform.common.ingress_mode import INGRESS
from stacks.platform.common.internal_address import INGRESS_SUBNET, internal_address
from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context

from .component import routed_namespaces
from .release import nginx_ingress, public_address
from .rights import controller_rights


def add(context: Context) -> None:
    """Add F5 NGINX on the environment's static address."""
    settings, namespace = context.settings, context.namespaces[INGRESS]
    backends = routed_namespaces(context.components)
    rights = add_release(
        context.scope,
        "ingress-rights",
        chart_of="rights",
        namespace=namespace.name,
        computed_values=controller_rights(backends, wildcard=settings.is_private).values(),
        depends_on=[bound for name in (INGRESS, *backends) for bound in context.namespaces[name].bounds],
    )
    add_release(
        context.scope,
        "nginx-ingress",
        namespace=namespace.name,
        variants=("ha",) if settings.ingress.nginx_replicas > 1 else (),
        computed_values=nginx_ingress(
            settings,
            context.images,
            routes=context.components.routes(),
            address=_address(context),
            backends=backends,
        ),
        # Its custom resources are off, and Helm would never upgrade their definitions.
        skip_crds=True,
        # Without its certificate for all hosts, the controller of a private environment does not start.
        depends_on=[rights, *namespace.bounds, *(context.after("certificates") if settings.is_private else [])],
    )


def _address(context: Context) -> dict[str, str]:
    if context.settings.is_private:
        return internal_address(str(context.settings.ingress_address), subnet=INGRESS_SUBNET)
    return public_address(context.address.public_ip_name, context.address.resource_group_name)
