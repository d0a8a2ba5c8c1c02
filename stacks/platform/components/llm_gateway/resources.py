"""The gateway: what counts for its replicas together, its pods, and the host that programs call."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from constructs.delivered_secrets import DeliveredSecrets
from constructs.helm_release import HelmRelease
from constructs.https_ingress import HttpsIngress
from constructs.namespace import Namespace
from stacks.common.hosts import Hosts
from stacks.platform.common.images import deployed_images
from stacks.platform.common.ingress_annotations import annotations
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
    name = namespace.metadata.name
    passwords = DeliveredSecrets(
        scope,
        "gateway-secrets",
        namespace=name,
        expected={secrets.SECRET: secrets.versions(settings)},
        mark=VERSIONS_KEY,
        image=str(deployed_images(settings)["valkey/server"]),
        depends_on=[delivered, *namespace.bounds],
    )
    ready: list[ITerraformDependable] = [*namespace.bounds, passwords]
    limits = HelmRelease(
        scope,
        LIMITS,
        chart_of="valkey",
        namespace=name,
        wired=release.limits(settings),
        depends_on=ready,
    )
    proxy = HelmRelease(
        scope,
        release.RELEASE,
        namespace=name,
        variants=availability(settings),
        wired=release.litellm(settings, database_host=database_host),
        timeout_seconds=release.START_SECONDS,
        depends_on=[limits, *databases, *ready],
    )
    HttpsIngress(
        scope,
        "gateway-ingress",
        name="gateway",
        namespace=name,
        ingress_class=ingress_class(settings),
        host=Hosts(settings.domain).api,
        service=SERVICE,
        port=PORT,
        path=release.PUBLIC_PATH,
        annotations=annotations(settings, release.exposure(settings)),
        depends_on=[issuers, proxy],
    )
    return proxy
