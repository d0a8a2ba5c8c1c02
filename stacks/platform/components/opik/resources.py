"""Opik, as Terraform resources: operator, pods, the login before them, and the host that they answer on."""

from collections.abc import Sequence

from cdktf import ITerraformDependable

from constructs.external_secrets_ready import ExternalSecretsReady
from constructs.helm_release import HelmRelease
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.releases import add_release
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.platform.components.context import Context
from stacks.platform.components.exposing import expose

from . import login, operator, release, secrets
from .accounts import add_accounts
from .names import GUARDRAILS, HOST, NAMESPACE, OPERATOR, RELEASE
from .version import opik_version
from .volumes import add_volumes


def add(context: Context) -> None:
    """Add Opik after its Secrets are there."""
    scope, settings, namespace = context.scope, context.settings, context.namespaces[NAMESPACE]
    wanted = secrets.external_secrets(settings.secrets.versions)
    passwords = ExternalSecretsReady(
        scope,
        "opik-secrets",
        namespace=namespace.name,
        expected={secret.name: secret.templates[VERSIONS_KEY] for secret in wanted},
        mark=VERSIONS_KEY,
        image=str(context.images["opik/busybox"]),
        depends_on=[*context.after("secrets", "trust"), *namespace.bounds],
    )
    ready: list[ITerraformDependable] = [*namespace.bounds, passwords]
    volumes = add_volumes(scope, settings, namespace, context.read_disks())
    pods = _opik(context, namespace, ready=[*ready, *volumes, *add_accounts(scope, namespace)])
    proxy = _login(context, namespace, ready=ready)
    expose(
        context,
        HOST,
        exposure=login.EXPOSURE,
        port=login.SERVICE_PORT,
        depends_on=[proxy, pods],
    )


def _opik(context: Context, namespace: Namespace, *, ready: Sequence[ITerraformDependable]) -> HelmRelease:
    """Add the operator, then Opik: removed in the other order, the operator still sees its installation off."""
    settings, images = context.settings, context.images
    controller = add_release(
        context.scope,
        OPERATOR,
        namespace=namespace.name,
        computed_values=operator.operator(settings, images),
        depends_on=ready,
    )
    if settings.opik.guardrails_pool:
        add_release(
            context.scope,
            GUARDRAILS,
            namespace=namespace.name,
            computed_values=operator.guardrails(images, settings.opik.guardrails_pool),
            timeout_seconds=1800,
            depends_on=namespace.bounds,
        )
    return add_release(
        context.scope,
        RELEASE,
        namespace=namespace.name,
        version=opik_version(settings.opik),
        variants=release.variants(settings.opik),
        computed_values=release.opik(settings, images),
        timeout_seconds=release.INSTALL_SECONDS,
        # Pods migrate the schema as they start, and nothing migrates it back.
        roll_back=False,
        # The Job that makes the bucket removes itself, which Helm would take for a failure.
        wait_for_jobs=False,
        insertions=release.INSERTIONS,
        depends_on=[controller, *ready],
    )


def _login(context: Context, namespace: Namespace, *, ready: Sequence[ITerraformDependable]) -> HelmRelease:
    identity = context.read_identity()
    sessions = add_release(
        context.scope,
        login.SESSIONS,
        chart_of="valkey",
        namespace=namespace.name,
        computed_values=login.sessions(context.settings.secrets, context.images),
        depends_on=ready,
    )
    return add_release(
        context.scope,
        login.RELEASE,
        namespace=namespace.name,
        computed_values=login.oauth2_proxy(
            context.settings,
            context.images,
            client_id=identity.client_id,
            group_id=identity.opik_access_group_object_id,
            tenant_id=context.database.tenant_id,
        ),
        depends_on=[sessions, *ready],
    )
