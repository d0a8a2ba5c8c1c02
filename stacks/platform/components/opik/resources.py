"""Opik: its volumes, the operator of its ClickHouse, its pods, the login before them and the host they answer on."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.default_service_account_v1 import (
    DefaultServiceAccountV1,
    DefaultServiceAccountV1Metadata,
)
from cdktf_cdktf_provider_kubernetes.role_binding_v1 import (
    RoleBindingV1,
    RoleBindingV1Metadata,
    RoleBindingV1RoleRef,
    RoleBindingV1Subject,
)
from cdktf_cdktf_provider_kubernetes.role_v1 import RoleV1, RoleV1Metadata, RoleV1Rule
from cdktf_cdktf_provider_kubernetes.service_account_v1 import ServiceAccountV1, ServiceAccountV1Metadata
from cdktf_cdktf_provider_kubernetes.storage_class_v1 import StorageClassV1, StorageClassV1Metadata
from constructs import Construct

from constructs.external_secrets_ready import ExternalSecretsReady
from constructs.helm_release import HelmRelease
from constructs.https_ingress import Route
from constructs.static_volume import StaticVolume
from stacks.common.hosts import Hosts
from stacks.common.outputs import DisksOutputs, IdentityOutputs
from stacks.platform.common.images import deployed_images
from stacks.platform.common.ingress import add_https_ingress
from stacks.platform.common.ingress_annotations import annotations
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.namespaces import OPIK
from stacks.platform.common.releases import add_release
from stacks.platform.common.values import ingress_class
from stacks.settings import Settings
from stacks.settings.data import DataDisk

from . import login, release, secrets, settling
from .stores import STORAGE_CLASS, stores
from .version import opik_version


def add_opik(
    scope: Construct,
    settings: Settings,
    spaces: Mapping[str, Namespace],
    *,
    disks: DisksOutputs,
    identity: IdentityOutputs,
    tenant_id: str,
    delivered: ITerraformDependable,
    issuers: ITerraformDependable,
) -> None:
    """Add Opik after `delivered`, which delivers its Secrets, and its host after `issuers`."""
    namespace = spaces[OPIK]
    passwords = ExternalSecretsReady(
        scope,
        "opik-secrets",
        namespace=namespace.name,
        expected={secret: secrets.versions(settings, secret) for secret in secrets.DELIVERED},
        mark=secrets.VERSIONS_KEY,
        image=str(deployed_images(settings)["opik/busybox"]),
        depends_on=[delivered, *namespace.bounds],
    )
    ready: list[ITerraformDependable] = [*namespace.bounds, passwords]
    volumes = _volumes(scope, settings, namespace, disks)
    pods = _opik(scope, settings, namespace, ready=[*ready, *volumes, *_accounts(scope, namespace)])
    proxy = _login(scope, settings, namespace, identity=identity, tenant_id=tenant_id, ready=ready)
    add_https_ingress(
        scope,
        "opik-ingress",
        name="opik",
        namespace=namespace.name,
        ingress_class=ingress_class(settings),
        host=Hosts(settings.domain).opik,
        route=Route(service=login.EXPOSURE.service, port=login.SERVICE_PORT),
        annotations=annotations(settings, login.EXPOSURE),
        depends_on=[issuers, proxy, pods],
    )


def _volumes(
    scope: Construct, settings: Settings, namespace: Namespace, disks: DisksOutputs
) -> list[ITerraformDependable]:
    """Add a volume and a claim for every store; return the claims."""
    storage_class = StorageClassV1(
        scope,
        "static-disk-class",
        metadata=StorageClassV1Metadata(name=STORAGE_CLASS),
        storage_provisioner="kubernetes.io/no-provisioner",
        reclaim_policy="Retain",
        volume_binding_mode="Immediate",
        allow_volume_expansion=True,
    )
    disk_ids = {
        DataDisk.MYSQL: disks.mysql_disk_id,
        DataDisk.CLICKHOUSE: disks.clickhouse_disk_id,
        DataDisk.ZOOKEEPER: disks.zookeeper_disk_id,
        DataDisk.MINIO: disks.minio_disk_id,
        DataDisk.REDIS: disks.redis_disk_id,
    }
    return [
        StaticVolume(
            scope,
            f"opik-{store.disk.value}",
            name=store.volume,
            disk_id=disk_ids[store.disk],
            claim=store.claim,
            namespace=namespace.name,
            capacity=store.capacity,
            storage_class=storage_class.metadata.name,
            zone=store.zone,
            depends_on=namespace.bounds,
        ).claim
        for store in stores(settings)
    ]


def _accounts(scope: Construct, namespace: Namespace) -> list[ITerraformDependable]:
    """Add the account of pods that ask Kubernetes nothing, and take the token from the one that pods get by default.

    The backend has its own, with the right to read how the stores are; no pod gets a token but by a volume of its own.
    """
    backend = ServiceAccountV1(
        scope,
        "opik-backend-account",
        metadata=ServiceAccountV1Metadata(name=release.BACKEND_ACCOUNT, namespace=namespace.name),
        automount_service_account_token=False,
    )
    role = RoleV1(
        scope,
        "opik-backend-role",
        metadata=RoleV1Metadata(name=release.BACKEND_ACCOUNT, namespace=namespace.name),
        rule=[RoleV1Rule(**rule) for rule in settling.RIGHTS],
    )
    binding = RoleBindingV1(
        scope,
        "opik-backend-role-binding",
        metadata=RoleBindingV1Metadata(name=release.BACKEND_ACCOUNT, namespace=namespace.name),
        role_ref=RoleBindingV1RoleRef(api_group="rbac.authorization.k8s.io", kind="Role", name=role.metadata.name),
        subject=[
            RoleBindingV1Subject(
                kind="ServiceAccount", name=backend.metadata.name, namespace=namespace.name, api_group=""
            )
        ],
    )
    return [
        backend,
        binding,
        ServiceAccountV1(
            scope,
            "opik-account",
            metadata=ServiceAccountV1Metadata(name=release.ACCOUNT, namespace=namespace.name),
            automount_service_account_token=False,
        ),
        DefaultServiceAccountV1(
            scope,
            "opik-default-account",
            metadata=DefaultServiceAccountV1Metadata(namespace=namespace.name),
            automount_service_account_token=False,
        ),
    ]


def _opik(
    scope: Construct, settings: Settings, namespace: Namespace, *, ready: Sequence[ITerraformDependable]
) -> HelmRelease:
    """Add the operator, then Opik: removed in the other order, the operator still sees its installation off."""
    operator = add_release(
        scope,
        release.OPERATOR,
        namespace=namespace.name,
        computed_values=release.operator(settings),
        depends_on=ready,
    )
    if settings.opik.guardrails_pool:
        add_release(
            scope,
            release.GUARDRAILS,
            namespace=namespace.name,
            computed_values=release.guardrails(settings),
            timeout_seconds=1800,
            depends_on=namespace.bounds,
        )
    return add_release(
        scope,
        release.RELEASE,
        namespace=namespace.name,
        version=opik_version(settings),
        variants=release.variants(settings),
        computed_values=release.opik(settings),
        timeout_seconds=release.INSTALL_SECONDS,
        # Pods migrate the schema as they start, and nothing migrates it back.
        roll_back=False,
        # The Job that makes the bucket removes itself, which Helm would take for a failure.
        wait_for_jobs=False,
        insertions=release.INSERTIONS,
        depends_on=[operator, *ready],
    )


def _login(
    scope: Construct,
    settings: Settings,
    namespace: Namespace,
    *,
    identity: IdentityOutputs,
    tenant_id: str,
    ready: Sequence[ITerraformDependable],
) -> HelmRelease:
    sessions = add_release(
        scope,
        login.SESSIONS,
        chart_of="valkey",
        namespace=namespace.name,
        computed_values=login.sessions(settings),
        depends_on=ready,
    )
    return add_release(
        scope,
        login.RELEASE,
        namespace=namespace.name,
        computed_values=login.oauth2_proxy(
            settings, client_id=identity.client_id, group_id=identity.access_group_object_id, tenant_id=tenant_id
        ),
        depends_on=[sessions, *ready],
    )
