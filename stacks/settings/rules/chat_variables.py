"""Further variables of Open WebUI: which are the platform's own, and which hold a secret or load a model."""

from collections.abc import Iterator

from ..chat import ChatSettings
from ..secrets.detection import secret_in
from ..secrets.names import KEPT, GeneratedSecret
from .base import Finding

RESERVED_VARIABLES = frozenset(
    """
    AIOHTTP_CLIENT_TIMEOUT BYPASS_MODEL_ACCESS_CONTROL CORS_ALLOW_ORIGIN DATABASE_HOST DATABASE_NAME DATABASE_PASSWORD
    DATABASE_POOL_MAX_OVERFLOW DATABASE_POOL_SIZE DATABASE_PORT DATABASE_TYPE DATABASE_URL DATABASE_USER DATA_DIR
    DEFAULT_MODEL_METADATA DEFAULT_USER_ROLE ENABLE_DB_MIGRATIONS ENABLE_FOLLOW_UP_GENERATION
    ENABLE_FORWARD_USER_INFO_HEADERS ENABLE_LDAP ENABLE_LOGIN_FORM ENABLE_OAUTH_GROUP_CREATION
    ENABLE_OAUTH_GROUP_MANAGEMENT ENABLE_OAUTH_ID_TOKEN_COOKIE ENABLE_OAUTH_ROLE_MANAGEMENT ENABLE_OAUTH_SIGNUP
    ENABLE_OAUTH_TOKEN_EXCHANGE ENABLE_OLLAMA_API ENABLE_OPENAI_API ENABLE_PASSWORD_AUTH ENABLE_PERSISTENT_CONFIG
    ENABLE_SIGNUP ENABLE_TAGS_GENERATION ENABLE_TITLE_GENERATION ENABLE_WEBSOCKET_SUPPORT FEISHU_CLIENT_ID
    FEISHU_CLIENT_SECRET FORWARDED_ALLOW_IPS GITHUB_CLIENT_ID GITHUB_CLIENT_SECRET GOOGLE_CLIENT_ID GOOGLE_CLIENT_SECRET
    HOLD_MINUTES HOME JWT_EXPIRES_IN MFA_ALLOW_TRUSTED_HEADER_BYPASS MICROSOFT_CLIENT_ID MICROSOFT_CLIENT_SECRET
    OAUTH_ADMIN_ROLES OAUTH_ALLOWED_ROLES OAUTH_AUTO_REDIRECT OAUTH_CLIENT_ID OAUTH_CLIENT_INFO_ENCRYPTION_KEY
    OAUTH_CLIENT_SECRET OAUTH_CODE_CHALLENGE_METHOD OAUTH_EMAIL_CLAIM OAUTH_GROUPS_CLAIM OAUTH_MERGE_ACCOUNTS_BY_EMAIL
    OAUTH_PICTURE_CLAIM OAUTH_PROVIDER_NAME OAUTH_REFRESH_TOKEN_INCLUDE_SCOPE OAUTH_ROLES_CLAIM OAUTH_ROLES_SEPARATOR
    OAUTH_SCOPES OAUTH_SESSION_TOKEN_ENCRYPTION_KEY OAUTH_SUB_CLAIM OAUTH_TOKEN_ENDPOINT_AUTH_METHOD
    OAUTH_UPDATE_EMAIL_ON_LOGIN OAUTH_UPDATE_NAME_ON_LOGIN OAUTH_USERNAME_CLAIM OLLAMA_BASE_URLS OPENAI_API_BASE_URLS
    OPENAI_API_KEY OPENAI_API_KEYS OPENID_PROVIDER_URL OPENID_REDIRECT_URI PGVECTOR_CREATE_EXTENSION PGVECTOR_DB_URL
    PGVECTOR_INDEX_METHOD PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH PGVECTOR_POOL_MAX_OVERFLOW PGVECTOR_POOL_SIZE
    POOLS_IN_ORDER RAG_EMBEDDING_ENGINE RAG_EMBEDDING_MODEL RAG_FILE_MAX_SIZE RAG_OLLAMA_BASE_URL
    RAG_OPENAI_API_BASE_URL RAG_OPENAI_API_KEY REDIS_KEY_PREFIX REDIS_TASK_TTL REDIS_URL STATIC_DIR TASK_MODEL
    TASK_MODEL_EXTERNAL UVICORN_FORWARDED_ALLOW_IPS UVICORN_PROXY_HEADERS UVICORN_TIMEOUT_KEEP_ALIVE UVICORN_WORKERS
    VECTOR_DB WAITING_STATUS_SECONDS WEBSOCKET_MANAGER WEBSOCKET_REDIS_URL WEBUI_ADMIN_EMAIL WEBUI_ADMIN_NAME
    WEBUI_ADMIN_PASSWORD WEBUI_AUTH WEBUI_JWT_SECRET_KEY WEBUI_SECRET_KEY WEBUI_URL
    """.split()  # noqa: SIM905 (one name per line would fill pages)
)
"""Variables of Open WebUI that the platform sets, or that would undo its login."""
RESERVED_BEGINNINGS = ("FORWARD_SESSION_INFO_HEADER_", "FORWARD_USER_INFO_HEADER_", "WEBUI_AUTH_TRUSTED_")
"""Of variables that would hide from the LLM gateway who asks, so that it kept it, or let others say who logs in."""
HARMLESS_NAMES = frozenset({"LICENSE_PUBLIC_KEY", "RAG_SOURCE_METADATA_KEYS"})
"""Variables of Open WebUI that end as secrets do and hold none."""
BUILT_IN_SPEECH = "base"
"""Whisper's model inside Open WebUI's image (WHISPER_MODEL of its Dockerfile)."""
NOT_LOADED = "is loaded from the internet, which the chat's pods never ask for models"
SWITCHES = ("ENABLE_", "USER_PERMISSIONS_", "BYPASS_")
"""How variables of Open WebUI begin that are true or false."""
SWITCH_VALUES = frozenset({"true", "false"})
SECRET_NAMES = frozenset({"WEBHOOK_URL", "CHROMA_HTTP_HEADERS", "EXTERNAL_DOCUMENT_LOADER_HEADERS"})
"""Variables of Open WebUI that hold secrets, and whose names do not say so."""
SECRET_ENDINGS = (
    *(
        "_KEY",
        "_KEYS",
        "_PASSWORD",
        "_PASSPHRASE",
        "_PASSWD",
        "_PASS",
        "_PWD",
        "_SECRET",
        "_TOKEN",
        "_DSN",
        "_API_AUTH",
    ),
    *("_API_AUTH", "_CREDENTIALS", "_CREDENTIALS_JSON", "_CONNECTION_STRING"),
)
INSTEAD = "write it to the vault and name it in chat.secrets"


