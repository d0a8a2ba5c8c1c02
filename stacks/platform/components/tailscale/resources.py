"""Tailscale's operator and the subnet router, as Terraform resources."""

from stacks.platform.common.ingress_mode import TAILSCALE
from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context
from stacks.settings.azure import ClusterAccess

from . import release


def add(context: Context) -> None:
    """Add the operator, and the router that it makes of a Connector."""
    settings, namespace = context.settings, context.namespaces[TAILSCALE]
    tailscale = settings.private_access.tailscale
    if tailscale is None:
        return
    proxied = settings.operators.cluster_access is ClusterAccess.TAILSCALE
    operator = add_release(
        context.scope,
        "tailscale-operator",
        namespace=namespace.name,
        computed_values=release.operator(
            tailscale,
            context.images,
            api_proxy_name=release.api_proxy(settings.azure_names.base) if proxied else "",
        ),
        depends_on=[*namespace.bounds, *context.after("secrets")],
    )
    # Custom resources need their definitions, so they are a release of their own.
    add_release(
        context.scope,
        "tailscale-router",
        namespace=namespace.name,
        computed_values=release.router(settings, tailscale),
        depends_on=[operator, *namespace.bounds],
    )
