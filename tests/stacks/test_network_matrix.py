"""Every connection that the platform needs is open under Cilium's rules, and what must not be open is not.

The table is written down, not derived from the traffic rules that it checks.
"""

from collections.abc import Callable

import pytest

from tests.support.kubernetes.cilium import End, OtherNode, Outside, Pod, Rules
from tests.support.stacks.synthesis import Synthesized

Environment = Callable[[str], Synthesized]
Line = tuple[End, End, int]


def _pod(namespace: str, name: str = "", **labels: str) -> Pod:
    named = {"app.kubernetes.io/name": name} if name else {}
    return Pod(namespace, named | {key.replace("__", "/").replace("_", "."): value for key, value in labels.items()})


INTERNET = Outside("203.0.113.7")
METADATA = Outside("169.254.169.254")
DATABASE = ENDPOINT = Outside("10.40.17.5")
GATEWAY_SUBNET = Outside("10.40.16.5")
KEDA = _pod("kube-system", "keda-operator")
TUNNEL = Pod("kube-system", {"app": "konnectivity-agent"})
DNS = Pod("kube-system", {"k8s-app": "kube-dns"})
CERT_MANAGER = _pod("cert-manager", "cert-manager", app_kubernetes_io__component="controller")
CERT_MANAGER_WEBHOOK = _pod("cert-manager", "webhook", app_kubernetes_io__component="webhook")
EXTERNAL_SECRETS = _pod("external-secrets", "external-secrets")
EXTERNAL_SECRETS_WEBHOOK = _pod("external-secrets", "external-secrets-webhook")
NGINX = _pod("ingress", "nginx-ingress")
CHAT = Pod("chat", {"app.kubernetes.io/component": "open-webui", "app.kubernetes.io/name": "open-webui"})
CHAT_REDIS = Pod("chat", {"app.kubernetes.io/instance": "chat-redis"})
GATEWAY = _pod("gateway", "litellm")
GATEWAY_JOB = _pod("gateway", "litellm-jobs")
LOGIN = _pod("opik", "oauth2-proxy")
OPIK_FRONTEND = Pod("opik", {"component": "opik-frontend"})
OPIK_BACKEND = Pod("opik", {"component": "opik-backend"})
EVALUATOR = Pod("opik", {"component": "opik-python-backend"})
MYSQL = _pod("opik", "mysql")
CLICKHOUSE = Pod("opik", {"clickhouse.altinity.com/chi": "opik-clickhouse"})
ZOOKEEPER = _pod("opik", "zookeeper-opik")
OPERATOR = _pod("opik", "altinity-clickhouse-operator")
PROXY = _pod("serving", "serving-front")
OLLAMA = _pod("serving", "ollama")
PULL = _pod("serving", "ollama-models")
VLLM = Pod("serving", {"stack": "vllm-engine"})
INTERCEPTOR = Pod("scaling", {"app.kubernetes.io/component": "interceptor"})
SCALER = Pod("scaling", {"app.kubernetes.io/component": "scaler"})
GRAFANA = _pod("monitoring", "grafana")
PROMETHEUS = _pod("monitoring", "prometheus")
ALERTMANAGER = _pod("monitoring", "alertmanager")
PREPARE = _pod("databases", "prepare-databases")


def _solver(namespace: str) -> Pod:
    return Pod(namespace, {"acme.cert-manager.io/http01-solver": "true"})


HOSTS = ("chat", "opik", "gateway", "monitoring")
"""Namespaces with an Ingress: cert-manager proves their hosts there."""

