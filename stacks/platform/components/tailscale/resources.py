"""Tailscale's operator and the subnet router, as Terraform resources."""

from stacks.platform.common.ingress_mode import TAILSCALE
from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context

from . import release


def add(context: Context) -> None:
    """Add the operator, and the router that it makes of a Connector."""
    settings, namespace = context.settings, context.namespaces[TAILSCALE]
    tailscale = settings.private_access.tailscale
    if tailscale is None:
        return
    operator = add_release(
        context.scope,
        "tailscale-operator",
        namespace=namespace.name,
        computed_values=release.operator(tailscale, context.images),
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
