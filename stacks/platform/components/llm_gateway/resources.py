"""The gateway: what counts for its replicas together, its pods, and the host that programs call."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from constructs.external_secrets_ready import ExternalSecretsReady
from constructs.helm_release import HelmRelease
from constructs.https_ingress import Route
from stacks.common.hosts import Hosts
from stacks.platform.common.images import deployed_images
from stacks.platform.common.ingress import add_https_ingress
from stacks.platform.common.ingress_annotations import annotations
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.releases import add_release
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.platform.common.values import ingress_class
from stacks.platform.common.variants import availability
from stacks.settings import Settings

from . import release, secrets
from .address import LIMITS, NAMESPACE, PORT, SERVICE


def add_gateway(
    scope: Construct,
    settings: Settings,
    spaces: Mapping[str, Namespace],
    *,
    database_host: str,
    delivered: ITerraformDependable,
    issuers: ITerraformDependable,
    databases: Sequence[ITerraformDependable] = (),
) -> HelmRelease:
    """Add the gateway after `delivered`, which delivers its Secret, and `databases`, which makes its database.

    Return its release, after which the keys of the platform's own callers are known to it.
    """
    namespace = spaces[NAMESPACE]
    name = namespace.name
    passwords = ExternalSecretsReady(
        scope,
        "gateway-secrets",
        namespace=name,
        expected={secrets.SECRET: secrets.versions(settings)},
        mark=VERSIONS_KEY,
        image=str(deployed_images(settings)["valkey/server"]),
        depends_on=[delivered, *namespace.bounds],
    )
    ready: list[ITerraformDependable] = [*namespace.bounds, passwords]
    limits = add_release(
        scope,
        LIMITS,
        chart_of="valkey",
        namespace=name,
        computed_values=release.limits(settings),
        depends_on=ready,
    )
    proxy = add_release(
        scope,
        release.RELEASE,
        namespace=name,
        variants=availability(settings),
        computed_values=release.litellm(settings, database_host=database_host),
        timeout_seconds=release.START_SECONDS,
        depends_on=[limits, *databases, *ready],
    )
    add_https_ingress(
        scope,
        "gateway-ingress",
        name="gateway",
        namespace=name,
        ingress_class=ingress_class(settings),
        host=Hosts(settings.domain).api,
        route=Route(service=SERVICE, port=PORT, path=release.PUBLIC_PATH),
        annotations=annotations(settings, release.exposure(settings)),
        depends_on=[issuers, proxy],
    )
    return proxy
