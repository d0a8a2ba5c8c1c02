"""What the rest of the code has to know of trust-manager."""

from collections.abc import Iterator

from stacks.platform.common.connections import Connection, https_out, webhook_calls
from stacks.platform.common.namespaces import NamespaceRules, controller_namespace
from stacks.platform.common.parts import Part
from stacks.platform.common.scraping import Target, allow_metrics
from stacks.platform.common.traffic import API_OUT, DNS, Peer, WayOut, webhook
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings

from .names import METRICS_PORT, NAMESPACE, PODS, RELEASE, WEBHOOK_PORT


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    metrics = allow_metrics(components.settings.monitoring, METRICS_PORT, pods=PODS)
    yield controller_namespace(NAMESPACE, (DNS, API_OUT, webhook(PODS, WEBHOOK_PORT), metrics))


def _connections(_: EnabledComponents) -> Iterator[Connection]:
    pods = Peer(namespace=NAMESPACE, pods=PODS)
    yield webhook_calls(pods, WEBHOOK_PORT)
    yield from https_out(Peer(namespace=NAMESPACE), "Kubernetes API", WayOut.KUBERNETES_API)


def _targets(_: Settings) -> Iterator[Target]:
    yield Target(name="trust-manager", namespace=NAMESPACE, labels=PODS, port="metrics", number=METRICS_PORT)


COMPONENT = Component(
    package=__package__,
    position=12,
    needs=("certificates",),
    page="reference/private-access.md",
    summary="trust-manager, which gives the internal CA's root to pods and the start page",
    enabled=lambda settings: settings.has_internal_ca,
    charts=("trust-manager", "trusted-roots"),
    namespaces=_namespaces,
    connections=_connections,
    targets=_targets,
    stays=True,
    parts=lambda _: (
        Part(name="manager", namespace=NAMESPACE, workload=f"deployment/{RELEASE}", container=RELEASE, main=True),
    ),
)