EVERYWHERE: dict[str, Line] = {
    "names": (CHAT, DNS, 53),
    "webhook of cert-manager": (TUNNEL, CERT_MANAGER_WEBHOOK, 10250),
    "webhook of External Secrets": (TUNNEL, EXTERNAL_SECRETS_WEBHOOK, 10250),
    "vault": (EXTERNAL_SECRETS, INTERNET, 443),
    "vault, by its private address": (EXTERNAL_SECRETS, ENDPOINT, 443),
    "Let's Encrypt": (CERT_MANAGER, INTERNET, 443),
    "prepare databases": (PREPARE, DATABASE, 5432),
    "prepare databases, by the vault's password": (PREPARE, ENDPOINT, 443),
    "prepare databases, by an identity of Entra": (PREPARE, INTERNET, 443),
    "chat's database": (CHAT, DATABASE, 5432),
    "chat's sessions": (CHAT, CHAT_REDIS, 6379),
    "chat's login": (CHAT, INTERNET, 443),
    "chat to gateway": (CHAT, GATEWAY, 4000),
    "gateway's database": (GATEWAY, DATABASE, 5432),
    "gateway's migration": (GATEWAY_JOB, DATABASE, 5432),
    "gateway's keys": (GATEWAY_JOB, GATEWAY, 4000),
    "gateway to engines": (GATEWAY, PROXY, 8080),
    "traces": (GATEWAY, OPIK_FRONTEND, 5173),
    "Opik's login to its page": (LOGIN, OPIK_FRONTEND, 5173),
    "Opik's page": (OPIK_FRONTEND, OPIK_BACKEND, 8080),
    "Opik's projects": (OPIK_BACKEND, MYSQL, 3306),
    "Opik's traces": (OPIK_BACKEND, CLICKHOUSE, 8123),
    "ClickHouse's replication": (CLICKHOUSE, ZOOKEEPER, 2181),
    "ClickHouse's operator": (OPERATOR, CLICKHOUSE, 8123),
    "playground to gateway": (OPIK_BACKEND, GATEWAY, 4000),
    "requests wait": (PROXY, INTERCEPTOR, 8080),
    "requests to Ollama": (INTERCEPTOR, OLLAMA, 11434),
    "KEDA counts": (KEDA, SCALER, 9090),
    "KEDA's scaler counts": (SCALER, INTERCEPTOR, 9090),
    "models": (PULL, INTERNET, 443),
    "metrics of kubelets": (PROMETHEUS, OtherNode(), 10250),
    "metrics of nodes": (PROMETHEUS, _pod("node-metrics", "prometheus-node-exporter"), 9100),
    "metrics of GPUs": (PROMETHEUS, _pod("gpu", "dcgm-exporter"), 9400),
    "metrics of the gateway": (PROMETHEUS, GATEWAY, 4001),
    "metrics of the interceptor": (PROMETHEUS, INTERCEPTOR, 2223),
    "metrics of cert-manager": (PROMETHEUS, CERT_MANAGER, 9402),
    "dashboards ask Prometheus": (GRAFANA, PROMETHEUS, 9090),
    "dashboards ask Azure": (GRAFANA, INTERNET, 443),
    "alerts": (PROMETHEUS, ALERTMANAGER, 9093),
}

NGINX_OPEN: dict[str, Line] = {
    "people": (INTERNET, NGINX, 443),
    "Let's Encrypt asks for a challenge": (INTERNET, NGINX, 80),
    "cert-manager asks for it first": (CERT_MANAGER, NGINX, 80),
    "cert-manager follows a redirect": (CERT_MANAGER, NGINX, 443),
    "chat": (NGINX, CHAT, 8080),
    "API": (NGINX, GATEWAY, 4000),
    "Opik": (NGINX, LOGIN, 4180),
    "Grafana": (NGINX, GRAFANA, 3000),
    "metrics": (PROMETHEUS, NGINX, 9113),
    **{f"challenge of {name}": (NGINX, _solver(name), 8089) for name in HOSTS},
}

APPLICATION_GATEWAY_OPEN: dict[str, Line] = {
    "cert-manager asks for its challenge": (CERT_MANAGER, INTERNET, 80),
    "chat": (GATEWAY_SUBNET, CHAT, 8080),
    "API": (GATEWAY_SUBNET, GATEWAY, 4000),
    "Opik": (GATEWAY_SUBNET, LOGIN, 4180),
    "Grafana": (GATEWAY_SUBNET, GRAFANA, 3000),
    **{f"challenge of {name}": (GATEWAY_SUBNET, _solver(name), 8089) for name in HOSTS},
}

CLOSED: dict[str, Line] = {
    **{f"node's identity from {pod.namespace}": (pod, METADATA, 443) for pod in (CHAT, GATEWAY, PULL, OPIK_BACKEND)},
    "node's identity, plain": (CHAT, METADATA, 80),
    "wire server": (CERT_MANAGER, Outside("168.63.129.16"), 80),
    "vault to the chat": (CHAT, ENDPOINT, 443),
    "webhook's port of the controller": (TUNNEL, CERT_MANAGER, 10250),
    "GPU pods to the internet": (_pod("gpu", "dcgm-exporter"), INTERNET, 443),
    "chat to Opik's data": (CHAT, CLICKHOUSE, 8123),
    "chat to engines past the gateway": (CHAT, OLLAMA, 11434),
    "people past the login": (NGINX, OPIK_BACKEND, 8080),
    "internet past the ingress": (INTERNET, CHAT, 8080),
    "evaluators to the internet": (EVALUATOR, INTERNET, 443),
    "Ollama to the internet": (OLLAMA, INTERNET, 443),
    "front to the internet": (PROXY, INTERNET, 443),
    "gateway to Opik's data": (GATEWAY, MYSQL, 3306),
    "databases' Job to the internet": (PREPARE, INTERNET, 80),
    "databases' other pods to the internet": (_pod("databases", "databases-passwords"), INTERNET, 443),
    "databases' other pods to the database": (_pod("databases", "databases-passwords"), DATABASE, 5432),
    "chat to the vault's reader": (CHAT, EXTERNAL_SECRETS, 8080),
    "chat to kubelets": (CHAT, OtherNode(), 10250),
    "other nodes to the chat": (OtherNode(), CHAT, 8080),
    "Grafana to the gateway": (GRAFANA, GATEWAY, 4000),
    "solver of the chat to anybody": (_solver("chat"), INTERNET, 443),
    "unlisted pod": (Pod("opik", {"component": "other"}), OPIK_BACKEND, 8080),
}


