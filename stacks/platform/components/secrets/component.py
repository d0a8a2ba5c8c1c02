"""What the rest of the code has to know of External Secrets."""

from collections.abc import Iterator

from stacks.platform.common.databases import private_endpoints
from stacks.platform.common.namespaces import NamespaceRules, controller_namespace
from stacks.platform.common.parts import Part
from stacks.platform.common.scraping import Target, allow_metrics
from stacks.platform.common.traffic import DNS, HTTPS_OUT, allow_to, webhook
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings

from .connections import connections
from .names import CONTROLLER, METRICS_PORT, NAMESPACE, VAULT_READER, WEBHOOK, WEBHOOK_PORT


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    metrics = allow_metrics(components.settings.monitoring, METRICS_PORT, pods=CONTROLLER)
    vault = allow_to("allow-vault", CONTROLLER, (private_endpoints(components.settings.network),), 443)
    traffic = (DNS, HTTPS_OUT, vault, webhook(WEBHOOK, WEBHOOK_PORT), metrics)
    yield controller_namespace(NAMESPACE, traffic)


def _targets(_: Settings) -> Iterator[Target]:
    yield Target(
        name="external-secrets",
        namespace=NAMESPACE,
        labels=CONTROLLER,
        port="metrics",
        number=METRICS_PORT,
    )


COMPONENT = Component(
    package=__package__,
    position=20,
    page="explanation/secrets.md",
    summary="External Secrets, which copies secrets out of the vault",
    enabled=lambda _: True,
    charts=("external-secrets", "platform-secrets", "rights"),
    namespaces=_namespaces,
    connections=connections,
    accounts=(VAULT_READER,),
    targets=_targets,
    stays=True,
    parts=lambda _: (
        Part(
            name="cert-controller",
            namespace=NAMESPACE,
            workload="deployment/external-secrets-cert-controller",
            container="cert-controller",
        ),
        Part(name="webhook", namespace=NAMESPACE, workload="deployment/external-secrets-webhook", container="webhook"),
        Part(
            name="controller",
            namespace=NAMESPACE,
            workload="deployment/external-secrets",
            container="external-secrets",
        ),
    ),
)
