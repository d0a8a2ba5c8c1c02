"""The LLM gateway, as Terraform resources: what counts for its replicas together, its pods, and its host."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata

from constructs.external_secrets_ready import ExternalSecretsReady
from constructs.helm_release import HelmRelease
from constructs.terraform_literal import terraform_literal
from stacks.common.outputs import CloudAksOutputs
from stacks.platform.common.databases import ROOTS_NAME, roots
from stacks.platform.common.releases import add_release
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.platform.common.variants import availability
from stacks.platform.components.context import Context
from stacks.platform.components.exposing import expose

from . import release, secrets
from .address import HOST, LIMITS, NAMESPACE, PORT


def add(context: Context) -> HelmRelease:
    """Add the gateway after its Secret and its database are there.

    Return its release, after which the keys of the platform's own callers are known to it.
    """
    scope, components, settings = context.scope, context.components, context.settings
    namespace = context.namespaces[NAMESPACE]
    passwords = ExternalSecretsReady(
        scope,
        "gateway-secrets",
        namespace=namespace.name,
        expected={secrets.SECRET: secrets.versions(settings, components.gateway_callers())},
        mark=VERSIONS_KEY,
        image=str(context.images["valkey/server"]),
        depends_on=[*context.after("secrets"), *namespace.bounds],
    )
    ready: list[ITerraformDependable] = [*namespace.bounds, passwords]
    limits = add_release(
        scope,
        LIMITS,
        chart_of="valkey",
        namespace=namespace.name,
        computed_values=release.limits(components, context.images),
        depends_on=ready,
    )
    authorities = ConfigMapV1(
        scope,
        release.ROOTS,
        metadata=ConfigMapV1Metadata(name=release.ROOTS, namespace=namespace.name),
        data={ROOTS_NAME: terraform_literal(roots())},
        depends_on=list(namespace.bounds),
    )
    proxy = add_release(
        scope,
        release.RELEASE,
        namespace=namespace.name,
        variants=availability(settings.cluster),
        computed_values=release.litellm(
            components,
            context.images,
            database_host=context.database.server_fqdn,
            client_id=context.cluster.cloud_models_client_id if isinstance(context.cluster, CloudAksOutputs) else "",
            tenant_id=context.database.tenant_id,
        ),
        timeout_seconds=release.START_SECONDS,
        depends_on=[limits, authorities, *context.after("databases", "cloud_models"), *ready],
    )
    expose(
        context,
        HOST,
        exposure=release.exposure(settings.serving),
        port=PORT,
        path=release.PUBLIC_PATH,
        depends_on=[proxy],
    )
    return proxy
