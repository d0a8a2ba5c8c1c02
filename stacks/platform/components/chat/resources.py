"""The chat, as Terraform resources: its uploads, its Redis, its pods, and the host that they answer on."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata

from constructs.external_secrets_ready import ExternalSecretsReady
from constructs.static_share import StaticShare
from constructs.terraform_literal import terraform_literal
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.releases import add_release
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.platform.components.context import Context
from stacks.platform.components.exposing import expose

from . import names, release, secrets


def add(context: Context) -> None:
    """Add the chat after its Secrets, its database and the keys that it calls models with."""
    scope, settings, images = context.scope, context.settings, context.images
    namespace = context.namespaces[names.NAMESPACE]
    identity = context.read_identity()
    passwords = ExternalSecretsReady(
        scope,
        "chat-passwords",
        namespace=namespace.name,
        expected={secret.name: secret.templates[VERSIONS_KEY] for secret in secrets.external_secrets(settings)},
        mark=VERSIONS_KEY,
        image=str(images["valkey/server"]),
        depends_on=[*context.after("secrets", "trust"), *namespace.bounds],
    )
    ready: list[ITerraformDependable] = [*namespace.bounds, passwords]
    redis = add_release(
        scope,
        names.REDIS,
        chart_of="valkey",
        namespace=namespace.name,
        variants=("chat",),
        computed_values=release.redis(settings, images),
        depends_on=ready,
    )
    scripts = ConfigMapV1(
        scope,
        names.SCRIPTS,
        metadata=ConfigMapV1Metadata(name=names.SCRIPTS, namespace=namespace.name),
        data={file: terraform_literal(text) for file, text in release.scripts().items()},
        depends_on=list(namespace.bounds),
    )
    needed = context.after("databases", "llm_gateway")
    pods = add_release(
        scope,
        names.RELEASE,
        namespace=namespace.name,
        computed_values=release.open_webui(
            settings,
            images,
            client_id=identity.client_id,
            group_id=identity.access_group_object_id,
            tenant_id=context.database.tenant_id,
        ),
        timeout_seconds=release.install_seconds(settings.serving),
        insertions=release.insertions(settings.gateway, settings.serving),
        # Pods migrate the schema as they start, and nothing migrates it back.
        roll_back=False,
        depends_on=[*ready, redis, scripts, _uploads(context, namespace), *needed],
    )
    expose(
        context,
        names.HOST,
        exposure=release.exposure(settings.chat, settings.serving),
        port=names.SERVICE_PORT,
        depends_on=[pods],
    )


def _uploads(context: Context, namespace: Namespace) -> ITerraformDependable:
    settings, disks = context.settings, context.read_disks()
    share_names = settings.azure_names
    return StaticShare(
        context.scope,
        names.UPLOADS_CLAIM,
        name=share_names.resource(names.UPLOADS_CLAIM),
        resource_group_name=disks.resource_group_name,
        storage_account_name=disks.storage_account_name,
        share_name=disks.chat_uploads_share_name,
        encrypted=settings.disks.chat_uploads_encrypted_mount,
        claim=names.UPLOADS_CLAIM,
        namespace=namespace.name,
        depends_on=namespace.bounds,
    ).claim
