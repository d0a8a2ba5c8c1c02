"""The namespaces of an environment: Pod Security level, quota, defaults and allowed traffic of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from stacks.platform.components.chat.traffic import chat_flows
from stacks.platform.components.databases import jobs as databases
from stacks.platform.components.gpu.nodes import most_gpu_nodes
from stacks.platform.components.llm_gateway.address import NAMESPACE as GATEWAY
from stacks.platform.components.llm_gateway.traffic import gateway_flows
from stacks.platform.components.monitoring.traffic import NODE_METRICS, monitoring_flows, node_metrics_flows
from stacks.platform.components.opik.traffic import opik_flows
from stacks.platform.components.serving.engines import SCALING, SERVING
from stacks.platform.components.serving.traffic import scaling_flows, serving_flows
from stacks.settings import Settings
from stacks.settings.monitoring import MetricsStore
from stacks.settings.network import IngressMode
from stacks.settings.workloads import Engine

from . import accounts
from .scraping import metrics
from .traffic import ANY_NAMESPACE, ANYWHERE, DNS, HTTPS_OUT, MONITORING, Direction, Flow, Peer, Port, webhook

CERT_MANAGER = accounts.CERT_MANAGER.namespace
EXTERNAL_SECRETS = accounts.VAULT_READER.namespace
INGRESS = "ingress"
GPU = "gpu"
CHAT = accounts.OPEN_WEBUI.namespace
OPIK = accounts.OAUTH2_PROXY.namespace

_HTTP = Port(80)
_HTTPS = Port(443)


class PodSecurity(StrEnum):
    """Levels of https://kubernetes.io/docs/concepts/security/pod-security-standards/."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceRules:
    """One namespace and everything that bounds what runs in it."""

    name: str
    enforced: PodSecurity
    """Pods below this level are refused."""
    reported: PodSecurity
    """Pods below this level are let in with a warning and an audit entry."""
    quota: dict[str, str]
    container_defaults: dict[str, str]
    """Limits of a container that states none."""
    container_requests: dict[str, str]
    """Requests of a container that states none."""
    flows: tuple[Flow, ...]


def namespaces(settings: Settings) -> tuple[NamespaceRules, ...]:
    """Every namespace that the environment's settings call for, controllers first."""
    return (*_controllers(settings), *(_application(name, settings) for name in application_namespaces(settings)))


def application_namespaces(settings: Settings) -> tuple[str, ...]:
    """Namespaces of the applications that are switched on."""
    wanted = {
        CHAT: settings.chat.enabled,
        GATEWAY: settings.gateway.enabled,
        OPIK: settings.opik.enabled,
        SERVING: bool(settings.models),
    }
    return tuple(name for name, enabled in wanted.items() if enabled)


def preparing_namespaces(settings: Settings) -> tuple[str, ...]:
    """Namespaces of Jobs that get secrets to prepare something for the applications."""
    return (databases.NAMESPACE,) if databases.databases(settings) else ()


def serves_with(settings: Settings, engine: Engine) -> bool:
    """Whether any listed model runs on `engine`."""
    return any(model.engine is engine for model in settings.models)


def _controllers(settings: Settings) -> Iterator[NamespaceRules]:
    yield _controller(CERT_MANAGER, (DNS, HTTPS_OUT, _self_check(settings), webhook(10250), metrics(settings, 9402)))
    yield _controller(EXTERNAL_SECRETS, (DNS, HTTPS_OUT, webhook(10250), metrics(settings, 8080)))
    if settings.ingress.mode is IngressMode.NGINX:
        yield _nginx(settings)
    if settings.cluster.gpu_pools:
        yield _gpu(settings)
    if settings.models:
        yield _controller(SCALING, scaling_flows(settings))
    if settings.monitoring.enabled:
        yield _monitoring(settings)
        if settings.monitoring.metrics is MetricsStore.PROMETHEUS:
            yield _node_metrics(settings)
    for name in preparing_namespaces(settings):
        yield _controller(name, databases.flows(settings))


def _controller(name: str, flows: tuple[Flow, ...]) -> NamespaceRules:
    return NamespaceRules(
        name=name,
        enforced=PodSecurity.RESTRICTED,
        reported=PodSecurity.RESTRICTED,
        quota=_no_doors() | {"pods": "20", "requests.cpu": "1", "requests.memory": "2Gi", "limits.memory": "8Gi"},
        container_defaults={"memory": "128Mi"},
        container_requests={"cpu": "10m", "memory": "32Mi"},
        flows=flows,
    )


def _self_check(settings: Settings) -> Flow:
    """cert-manager asks for its own challenge before Let's Encrypt does."""
    door = Peer(namespace=INGRESS) if settings.ingress.mode is IngressMode.NGINX else Peer(cidr=ANYWHERE)
    return Flow(name="allow-challenge-check", direction=Direction.EGRESS, peers=(door,), ports=(_HTTP, _HTTPS))


