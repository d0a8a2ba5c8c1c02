"""Traffic that leaves the cluster as rows of the security page: which pods, where to, and what goes there."""

from collections.abc import Iterable

from stacks.platform.common.traffic import Direction, TrafficRule
from stacks.platform.components.enabled import EnabledComponents

CONTENT = {
    ("cert-manager", "allow-https-out"): "orders of certificates at Let's Encrypt: host names and `ingress.acme_email`",
    ("cert-manager", "allow-challenge-check"): "a request to the platform's own public names, before Let's Encrypt's",
    ("external-secrets", "allow-https-out"): "requests to Entra and to the Kubernetes API",
    ("external-secrets", "allow-vault"): "requests to Key Vault's private address",
    ("ingress", "allow-https-out"): "requests to the Kubernetes API",
    ("scaling", "allow-https-out"): "requests to the Kubernetes API",
    (
        "monitoring",
        "allow-https-out",
    ): "alerts to the configured receiver, Grafana's logins at Entra, the Kubernetes API",
    ("monitoring", "alerts-by-mail"): "alerts by mail",
    ("databases", "allow-database"): "statements to PostgreSQL's private address",
    ("databases", "allow-entra"): "a request to Entra, and one to the vault where it has no private address",
    ("databases", "allow-vault"): "a request to Key Vault's private address",
    ("chat", "allow-database"): "chats, users and vectors to PostgreSQL's private address",
    (
        "chat",
        "chat-to-internet",
    ): "logins at Entra; with a web search or a tool that an administrator adds, parts of chats",
    ("gateway", "allow-database"): "keys, budgets and spend to PostgreSQL's private address",
    ("gateway", "allow-jobs-database"): "migrations of that database",
    (
        "cloud",
        "cloud-to-internet",
    ): "prompts to the models of `cloud_models` with their keys or tokens; proofs of the service account to Entra",
    ("opik", "login-to-internet"): "logins at Entra",
    ("opik", "operator-to-internet"): "requests to the Kubernetes API",
    ("opik", "backend-to-internet"): "prompts to providers that somebody configures in Opik; webhooks of its alerts",
    ("serving", "allow-ollama-download"): "names of models to Ollama's registry",
    ("serving", "allow-vllm-download"): "names of models, and the token if one is set, to Hugging Face",
}
"""What leaves by a rule, by namespace and rule. A new rule without a line here has no row and fails a test."""


def outbound_table(environments: Iterable[EnabledComponents]) -> str:
    """Return the table of traffic rules to addresses outside the cluster, in any of the environments.

    Raises KeyError for a rule that this module does not describe.
    """
    lines = {
        f"| `{rules.name}` | {_pods(rule)} | {_where(rule)} | {CONTENT[rules.name, rule.name]} |"
        for components in environments
        for rules in components.namespaces()
        for rule in rules.traffic
        if rule.direction is Direction.EGRESS and any(peer.cidr for peer in rule.peers)
    }
    return "\n".join(["| namespace | pods | to | what leaves |", "|---|---|---|---|", *sorted(lines)])


def _pods(rule: TrafficRule) -> str:
    return ", ".join(f"`{value}`" for value in rule.pods.values()) or "all"


def _where(rule: TrafficRule) -> str:
    ports = ", ".join(str(port.number) for port in rule.ports) or "every port"
    private = all(peer.cidr and not peer.cidr.startswith("0.0.0.0/") for peer in rule.peers)
    return f"{'private endpoints' if private else 'any address outside the cluster'}, port {ports}"
