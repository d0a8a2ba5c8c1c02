"""Names on which everything around trust-manager has to agree."""

NAMESPACE = "trust"
RELEASE = "trust-manager"
"""Release, Deployment and container."""
PODS = {"app": "trust-manager"}
METRICS_PORT = 9402
WEBHOOK_PORT = 6443
CA_FILE = "ca.crt"
"""Key of the internal CA's root, in the ConfigMap that holds it alone."""
KNOWN = "known-roots"
"""ConfigMap, beside the internal CA, with the roots that Terraform knows: the public ones and the company's."""