def _nginx(settings: Settings) -> NamespaceRules:
    ranges = [str(cidr) for cidr in settings.ingress.allowed_source_ranges] or [ANYWHERE]
    callers = (*(Peer(cidr=cidr) for cidr in ranges), Peer(namespace=ANY_NAMESPACE))
    behind = (*application_namespaces(settings), *([MONITORING] if settings.monitoring.enabled else []))
    backends = tuple(Peer(namespace=name) for name in behind)
    # Those of two rollouts go on with what they have begun, for half an hour, while new ones start.
    most_pods = 3 * settings.ingress.nginx_replicas
    return NamespaceRules(
        name=INGRESS,
        enforced=PodSecurity.RESTRICTED,
        reported=PodSecurity.RESTRICTED,
        quota={
            "pods": f"{most_pods + 1}",
            "requests.cpu": f"{most_pods}",
            "requests.memory": f"{most_pods}Gi",
            "limits.memory": f"{2 * most_pods}Gi",
            "persistentvolumeclaims": "0",
            "services.loadbalancers": "1",
        },
        container_defaults={"memory": "256Mi"},
        container_requests={"cpu": "10m", "memory": "64Mi"},
        flows=(
            DNS,
            HTTPS_OUT,
            Flow(name="allow-front-door", direction=Direction.INGRESS, peers=callers, ports=(_HTTPS,)),
            # Redirects, and challenges: of Let's Encrypt, whose addresses nobody publishes, and of cert-manager, which
            # asks for its own first and is a pod, so that no range matches it.
            Flow(
                name="allow-challenges",
                direction=Direction.INGRESS,
                peers=(Peer(cidr=ANYWHERE), Peer(namespace=ANY_NAMESPACE)),
                ports=(_HTTP,),
            ),
            *([Flow(name="allow-backends", direction=Direction.EGRESS, peers=backends)] if backends else []),
            metrics(settings, 9113),
        ),
    )


def _gpu(settings: Settings) -> NamespaceRules:
    # Device plugin and exporter on every GPU node, and room for their successors during an update.
    most_pods = 4 * most_gpu_nodes(settings)
    return NamespaceRules(
        name=GPU,
        enforced=PodSecurity.PRIVILEGED,
        reported=PodSecurity.PRIVILEGED,
        quota=_no_doors()
        | {"pods": f"{most_pods}", "requests.memory": f"{most_pods * 512}Mi", "limits.memory": f"{most_pods}Gi"},
        container_defaults={"memory": "128Mi"},
        container_requests={"cpu": "10m", "memory": "32Mi"},
        flows=(DNS, HTTPS_OUT, metrics(settings, 9400)),
    )


def _monitoring(settings: Settings) -> NamespaceRules:
    return NamespaceRules(
        name=MONITORING,
        enforced=PodSecurity.RESTRICTED,
        reported=PodSecurity.RESTRICTED,
        quota=_no_doors(claims=10) | {"pods": "40"},
        container_defaults={"memory": "128Mi"},
        container_requests={"cpu": "10m", "memory": "32Mi"},
        flows=(_challenge(settings), *monitoring_flows(settings, front_door(settings))),
    )


def _node_metrics(settings: Settings) -> NamespaceRules:
    cluster = settings.cluster
    nodes = cluster.system_pool.max_nodes + cluster.workload_pool.max_nodes + most_gpu_nodes(settings)
    return NamespaceRules(
        name=NODE_METRICS,
        enforced=PodSecurity.PRIVILEGED,
        reported=PodSecurity.PRIVILEGED,
        # One on every node, and room for nodes that are replaced.
        quota=_no_doors() | {"pods": f"{2 * nodes}"},
        container_defaults={"memory": "128Mi"},
        container_requests={"cpu": "10m", "memory": "32Mi"},
        flows=node_metrics_flows(),
    )


def _challenge(settings: Settings) -> Flow:
    """Challenge pods of cert-manager appear beside the Ingress that they prove."""
    return Flow(
        name="allow-challenge",
        direction=Direction.INGRESS,
        peers=(front_door(settings),),
        ports=(Port(8089),),
        pods={"acme.cert-manager.io/http01-solver": "true"},
    )


def _application(name: str, settings: Settings) -> NamespaceRules:
    return NamespaceRules(
        name=name,
        enforced=PodSecurity.RESTRICTED if name in _RESTRICTED else PodSecurity.BASELINE,
        reported=PodSecurity.RESTRICTED,
        quota=_no_doors(claims=20) | {"pods": "100"},
        container_defaults={"memory": "1Gi"},
        container_requests={"cpu": "50m", "memory": "128Mi"},
        flows=(DNS, _challenge(settings), *_own_flows(name, settings)),
    )


_RESTRICTED = frozenset({CHAT})
"""Applications all of whose pods need no more than the highest level allows."""


def _own_flows(name: str, settings: Settings) -> tuple[Flow, ...]:
    if name == CHAT:
        return tuple(chat_flows(settings, front_door(settings)))
    if name == OPIK:
        return opik_flows(settings, front_door(settings))
    if name == GATEWAY:
        return gateway_flows(settings, front_door(settings))
    if name == SERVING:
        return serving_flows(settings, (CHAT, GATEWAY))
    return ()


def front_door(settings: Settings) -> Peer:
    """Where requests of people and programs reach the applications' pods from."""
    if settings.ingress.mode is IngressMode.NGINX:
        return Peer(namespace=INGRESS)
    return Peer(cidr=str(settings.network.gateway_subnet))


def _no_doors(claims: int = 0) -> dict[str, str]:
    """Quota under which nothing gets an address of its own outside the cluster."""
    return {"services.loadbalancers": "0", "services.nodeports": "0", "persistentvolumeclaims": f"{claims}"}
