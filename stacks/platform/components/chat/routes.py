"""What the host of the chat answers: its pages and what they ask for.

Every route of the pinned Open WebUI is in `routes.tsv`, under the name of one entry here. Open WebUI checks the login
of each; what is refused here is what no person of this platform has a use for.
"""

from pathlib import Path

from stacks.common.routes import (
    ANY_METHOD,
    READ,
    WEBSOCKET,
    Allowed,
    HostRoutes,
    Pages,
    Refused,
    Who,
    below,
    listed,
)

_TABLE = Path(__file__).with_name("routes.tsv").read_text("utf-8")
_ADMINISTRATION = ("analytics", "configs", "evaluations", "functions", "groups", "pipelines", "users")
_EVERYBODY = (
    "apps",
    "audio",
    "auths",
    "automations",
    "calendars",
    "channels",
    "chats",
    "files",
    "folders",
    "images",
    "knowledge",
    "memories",
    "models",
    "notes",
    "notifications",
    "prompts",
    "retrieval",
    "search",
    "skills",
    "tasks",
    "terminals",
    "tools",
    "utils",
)

ROUTES = HostRoutes(
    pages=Pages(
        reserved=(
            "api",
            "ollama",
            "openai",
            "oauth",
            "ws",
            "docs",
            "redoc",
            "openapi.json",
            "health",
            "ready",
            "metrics",
        ),
        who=Who.ANYONE,
    ),
    allowed=(
        Allowed(
            name="login",
            who=Who.ANYONE,
            methods=READ,
            paths=("/oauth/{}/login", "/oauth/{}/callback", "/oauth/{}/login/callback", "/api/config", "/api/version"),
            why="the login at Entra, and what the login page shows",
        ),
        Allowed(
            name="health", who=Who.ANYONE, methods=READ, paths=("/health",), why="that the server runs, and no more"
        ),
        Allowed(
            name="chat",
            who=Who.PERSON,
            methods=ANY_METHOD,
            paths=(
                *below(f"api/v1/{router}" for router in _EVERYBODY),
                "/api/v1/embeddings",
                "/api/v1/messages",
                "/api/v1/messages/count_tokens",
                "/api/v1/chat/completions",
                "/api/chat/**",
                "/api/tasks",
                "/api/tasks/**",
                *below(("api/models", "api/events", "api/message")),
                "/api/changelog",
                "/api/embeddings",
                "/api/usage",
                "/api/version/updates",
            ),
            why="chats, documents and whatever else a person does; API keys of a person reach the same",
            listed=listed(_TABLE, "chat"),
        ),
        Allowed(
            name="live",
            who=Who.PERSON,
            methods=("GET", "POST", WEBSOCKET),
            paths=("/ws/socket.io/**",),
            why="answers as they are written",
        ),
        Allowed(
            name="administration",
            who=Who.ADMINISTRATOR,
            methods=ANY_METHOD,
            paths=below(f"api/v1/{router}" for router in _ADMINISTRATION),
            why="the pages of administrators; of `users`, `groups` and `evaluations` everybody sees a part",
            listed=listed(_TABLE, "administration"),
        ),
        Allowed(
            name="models-of-the-platform",
            who=Who.PERSON,
            methods=("GET", "POST"),
            paths=(
                "/openai/chat/completions",
                "/openai/responses",
                "/openai/audio/speech",
                "/openai/models",
                "/openai/models/{}",
                "/openai/config",
                "/openai/config/update",
                "/openai/verify",
            ),
            why="the models behind the chat; the last three for administrators",
        ),
        Allowed(
            name="ollama",
            who=Who.PERSON,
            methods=("GET", "POST"),
            paths=(
                *(
                    f"/ollama/api/{call}{one}"
                    for call in ("chat", "embed", "embeddings", "generate", "tags", "version")
                    for one in ("", "/{}")
                ),
                *below(
                    f"ollama/v1/{call}"
                    for call in ("chat", "completions", "embeddings", "messages", "models", "responses")
                ),
                "/ollama/api/show",
                "/ollama/api/ps",
                "/ollama/config",
                "/ollama/config/update",
                "/ollama/verify",
                "/ollama/",
            ),
            why="the same through Ollama, where there is no LLM gateway",
        ),
        Allowed(
            name="provisioning",
            who=Who.PROGRAM,
            methods=ANY_METHOD,
            paths=("/api/v1/scim/v2/**",),
            why="people and groups from Entra (SCIM), where a token for it is set; without one it is not there",
        ),
    ),
    refused=(
        Refused(
            name="accounts",
            why="accounts come from Entra alone: no sign-up, no LDAP, no token of another client",
            paths=("/api/v1/auths/signup", "/api/v1/auths/ldap", "/api/v1/auths/oauth/{}/token/exchange"),
        ),
        Refused(
            name="code",
            why="uploads or fetches of code that the server runs, and its execution",
            paths=(
                "/api/v1/pipelines/upload",
                "/api/v1/pipelines/add",
                "/api/v1/functions/load/url",
                "/api/v1/tools/load/url",
                "/api/v1/utils/code/execute",
            ),
        ),
        Refused(
            name="terminals",
            why="shells of terminal servers, through the chat's own pods; none are offered",
            paths=("/api/v1/terminals/{}/**",),
        ),
        Refused(
            name="database",
            why="the database as one file, everybody's chats in it",
            paths=("/api/v1/utils/db/**", "/api/v1/chats/all/db"),
        ),
        Refused(
            name="unloading",
            why="stops a model under everybody who uses it",
            paths=("/api/models/unload", "/openai/models/{}/**"),
        ),
        Refused(name="pass-through", why="forwards any path to the LLM gateway with the chat's own key"),
        Refused(name="model-store", why="pulls, copies and deletes of models: the environment file decides"),
        Refused(name="clients", why="logins at tool servers and Entra's logout channel: none are registered"),
        Refused(name="descriptions", why="API descriptions, for developers"),
        Refused(name="state", why="readiness and the database's health, for Kubernetes"),
        Refused(
            name="speech",
            why="web sockets to a speech model, which no engine serves",
            paths=("/api/v1/audio/realtime",),
            methods=(WEBSOCKET,),
        ),
    ),
)
