"""Names on which everything around cert-manager has to agree."""

from stacks.platform.common.accounts import WorkloadAccount

ACCOUNT = WorkloadAccount("cert-manager", "cert-manager")
"""The controller's."""
KEEPER = WorkloadAccount("cert-manager", "certificate-keeper")
"""The account that External Secrets asks a token for when it keeps certificates in the vault; no pod runs as it."""
NAMESPACE = ACCOUNT.namespace
METRICS_PORT = 9402
WEBHOOK_PORT = 10250

CONTROLLER = {"app.kubernetes.io/component": "controller"}
WEBHOOK = {"app.kubernetes.io/component": "webhook"}
