"""Who talks to the LLM gateway and whom it talks to. Everything else is denied."""

from collections.abc import Iterator

from stacks.platform.common.databases import allow_database
from stacks.platform.common.ingress_mode import ingress_peer
from stacks.platform.common.scraping import allow_metrics
from stacks.platform.common.traffic import Peer, TrafficRule, allow_from, allow_to
from stacks.platform.components.cloud_models import address as cloud
from stacks.platform.components.enabled import EnabledComponents
from stacks.platform.components.serving.engines import PROXY, PROXY_PORT, SERVING

from .address import LIMITS, LIMITS_PORT, METRICS_PORT, NAMESPACE, PODS, PORT

JOBS = {"app.kubernetes.io/name": "litellm-jobs"}
"""Pods that migrate the database and register keys."""
LIMITS_PODS = {"app.kubernetes.io/instance": LIMITS}
"""The Redis comes from the chart of the login's sessions, which names its pods so."""


def gateway_traffic(components: EnabledComponents) -> Iterator[TrafficRule]:
    """Traffic rules of the gateway's namespace besides those of every application."""
    settings = components.settings
    pods, jobs = Peer(namespace=NAMESPACE, pods=PODS), Peer(namespace=NAMESPACE, pods=JOBS)
    callers = (caller.pods for caller in components.gateway_callers())
    engines = Peer(namespace=SERVING, pods={"app.kubernetes.io/name": PROXY})
    yield allow_from("allow-callers", PODS, (ingress_peer(settings.ingress, settings.network), jobs, *callers), PORT)
    yield allow_metrics(settings.monitoring, METRICS_PORT, pods=PODS)
    yield allow_to("allow-engines", PODS, (engines,), PROXY_PORT)
    if settings.cloud_models:
        yield allow_to("allow-cloud", PODS, (Peer(namespace=cloud.NAMESPACE, pods=cloud.PODS),), cloud.PORT)
    yield allow_to("allow-limits", PODS, (Peer(namespace=NAMESPACE, pods=LIMITS_PODS),), LIMITS_PORT)
    yield allow_from("allow-counting", LIMITS_PODS, (pods,), LIMITS_PORT)
    yield allow_database(settings.network, PODS)
    yield allow_database(settings.network, JOBS, name="allow-jobs-database")
    yield allow_to("allow-jobs-gateway", JOBS, (pods,), PORT)
    if receiver := components.trace_receiver():
        yield allow_to("allow-traces", PODS, (receiver.pods,), receiver.port)
