"""The chat: its uploads, its Redis, its pods, and the host that they answer on."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from constructs import Construct

from constructs.external_secrets_ready import ExternalSecretsReady
from constructs.https_ingress import Route
from constructs.static_share import StaticShare
from constructs.terraform_literal import terraform_literal
from stacks.common.azure_names import AzureNames
from stacks.common.hosts import Hosts
from stacks.common.outputs import DisksOutputs, IdentityOutputs
from stacks.platform.common.images import deployed_images
from stacks.platform.common.ingress import add_https_ingress
from stacks.platform.common.ingress_annotations import annotations
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.releases import add_release
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.platform.common.values import ingress_class
from stacks.settings import Settings

from . import names, release, secrets


def add_chat(
    scope: Construct,
    settings: Settings,
    spaces: Mapping[str, Namespace],
    *,
    disks: DisksOutputs,
    identity: IdentityOutputs,
    tenant_id: str,
    delivered: ITerraformDependable,
    databases: Sequence[ITerraformDependable],
    issuers: ITerraformDependable,
) -> None:
    """Add the chat after `delivered`, which brings its Secrets, and `databases`; its host after `issuers`."""
    namespace = spaces[names.NAMESPACE]
    name: str = namespace.name
    passwords = ExternalSecretsReady(
        scope,
        "chat-passwords",
        namespace=name,
        expected={secret: secrets.mark(settings, secret) for secret in secrets.delivered(settings)},
        mark=VERSIONS_KEY,
        image=str(deployed_images(settings)["valkey/server"]),
        depends_on=[delivered, *namespace.bounds],
    )
    ready: list[ITerraformDependable] = [*namespace.bounds, passwords]
    redis = add_release(
        scope,
        names.REDIS,
        chart_of="valkey",
        namespace=name,
        variants=("chat",),
        computed_values=release.redis(settings),
        depends_on=ready,
    )
    scripts = ConfigMapV1(
        scope,
        names.SCRIPTS,
        metadata=ConfigMapV1Metadata(name=names.SCRIPTS, namespace=name),
        data={file: terraform_literal(text) for file, text in release.scripts().items()},
        depends_on=list(namespace.bounds),
    )
    pods = add_release(
        scope,
        names.RELEASE,
        namespace=name,
        computed_values=release.open_webui(
            settings,
            client_id=identity.client_id,
            group_id=identity.access_group_object_id,
            tenant_id=tenant_id,
        ),
        timeout_seconds=release.install_seconds(settings),
        insertions=release.insertions(settings),
        # Pods migrate the schema as they start, and nothing migrates it back.
        roll_back=False,
        depends_on=[*ready, redis, scripts, _uploads(scope, settings, namespace, disks), *databases],
    )
    add_https_ingress(
        scope,
        "chat-ingress",
        name="chat",
        namespace=name,
        ingress_class=ingress_class(settings),
        host=Hosts(settings.domain).chat,
        route=Route(service=names.RELEASE, port=names.SERVICE_PORT),
        annotations=annotations(settings, release.exposure(settings)),
        depends_on=[issuers, pods],
    )


def _uploads(scope: Construct, settings: Settings, namespace: Namespace, disks: DisksOutputs) -> ITerraformDependable:
    share_names = AzureNames(
        prefix=settings.prefix, environment=settings.name, subscription_id=settings.azure.subscription_id
    )
    return StaticShare(
        scope,
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
