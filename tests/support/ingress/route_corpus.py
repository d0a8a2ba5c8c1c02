"""Requests to every host: what has to be reached, what must not, and paths that programs read differently."""

from pathlib import Path

from ruamel.yaml import YAML

TRICKS: list[str] = YAML(typ="safe").load(Path(__file__).with_name("path_tricks.yaml"))["never"]

PROBES = {
    "api": ("/v1/models", "/v1/mcp/server"),
    "chat": ("/api/v1/chats/", "/docs"),
    "grafana": ("/api/search", "/metrics"),
    "opik": ("/api/v1/private/projects", "/api/v1/internal/usage/bi-spans"),
}
"""By host: a path that it answers to GET, and one that the application has and nobody may reach."""

REACHED = (
    ("api", "POST", "/v1/chat/completions"),
    ("api", "POST", "/v1/embeddings"),
    ("api", "POST", "/v1/messages"),
    ("api", "GET", "/v1/models"),
    ("api", "GET", "/v1/models/qwen3%3A8b"),
    ("api", "OPTIONS", "/v1/chat/completions"),
    ("chat", "GET", "/"),
    ("chat", "GET", "/c/0d3cbe8e-0000-4000-8000-000000000000"),
    ("chat", "GET", "/_app/immutable/entry/start.js"),
    ("chat", "GET", "/static/favicon.png"),
    ("chat", "GET", "/health"),
    ("chat", "GET", "/api/config"),
    ("chat", "POST", "/api/chat/completions"),
    ("chat", "GET", "/oauth/oidc/login"),
    ("chat", "GET", "/oauth/oidc/callback?code=a&state=b"),
    ("chat", "GET", "/ws/socket.io/?EIO=4&transport=polling"),
    ("chat", "POST", "/ws/socket.io/?EIO=4&transport=polling"),
    ("chat", "DELETE", "/api/v1/chats/0d3cbe8e"),
    ("chat", "GET", "/api/v1/files/0d3cbe8e/content/a%20letter%20%C3%A9.pdf"),
    ("opik", "GET", "/"),
    ("opik", "GET", "/default/home"),
    ("opik", "GET", "/ping"),
    ("opik", "GET", "/assets/index.js"),
    ("opik", "GET", "/oauth2/callback?code=a&state=b"),
    ("opik", "POST", "/api/v1/private/otel/v1/traces"),
    ("opik", "POST", "/api/v1/private/traces/batch"),
    ("opik", "PATCH", "/api/v1/private/traces/0d3cbe8e"),
    ("opik", "GET", "/api/is-alive/ping"),
    ("opik", "GET", "/api/health-check?name=all&type=ready"),
    ("opik", "GET", "/api/v1/session/redirect/projects/?trace_id=1&path=aHR0cA=="),
    ("opik", "POST", "/guardrails/api/v1/guardrails/validations"),
    ("grafana", "GET", "/d/overview/overview"),
    ("grafana", "GET", "/login/azuread?code=a"),
    ("grafana", "POST", "/api/ds/query"),
)
"""What people, programs and the pages ask for."""

REFUSED = (
    ("api", "GET", "/"),
    ("api", "GET", "/ui/"),
    ("api", "POST", "/key/generate"),
    ("api", "GET", "/metrics"),
    ("api", "GET", "/health"),
    ("api", "GET", "/v1/agents"),
    ("api", "POST", "/v1/access_group"),
    ("api", "GET", "/v1/model/info"),
    ("api", "GET", "/v1/chat/completions"),
    ("api", "POST", "/v1/chat/completions/"),
    ("api", "POST", "/V1/chat/completions"),
    ("api", "POST", "/v1"),
    ("api", "POST", "/v1x/chat/completions"),
    ("api", "DELETE", "/v1/models/qwen3"),
    ("chat", "POST", "/"),
    ("chat", "GET", "/openapi.json"),
    ("chat", "GET", "/metrics"),
    ("chat", "POST", "/openai/key/generate"),
    ("chat", "GET", "/openai/v1/mcp/server"),
    ("chat", "POST", "/ollama/api/pull"),
    ("chat", "DELETE", "/ollama/api/delete"),
    ("chat", "POST", "/api/v1/auths/signup"),
    ("chat", "GET", "/api/v1/utils/db/download"),
    ("chat", "GET", "/api/v1/terminals/one/files"),
    ("chat", "GET", "/api/v2/anything"),
    ("opik", "POST", "/"),
    ("opik", "GET", "/v1/private/projects"),
    ("opik", "POST", "/v1/private/evaluators/python"),
    ("opik", "GET", "/api/v1/internal/usage/bi-spans"),
    ("opik", "POST", "/api/v1/internal/analytics-queries/projects/1"),
    ("opik", "POST", "/api/v1/private/retention/rules"),
    ("opik", "POST", "/api/v1/private/ollama/test-connection"),
    ("opik", "GET", "/swagger/"),
    ("opik", "GET", "/oauth2/userinfo"),
    ("grafana", "POST", "/login"),
    ("grafana", "GET", "/metrics"),
    ("grafana", "GET", "/debug/pprof/heap"),
    ("grafana", "GET", "/api/snapshots/abc"),
    ("grafana", "GET", "/api/admin/settings"),
)
"""What the applications have and nobody may reach."""


def written(trick: str, label: str, host: str) -> str:
    """Return the target that a trick makes for a host."""
    allowed, refused = PROBES[label]
    encoded = "".join(f"%{ord(letter):02x}" if letter.isalnum() else letter for letter in refused)
    parts = {"ALLOWED": allowed, "REFUSED": refused, "ENCODED": encoded, "HOST": host}
    for name, part in parts.items():
        trick = trick.replace(name, part)
    return trick


OF_ANOTHER_VERSION = [
    ("chat", "POST", "/api/v1/chats/new", True),
    ("chat", "GET", "/api/v1/chats/one", True),
    ("chat", "HEAD", "/api/v1/chats/one", True),
    ("chat", "GET", "/api/v1/chats/", True),
    ("chat", "GET", "/api/v1/chats", True),
    ("chat", "PATCH", "/api/v1/chats/new", False),
    ("chat", "PUT", "/api/v1/chats/one", False),
    ("chat", "POST", "/api/v1/chats/a-route/of-tomorrow", False),
    ("chat", "GET", "/api/v1/users/a/route/of/tomorrow", False),
    ("chat", "DELETE", "/api/v1/configs/export", False),
    ("chat", "GET", "/api/v1/chats/one/", True),
    ("chat", "GET", "/api/v1/chats/one/two/three/four", False),
    ("opik", "GET", "/api/v1/private/projects", True),
    ("opik", "HEAD", "/api/v1/private/projects/", True),
    ("opik", "DELETE", "/api/v1/private/projects", False),
    ("opik", "GET", "/api/v1/private/a-route/of-tomorrow", False),
    ("opik", "POST", "/api/v1/private/projects/one/two/three", False),
]
"""Host, method and path, and whether it is answered: what the pinned version has, and what another might."""

LISTED = {"open-webui": ("chat", {"chat", "administration"}), "opik": ("opik", {"interface"})}
"""Programs of which each route is let through by itself: the label of the host, and the entries of the table."""
