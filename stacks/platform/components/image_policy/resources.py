"""The policy that lets only verified images run, as Terraform resources."""

from stacks.platform.common.images import login_server
from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context

from .policy import NAMESPACE, RELEASE, image_policy


def add(context: Context) -> None:
    """Add the policy for every namespace of the platform."""
    values = image_policy(
        context.images, registry=login_server(context.settings.azure_names), namespaces=context.namespaces
    )
    add_release(context.scope, RELEASE, namespace=NAMESPACE, computed_values=values)
