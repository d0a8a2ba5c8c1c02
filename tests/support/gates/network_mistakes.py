"""Mistakes in network policies, each as a change of what a correct environment has."""

from collections.abc import Callable
from typing import Any

from scripts.gates.network.check import Cluster

Object = dict[str, Any]
Change = Callable[[Cluster], None]


def _policy(found: Cluster, namespace: str, name: str) -> Object:
    (item,) = (
        item
        for item in found.policies
        if (item["metadata"]["namespace"], item["metadata"]["name"]) == (namespace, name)
    )
    return item


def _rule(found: Cluster, namespace: str, name: str, side: str, port: int) -> Object:
    rules: list[Object] = _policy(found, namespace, name)["spec"][side]
    return next(rule for rule in rules if any(one["port"] == port for one in rule.get("ports", ())))


def _pod(found: Cluster, namespace: str, name: str) -> Object:
    wanted = (namespace, name)
    return next(pod for pod in found.pods if (pod["metadata"]["namespace"], pod["metadata"]["name"]) == wanted)


def _without_default_deny(found: Cluster) -> None:
    found.policies.remove(_policy(found, "chat", "deny-all"))


def _default_deny_one_way(found: Cluster) -> None:
    _policy(found, "node-metrics", "deny-all")["spec"]["policyTypes"] = ["Ingress"]


def _empty_selector(found: Cluster) -> None:
    _policy(found, "cert-manager", "webhook")["spec"]["podSelector"] = {}


def _any_namespace(found: Cluster) -> None:
    _rule(found, "chat", "chat-redis", "ingress", 6379)["from"] = [{"namespaceSelector": {}}]
    _rule(found, "gateway", "litellm", "egress", 6379)["to"] = [{"namespaceSelector": {}}]


def _every_port(found: Cluster) -> None:
    del _rule(found, "gateway", "litellm", "ingress", 4000)["ports"]


def _named_port_in(found: Cluster) -> None:
    _rule(found, "gateway", "litellm", "ingress", 4000)["ports"] = [{"port": "htpp", "protocol": "TCP"}]


def _named_port_out(found: Cluster) -> None:
    # The gateway's pods call 4000 so, and others call other ports so: Kubernetes would take it, Cilium drops it.
    _rule(found, "chat", "open-webui", "egress", 4000)["ports"] = [{"port": "http", "protocol": "TCP"}]


def _range_of_pods(found: Cluster) -> None:
    _rule(found, "chat", "open-webui", "egress", 6379)["to"] = [{"ipBlock": {"cidr": "10.244.0.0/16"}}]


def _range_of_services(found: Cluster) -> None:
    _rule(found, "chat", "open-webui", "egress", 4000)["to"] = [{"ipBlock": {"cidr": "10.96.0.0/16"}}]


def _range_of_nodes(found: Cluster) -> None:
    _rule(found, "monitoring", "prometheus", "egress", 10250)["to"] = [{"ipBlock": {"cidr": "10.40.0.0/20"}}]


def _metadata(found: Cluster) -> None:
    _rule(found, "chat", "open-webui", "egress", 443)["to"][0]["ipBlock"]["except"] = ["168.63.129.16/32"]


def _label_of_a_single_pod(found: Cluster) -> None:
    labels = _pod(found, "opik", "opik-mysql")["metadata"]["labels"]
    labels["statefulset.kubernetes.io/pod-name"] = "opik-mysql-0"
    selector = {"matchLabels": {"statefulset.kubernetes.io/pod-name": "opik-mysql-0"}}
    _policy(found, "opik", "mysql")["spec"]["podSelector"] = selector


def _other_label(found: Cluster) -> None:
    _pod(found, "gateway", "litellm")["metadata"]["labels"]["app.kubernetes.io/name"] = "litellm-proxy"


def _network_of_the_host(found: Cluster) -> None:
    _pod(found, "node-metrics", "node-exporter")["spec"]["hostNetwork"] = True


def _other_port(found: Cluster) -> None:
    _rule(found, "opik", "opik-clickhouse", "ingress", 8123)["ports"][0]["port"] = 8124


def _other_protocol(found: Cluster) -> None:
    _rule(found, "chat", "chat-redis", "ingress", 6379)["ports"][0]["protocol"] = "UDP"


def _webhook_elsewhere(found: Cluster) -> None:
    found.webhooks.append({"namespace": "monitoring", "selector": {"app.kubernetes.io/name": "grafana"}, "port": 3000})


MISTAKES: dict[str, tuple[Change, str]] = {
    "no default deny": (_without_default_deny, "→ chat/chat-passwords, chat/unknown-pod: every port"),
    "default deny one way": (
        _default_deny_one_way,
        "open but not documented: node-metrics/node-exporter, node-metrics/unknown-pod → ",
    ),
    "empty selector": (_empty_selector, "more → cert-manager/cert-manager-cainjector, cert-manager/cert-manager, "),
    "any namespace": (_any_namespace, "open but not documented: gateway/litellm → chat/chat-redis, "),
    "every port": (_every_port, "→ gateway/litellm: every port"),
    "named port that no pod has": (
        _named_port_in,
        "needed but denied: chat/open-webui → gateway/litellm: 4000 (models)",
    ),
    "named port on the way out": (
        _named_port_out,
        "needed but denied: chat/open-webui → gateway/litellm: 4000 (models)",
    ),
    "range for a pod": (_range_of_pods, "needed but denied: chat/open-webui → chat/chat-redis: 6379"),
    "range for a Service": (_range_of_services, "needed but denied: chat/open-webui → gateway/litellm: 4000"),
    "range for a node": (_range_of_nodes, "needed but denied: monitoring/prometheus → nodes: 10250"),
    "instance metadata": (_metadata, "open but not documented: chat/open-webui → instance metadata (169.254.169.254)"),
    "label of a single pod": (_label_of_a_single_pod, "needed but denied: opik/opik-backend → opik/opik-mysql: 3306"),
    "label that drifted": (_other_label, "no pod is gateway: litellm"),
    "pod on the host's network": (_network_of_the_host, "needed but denied: monitoring/prometheus → node-metrics/"),
    "other port": (_other_port, "needed but denied: opik/opik-backend → opik/clickhouse: 8123"),
    "other protocol": (_other_protocol, "needed but denied: chat/open-webui → chat/chat-redis: 6379"),
    "webhook that nobody knows": (
        _webhook_elsewhere,
        "webhook without a connection: the Kubernetes API calls monitoring",
    ),
}