def _rules(environment: Environment, name: str) -> Rules:
    return Rules(environment(name).resources("platform", "kubernetes_network_policy_v1"))


@pytest.mark.parametrize(
    ("name", "needed"),
    [("dev", EVERYWHERE | NGINX_OPEN), ("prod", EVERYWHERE | APPLICATION_GATEWAY_OPEN)],
    ids=["dev", "prod"],
)
def test_what_the_platform_needs_is_open(environment: Environment, name: str, needed: dict[str, Line]) -> None:
    rules = _rules(environment, name)
    assert [what for what, (source, target, port) in needed.items() if not _open(rules, source, target, port)] == []


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_what_must_not_be_reached_is_closed(environment: Environment, name: str) -> None:
    rules = _rules(environment, name)
    assert [what for what, (source, target, port) in CLOSED.items() if _open(rules, source, target, port)] == []


def _open(rules: Rules, source: End, target: End, port: int) -> bool:
    return rules.allow(source, target, port, "UDP" if port == 53 else "TCP")


POLICY = {
    "metadata": {"namespace": "${kubernetes_namespace_v1.one-namespace.metadata[0].name}"},
    "spec": {
        "pod_selector": {},
        "policy_types": ["Ingress"],
        "ingress": [{"from": [{"ip_block": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": "80", "protocol": "TCP"}]}],
    },
}


def test_a_range_matches_what_lies_outside_the_cluster_and_neither_pods_nor_nodes() -> None:
    rules, target = Rules({"any": POLICY}), Pod("one")
    assert rules.allow(INTERNET, target, 80)
    assert not rules.allow(INTERNET, target, 443)
    assert not rules.allow(Pod("two"), target, 80)
    assert not rules.allow(Pod("one"), target, 80)
    assert not rules.allow(OtherNode(), target, 80)
    assert rules.allow(target, Pod("two"), 80)


BLOCKS = {
    # Way out: Kubernetes' API, Entra, the vault, ACME, hubs of models, pages. No pod answers there; the front door's
    # own address is a pod's in the mode nginx, and who calls it has a rule for the namespace `ingress`.
    ("egress", "0.0.0.0/0"): {
        "cert-manager",
        # For Entra, which gives the Job its token for the vault.
        "databases",
        "external-secrets",
        "ingress",
        "monitoring",
        "scaling",
        "chat",
        "opik",
        "serving",
    },
    # Private endpoints.
    ("egress", "10.40.17.0/26"): {"chat", "databases", "external-secrets", "gateway"},
}
INCOMING = {
    # People, programs, Let's Encrypt. Pods that call the ingress have a rule of their own beside it.
    "dev": {("ingress", "0.0.0.0/0"): {"ingress"}},
    # The Application Gateway is neither a pod nor a node.
    "prod": {("ingress", "10.40.16.0/24"): {"chat", "gateway", "opik", "monitoring", "serving"}},
}


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_ranges_stand_only_where_no_pod_is_selected(environment: Environment, name: str) -> None:
    """A new range is looked at: does a pod or a node answer or call from there? Then it needs a namespace instead."""
    found: dict[tuple[str, str], set[str]] = {}
    for policy in environment(name).resources("platform", "kubernetes_network_policy_v1").values():
        space = policy["metadata"]["namespace"].partition(".")[2].partition("-namespace.")[0]
        for side, peers in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(side) or ():
                for block in (peer["ip_block"] for peer in rule.get(peers) or () if "ip_block" in peer):
                    found.setdefault((side, block["cidr"]), set()).add(space)
                    nobodys = ["169.254.169.254/32", "168.63.129.16/32"]
                    endpoints = ["10.40.17.0/26"] if side == "egress" else []
                    wanted = [*nobodys, *endpoints] if block["cidr"] == "0.0.0.0/0" else None
                    assert block.get("except") == wanted
    expected = BLOCKS | INCOMING[name]
    assert found == {key: spaces - ({"ingress"} if name == "prod" else set()) for key, spaces in expected.items()}
