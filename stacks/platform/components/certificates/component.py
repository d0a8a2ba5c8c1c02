"""What the rest of the code has to know of cert-manager."""

from collections.abc import Iterator

from stacks.platform.common.ingress_mode import INGRESS
from stacks.platform.common.namespaces import NamespaceRules, controller_namespace
from stacks.platform.common.parts import Part
from stacks.platform.common.scraping import Target, allow_metrics
from stacks.platform.common.traffic import ANYWHERE, DNS, HTTPS_OUT, Peer, TrafficRule, allow_to, webhook
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings
from stacks.settings.network import IngressMode, IngressSettings

from .connections import connections
from .kept import keeps, kept_of
from .names import ACCOUNT, CONTROLLER, KEEPER, METRICS_PORT, NAMESPACE, WEBHOOK, WEBHOOK_PORT


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    settings = components.settings
    metrics = allow_metrics(settings.monitoring, METRICS_PORT, pods=CONTROLLER)
    checks = () if settings.is_private else (_self_check(settings.ingress),)
    yield controller_namespace(NAMESPACE, (DNS, HTTPS_OUT, *checks, webhook(WEBHOOK, WEBHOOK_PORT), metrics))


def _self_check(ingress: IngressSettings) -> TrafficRule:
    """cert-manager asks for its own challenge before Let's Encrypt does."""
    peer = Peer(namespace=INGRESS) if ingress.mode is IngressMode.NGINX else Peer(cidr=ANYWHERE)
    return allow_to("allow-challenge-check", CONTROLLER, (peer,), 80, 443)


def _targets(_: Settings) -> Iterator[Target]:
    yield Target(
        name="cert-manager",
        namespace=NAMESPACE,
        labels=CONTROLLER,
        port="http-metrics",
        number=METRICS_PORT,
    )


def _unused_charts(settings: Settings) -> Iterator[str]:
    if settings.is_private:
        yield "platform-issuers"
        internal = settings.has_internal_ca
        unused = {"kept-internal-ca": not internal, "kept-certificates": not internal and not kept_of(settings, ())}
        yield from (chart for chart, left_out in unused.items() if left_out)
        return
    yield from ("private-certificates", "kept-internal-ca")
    if not keeps(settings.ingress):
        yield "kept-certificates"


COMPONENT = Component(
    package=__package__,
    position=10,
    needs=("secrets",),
    page="reference/platform.md",
    summary="cert-manager, issuers, and certificates kept in the vault",
    enabled=lambda _: True,
    charts=("cert-manager", "kept-certificates", "kept-internal-ca", "platform-issuers", "private-certificates"),
    unused_charts=_unused_charts,
    namespaces=_namespaces,
    connections=connections,
    accounts=(ACCOUNT, KEEPER),
    targets=_targets,
    stays=True,
    parts=lambda _: (
        Part(
            name="cainjector",
            namespace=NAMESPACE,
            workload="deployment/cert-manager-cainjector",
            container="cert-manager-cainjector",
        ),
        Part(
            name="webhook",
            namespace=NAMESPACE,
            workload="deployment/cert-manager-webhook",
            container="cert-manager-webhook",
        ),
        Part(
            name="controller",
            namespace=NAMESPACE,
            workload="deployment/cert-manager",
            container="cert-manager-controller",
        ),
    ),
)
