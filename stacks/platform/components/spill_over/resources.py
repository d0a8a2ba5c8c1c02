"""What looks after models with several pools, as Terraform resources."""

from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context
from stacks.platform.components.serving.engines import SERVING

from .release import RELEASE, spill_over


def add(context: Context) -> None:
    """Add the release; its rights reach into the engines' namespace."""
    namespace = context.namespaces[RELEASE]
    add_release(
        context.scope,
        RELEASE,
        namespace=namespace.name,
        computed_values=spill_over(context.settings, context.images),
        depends_on=[*namespace.bounds, *context.namespaces[SERVING].bounds],
    )