KEY_VARIABLES = frozenset(
    {
        "API_KEYS_ALLOWED_ENDPOINTS",
        "ENABLE_API_KEYS",
        "ENABLE_API_KEYS_ENDPOINT_RESTRICTIONS",
        "USER_PERMISSIONS_FEATURES_API_KEYS",
    }
)
"""Variables of Open WebUI that `chat.personal_keys` sets."""


def personal_keys_are_set_in_one_place(chat: ChatSettings) -> Iterator[Finding]:
    """Variables of the file come last: they would take away the limits of personal keys."""
    if chat.personal_keys:
        for name in sorted(KEY_VARIABLES & chat.environment.keys()):
            yield Finding(("chat", "environment", name), "is set by chat.personal_keys; remove either")


def variables_are_free(chat: ChatSettings) -> Iterator[Finding]:
    """Further variables of Open WebUI are none of the platform's, and none of those in the file holds a secret."""
    for section, names in (("environment", chat.environment), ("secrets", chat.secrets)):
        for name in names:
            if name in RESERVED_VARIABLES or name.startswith(RESERVED_BEGINNINGS):
                yield Finding(("chat", section, name), "is set by the platform; remove it, and look for its own key")
    for name, value in chat.environment.items():
        key = ("chat", "environment", name)
        if name in RESERVED_VARIABLES or name.startswith(RESERVED_BEGINNINGS):
            continue
        if name in chat.secrets:
            yield Finding(key, "is in chat.secrets too; remove one of the two", shows_value=False)
        elif _names_a_secret(name) and value and not (name.startswith(SWITCHES) and value.lower() in SWITCH_VALUES):
            what = "is a variable that is true or false" if name.startswith(SWITCHES) else "is the name of a secret"
            yield Finding(key, f"{what}, and secrets never stand in this file; {INSTEAD}", shows_value=False)
        elif held := secret_in(value):
            yield Finding(key, f"holds {held}, and secrets never stand in this file; {INSTEAD}", shows_value=False)


def _names_a_secret(name: str) -> bool:
    return name in SECRET_NAMES or (f"_{name.upper()}".endswith(SECRET_ENDINGS) and name not in HARMLESS_NAMES)


def secrets_are_the_companys_own(chat: ChatSettings) -> Iterator[Finding]:
    """Variables get secrets that people wrote to the vault, none that unlocks a part of the platform."""
    for name, secret in chat.secrets.items():
        if secret.lower() in set(GeneratedSecret) or secret.lower().startswith(KEPT):
            yield Finding(
                ("chat", "secrets", name),
                f"names {secret}, which belongs to the platform; write one of your own to the vault",
            )
        elif secret_in(secret):
            yield Finding(
                ("chat", "secrets", name),
                "must be the name of a secret in the vault, and looks like the secret itself; rotate it if this file"
                " was shared",
            )


def models_inside_the_chat_come_with_its_image(chat: ChatSettings) -> Iterator[Finding]:
    """The chat's pods load no model from the internet: a reranker runs elsewhere, speech is the one of the image."""
    # Open WebUI 0.12.4 with OFFLINE_MODE: `get_rf` in routers/retrieval.py, WHISPER_MODEL in config.py.
    given = chat.environment
    if given.get("RAG_RERANKING_MODEL") and given.get("RAG_RERANKING_ENGINE") != "external":
        yield Finding(
            ("chat", "environment", "RAG_RERANKING_MODEL"),
            f"{NOT_LOADED}; set RAG_RERANKING_ENGINE to external and RAG_EXTERNAL_RERANKER_URL to a service that has"
            " it, or remove it",
        )
    if given.get("WHISPER_MODEL", BUILT_IN_SPEECH) != BUILT_IN_SPEECH and not given.get("AUDIO_STT_ENGINE"):
        yield Finding(
            ("chat", "environment", "WHISPER_MODEL"),
            f"{NOT_LOADED}; the one in Open WebUI's image is {BUILT_IN_SPEECH}; remove it, or let a service transcribe"
            " (AUDIO_STT_ENGINE)",
        )


RULES = (
    variables_are_free,
    models_inside_the_chat_come_with_its_image,
    secrets_are_the_companys_own,
    personal_keys_are_set_in_one_place,
)
