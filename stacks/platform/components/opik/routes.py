"""What Opik's host answers: the login, Opik's pages, and the API that pages, SDKs and OpenTelemetry use.

Every route of the API of the pinned Opik is in `routes.tsv`, under the name of one entry here; the paths are those
before the frontend takes `/api` away. The source of 2.1.23 has no route beside them: none of its resources
(apps/opik-backend, com/comet/opik/api/resources) is hidden from the description that the table comes from.
"""

from pathlib import Path

from stacks.common.routes import (
    ANY_METHOD,
    READ,
    WRITE,
    Allowed,
    HostRoutes,
    Pages,
    Refused,
    Who,
    below,
    listed,
)
from stacks.platform.common.entra_login import LOGIN

_TABLE = (Path(__file__).parent / "routes.tsv").read_text("utf-8")

ROUTES = HostRoutes(
    pages=Pages(
        # `opik`, `oauth` and `v1` are the backend's own paths, `health` the frontend's.
        reserved=("api", "guardrails", "oauth", "oauth2", "opik", "ping", "ready", "swagger", "v1", "metrics"),
    ),
    allowed=(
        LOGIN,
        Allowed(
            name="traces",
            who=Who.PROGRAM,
            methods=("POST",),
            paths=("/api/v1/private/otel/v1/traces",),
            why="traces of OpenTelemetry",
        ),
        Allowed(
            name="interface",
            who=Who.PERSON,
            methods=ANY_METHOD,
            paths=("/api/v1/private/**",),
            why="what pages and SDKs ask for; every member of the group may do all of it",
            listed=listed(_TABLE, "interface", prefix="/api"),
        ),
        Allowed(
            name="links",
            who=Who.PERSON,
            methods=READ,
            paths=("/api/v1/session/redirect/**",),
            why="links that SDKs print, to the page of a trace or experiment",
        ),
        Allowed(
            name="state",
            who=Who.ANYONE,
            methods=READ,
            paths=("/ping", "/ready"),
            why="that oauth2-proxy runs and reaches its sessions, and no more",
        ),
        Allowed(
            name="health",
            who=Who.PROGRAM,
            methods=READ,
            paths=("/api/is-alive/ping", "/api/is-alive/ver", "/api/health-check"),
            why="health and version of the backend, behind the login",
        ),
        Allowed(
            name="guardrails",
            who=Who.PROGRAM,
            methods=("POST",),
            paths=("/guardrails/api/v1/guardrails/validations",),
            why="checks of texts, where `opik.guardrails_pool` is set",
        ),
    ),
    refused=(
        Refused(
            name="retention",
            why="how long traces are kept is the environment file's",
            paths=below(("api/v1/private/retention",)),
            methods=WRITE,
        ),
        Refused(
            name="connections",
            why="has the backend call any address that a caller names",
            paths=below(("api/v1/private/ollama",)),
        ),
        Refused(name="internal", why="usage and queries over all workspaces, for the vendor's own service"),
        Refused(name="authorization", why="a server of OAuth logins, which is switched off"),
    ),
)
