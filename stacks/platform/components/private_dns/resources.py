"""The nameserver of the private zone, as Terraform resources."""

from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context

from .component import NAMESPACE
from .release import private_dns


def add(context: Context) -> None:
    """Add CoreDNS at its fixed address."""
    namespace = context.namespaces[NAMESPACE]
    add_release(
        context.scope,
        "private-dns",
        namespace=namespace.name,
        computed_values=private_dns(context.settings, context.images),
        depends_on=namespace.bounds,
    )
