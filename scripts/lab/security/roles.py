"""Azure role assignments as rows of the security page: who may do what, on what, and what the right means."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

PRINCIPALS = {
    "control-plane": "cluster's control plane",
    "kubelet": "nodes (kubelet)",
    "ingress_application_gateway_identity": "Application Gateway's ingress controller",
    "external-secrets": "External Secrets Operator",
    "databases": "Job of the databases",
    "certificate-keeper": "External Secrets Operator, for certificates",
    "grafana": "Grafana",
    "cloud-models": "LLM gateway",
    "backup": "Backup vault",
    "deployer": "first deployer, or `operators.object_ids`",
    "vault_deployer": "first deployer, or `operators.object_ids`",
    "operator": "first deployer, or `operators.object_ids`",
}
"""Part of the expression that names a principal to its name on the page."""

MEANINGS = {
    ("External Secrets Operator", "Key Vault Secrets User"): "reads the value of every secret in the vault",
    ("Job of the databases", "Key Vault Secrets User"): (
        "reads the password of PostgreSQL's administrator, and no other secret"
    ),
    ("External Secrets Operator, for certificates", "Key Vault Secrets Officer"): (
        "keeps certificates and the ACME account's key for the next cluster; reads, writes and deletes these alone"
    ),
    (
        "LLM gateway",
        "Cognitive Services OpenAI User",
    ): "calls models of that resource; reads no key and deploys nothing",
    ("Grafana", "Monitoring Reader"): "reads metrics and settings of PostgreSQL, no data",
    ("nodes (kubelet)", "AcrPull"): "pulls images",
    ("cluster's control plane", "Disk Restore Operator"): "attaches and grows the data disks; cannot delete them",
    ("cluster's control plane", "Managed Identity Operator"): "gives the nodes their identity",
    ("cluster's control plane", "Network Contributor"): "puts nodes into the subnet and uses the public addresses",
    ("cluster's control plane", "Reader"): "finds the address of the ingress, or the disk encryption set",
    (
        "Application Gateway's ingress controller",
        "Contributor",
    ): "writes routes and certificates of the Application Gateway",
    ("Application Gateway's ingress controller", "Network Contributor"): "uses subnet, address and firewall policy",
    ("Application Gateway's ingress controller", "Reader"): "finds the Application Gateway",
    ("Backup vault", "Disk Backup Reader"): "reads the data disks to make snapshots",
    ("Backup vault", "Disk Restore Operator"): "makes disks from snapshots",
    ("Backup vault", "Disk Snapshot Contributor"): "writes and deletes snapshots in their own resource group",
    (
        "first deployer, or `operators.object_ids`",
        "Key Vault Secrets Officer",
    ): "reads, writes and deletes every secret",
    ("first deployer, or `operators.object_ids`", "Azure Kubernetes Service RBAC Cluster Admin"): (
        "everything in the cluster, the content of Secrets and every pod included"
    ),
    ("first deployer, or `operators.object_ids`", "Storage Blob Data Contributor"): (
        "reads and writes the manifests of backup sets: names of resources and counts, no contents and no secret"
    ),
}
"""What a principal can do with a role. A new role assignment without a line here has no row and fails a test."""

_SCOPE = re.compile(r"(\w+)-state\.outputs\.(\w+?)(?:_id)?\}|\{azurerm_(\w+?)\.([\w-]+)\.id\}|/(\w+)/[^/]+$")


def roles_table(environments: Iterable[Mapping[str, Mapping[str, Any]]]) -> str:
    """Return the table of the role assignments in the synthesized stacks of `environments`.

    Raises KeyError for a principal or role that this module does not describe.
    """
    rows = {
        _row(stack, body)
        for stacks in environments
        for stack, content in stacks.items()
        for body in content.get("resource", {}).get("azurerm_role_assignment", {}).values()
    }
    lines = [f"| {who} | {role} | {on} | {MEANINGS[who, role]} |" for who, role, on in sorted(rows)]
    return "\n".join(["| who | Azure role | on | so it |", "|---|---|---|---|", *lines])


def _row(stack: str, body: Mapping[str, Any]) -> tuple[str, str, str]:
    return _principal(body["principal_id"]), body["role_definition_name"], _scope(stack, body["scope"])


def _principal(expression: str) -> str:
    names = sorted((name for name in PRINCIPALS if name in expression), key=len)
    return PRINCIPALS[names[-1]] if names else PRINCIPALS[expression]


def _scope(stack: str, expression: str) -> str:
    found = _SCOPE.search(expression)
    if found is None:
        raise KeyError(expression)
    producer, output, kind, name, azure = found.groups()
    if producer and "/secrets/kept-" in expression:
        return f"`{producer}.{output}`, each secret `kept-*`"
    if producer:
        _, _, secret = expression.partition("}/secrets/")
        return f"`{producer}.{output}`" + (f", secret `{secret}`" if secret else "")
    if kind:
        return f"`{stack}.{(name if kind == 'resource_group' else kind).replace('-', '_')}`"
    return str(azure)
