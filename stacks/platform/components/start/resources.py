"""The start page, as Terraform resources: its login, its files, its web server, and the host that it answers on."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata

from constructs.external_secrets_ready import ExternalSecretsReady
from constructs.terraform_literal import terraform_literal
from stacks.platform.common.releases import add_release
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.platform.components.context import Context
from stacks.platform.components.exposing import expose

from . import login
from .names import HOST, LOGIN, LOGIN_SECRET, NAMESPACE, PAGE, SITE
from .page import files
from .release import start_page


def add(context: Context) -> None:
    """Add the page after its login's Secret is there."""
    scope, settings = context.scope, context.settings
    namespace = context.namespaces[NAMESPACE]
    identity = context.read_identity()
    secret = login.external_secret(settings.secrets.versions)
    ready = ExternalSecretsReady(
        scope,
        "start-secrets",
        namespace=namespace.name,
        expected={LOGIN_SECRET: secret.templates[VERSIONS_KEY]},
        mark=VERSIONS_KEY,
        image=str(context.images["start-page/nginx"]),
        depends_on=[*context.after("secrets"), *namespace.bounds],
    )
    served = files(context.components)
    site = ConfigMapV1(
        scope,
        SITE,
        metadata=ConfigMapV1Metadata(name=SITE, namespace=namespace.name),
        data={name: terraform_literal(text) for name, text in served.items()},
        depends_on=list(namespace.bounds),
    )
    needed: list[ITerraformDependable] = [*namespace.bounds, *context.after("certificates", "trust")]
    page = add_release(
        scope,
        PAGE,
        namespace=namespace.name,
        computed_values=start_page(context.components, context.images, served),
        depends_on=[site, *needed],
    )
    proxy = add_release(
        scope,
        LOGIN,
        chart_of="oauth2-proxy",
        namespace=namespace.name,
        computed_values=login.oauth2_proxy(
            settings,
            context.images,
            client_id=identity.client_id,
            group_id=identity.access_group_object_id,
            tenant_id=context.database.tenant_id,
        ),
        depends_on=[ready, *namespace.bounds],
    )
    expose(context, HOST, exposure=login.EXPOSURE, port=login.SERVICE_PORT, depends_on=[proxy, page])
