"""Where the gateway answers: names on which everything around it has to agree."""

NAMESPACE = "gateway"
SERVICE = "litellm"
PORT = 4000
METRICS_PORT = 4001
"""Without a key, so that only a network policy stands before it."""
LIMITS = "gateway-redis"
"""Release and Service of the Redis that counts requests for all replicas together."""
LIMITS_PORT = 6379

BASE_URL = f"http://{SERVICE}.{NAMESPACE}.svc.cluster.local:{PORT}/v1"
"""The OpenAI-compatible API for callers in the cluster."""

DATABASE = "litellm"
"""Name of the gateway's database, and of the role that owns it."""
