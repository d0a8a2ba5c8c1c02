"""cert-manager and the issuers of the environment's certificates."""

from collections.abc import Mapping

from constructs import Construct

from constructs.helm_release import HelmRelease
from stacks.platform.common import values
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.namespaces import CERT_MANAGER
from stacks.platform.common.releases import add_release
from stacks.platform.common.variants import availability
from stacks.settings import Settings


def add_certificates(
    scope: Construct, settings: Settings, spaces: Mapping[str, Namespace], *, client_id: str, tenant_id: str
) -> HelmRelease:
    """Add cert-manager, which acts as the managed identity `client_id`; return the release of the issuers."""
    namespace = spaces[CERT_MANAGER]
    controller = add_release(
        scope,
        "cert-manager",
        namespace=namespace.name,
        variants=availability(settings),
        computed_values=values.cert_manager(settings, client_id=client_id, tenant_id=tenant_id),
        depends_on=namespace.bounds,
    )
    # Custom resources need their definitions and the webhook, so they are a release of their own.
    return add_release(
        scope,
        "platform-issuers",
        namespace=namespace.name,
        computed_values=values.platform_issuers(settings),
        depends_on=[controller],
    )
