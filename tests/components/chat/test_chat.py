"""The chat's values: everything that several replicas need, and no door beside the login."""

import json
from typing import Any

import pytest

from stacks.platform.common.ingress_annotations import annotations
from stacks.platform.common.namespaces import PodSecurity
from stacks.platform.common.timeouts import path_seconds
from stacks.platform.components.chat import login, release, secrets
from stacks.platform.components.chat.backends import backends, embedding_variables
from stacks.settings import Settings, load_settings
from stacks.settings.rules.chat_variables import RESERVED_VARIABLES
from stacks.settings.secrets.names import SECRETS, Alphabet, GeneratedSecret
from tests.support.chat.values import DIRECT, chat_values, chat_variables, passed, settings_with
from tests.support.stacks.components import namespaces, secret_names, secret_templates

HOST = "pg.example.com"


def test_replicas_share_database_vectors_redis_and_keys() -> None:
    values = chat_values(settings_with())
    variables = values["extraEnvVars"]
    for name in ("DATABASE_URL", "WEBUI_SECRET_KEY", "OAUTH_SESSION_TOKEN_ENCRYPTION_KEY"):
        assert variables[name] == {"valueFrom": {"secretKeyRef": {"name": "chat-secrets", "key": name}}}
    assert variables["OAUTH_CLIENT_INFO_ENCRYPTION_KEY"]["valueFrom"]["secretKeyRef"]["name"] == "chat-secrets"
    assert variables["VECTOR_DB"] == "pgvector"
    assert "PGVECTOR_DB_URL" not in variables  # the same database
    assert values["websocket"] == {
        "enabled": True,
        "manager": "redis",
        "redis": {"enabled": False},
        "existingSecret": "chat-secrets",
        "existingSecretKey": "REDIS_URL",
    }
    mounts = {mount["name"]: mount["mountPath"] for mount in values["volumeMounts"]["container"]}
    assert mounts == {"uploads": "/app/backend/data/uploads", "scripts": "/scripts"}
    assert values["persistence"] == {"enabled": False}


def test_a_variable_cannot_read_another_one() -> None:
    """Kubernetes replaces `$(NAME)` in values: the name of the page would show the database's password."""
    variables = chat_variables(settings_with(chat={"environment": {"WEBUI_NAME": "Chat $(DATABASE_URL)"}}))
    assert variables["WEBUI_NAME"] == "Chat $$(DATABASE_URL)"


def test_environment_file_wins_over_what_the_database_remembers() -> None:
    assert chat_variables(settings_with())["ENABLE_PERSISTENT_CONFIG"] == "False"


def test_migrations_run_under_a_lock_before_and_never_in_open_webui() -> None:
    values = chat_values(settings_with())
    assert values["extraEnvVars"]["ENABLE_DB_MIGRATIONS"] == "False"
    names = [container["name"] for container in values["extraInitContainers"]]
    assert names == [login.SIDECAR, release.MIGRATE]
    migrate = values["extraInitContainers"][1]
    assert "ENABLE_DB_MIGRATIONS" not in {entry["name"] for entry in migrate["env"]}
    script = release.scripts()["migrate.py"]
    assert script.index("pg_advisory_lock") < script.index("clear_tasks(") < script.index("subprocess.run(")
    assert "import open_webui.config" in release.scripts()["model_tools.py"]


def test_tables_of_vectors_are_made_under_the_lock_too() -> None:
    """Two pods that start at once would both make them: one ends with UniqueViolation, pg_type_typname_nsp_index."""
    migrate = chat_values(settings_with(chat={"environment": {"PGVECTOR_HNSW_M": "24"}}))["extraInitContainers"][1]
    given = {entry["name"]: entry.get("value") for entry in migrate["env"]}
    assert {name: value for name, value in given.items() if name.startswith(("VECTOR", "PGVECTOR"))} == {
        "VECTOR_DB": "pgvector",
        "PGVECTOR_CREATE_EXTENSION": "False",
        "PGVECTOR_HNSW_M": "24",
        "PGVECTOR_INDEX_METHOD": "hnsw",
        "PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH": "384",
        "PGVECTOR_POOL_MAX_OVERFLOW": "10",
        "PGVECTOR_POOL_RECYCLE": "1800",
        "PGVECTOR_POOL_SIZE": "10",
        "PGVECTOR_POOL_TIMEOUT": "30",
    }
    script = release.scripts()["model_tools.py"]
    assert script.index("import open_webui.config") < script.rindex("    get_vector_db_client()")


def test_a_pod_ends_with_its_answers() -> None:
    settings = load_settings("dev")
    assert release.insertions(settings.gateway, settings.serving) == {
        "      enableServiceLinks: false": "      terminationGracePeriodSeconds: 1700",
        "      - name: open-webui": (
            "        lifecycle: {preStop: {exec: {command: [python3, /scripts/drain.py, '10', '1680', '4000']}}}"
        ),
    }
    # Without a gateway the answers come from the front before the engines.
    environment = settings_with(**DIRECT)
    assert "'8080'" in release.insertions(environment.gateway, environment.serving)["      - name: open-webui"]
    assert "drain.py" in release.scripts()
    # Old pods end before new ones start.
    assert release.install_seconds(settings.serving) > 1700


def test_answers_of_a_pod_that_died_are_soon_nobodys() -> None:
    variables = chat_variables(settings_with())
    assert variables["REDIS_TASK_TTL"] == "60"
    migrate = chat_values(settings_with())["extraInitContainers"][1]
    given = {entry["name"]: entry for entry in migrate["env"]}
    assert given["REDIS_URL"]["valueFrom"]["secretKeyRef"] == {"name": "chat-secrets", "key": "REDIS_URL"}
    assert given["REDIS_KEY_PREFIX"]["value"] == variables["REDIS_KEY_PREFIX"] == "open-webui"


def test_idle_connections_outlive_those_of_the_front_door() -> None:
    assert chat_variables(settings_with())["UVICORN_TIMEOUT_KEEP_ALIVE"] == "75"


def test_documents_are_embedded_many_passages_at_once() -> None:
    assert chat_variables(settings_with())["RAG_EMBEDDING_BATCH_SIZE"] == "32"


def test_one_process_per_pod_and_nothing_fetched_at_run_time() -> None:
    variables = chat_variables(settings_with())
    assert variables["UVICORN_WORKERS"] == "1"
    assert variables["THREAD_POOL_SIZE"] == "2000"
    assert variables["OFFLINE_MODE"] == "True"
    assert variables["ENABLE_PIP_INSTALL_FRONTMATTER_REQUIREMENTS"] == "False"


def test_every_probe_asks_a_path_of_its_own_meaning() -> None:
    values = chat_values(settings_with())
    paths = {probe: values[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")}
    # Only readiness asks the database: a pod that is ended for its failure would not come back sooner.
    assert paths == {"startup": "/health", "readiness": "/ready", "liveness": "/health"}


def test_parts_with_public_defaults_stay_off() -> None:
    values = chat_values(settings_with())
    for part in ("ollama", "pipelines", "tika", "terminals"):
        assert values[part] == {"enabled": False}
    assert values["openaiApiKey"] == ""
    assert values["openaiBaseApiUrl"] == ""


def test_login_is_entras_alone_and_its_secret_does_not_exist() -> None:
    variables = chat_variables(settings_with())
    assert "OAUTH_CLIENT_SECRET" not in variables
    assert variables["OAUTH_TOKEN_ENDPOINT_AUTH_METHOD"] == "none"
    assert variables["OAUTH_CODE_CHALLENGE_METHOD"] == "S256"
    assert variables["OPENID_REDIRECT_URI"] == "https://chat.llm-dev.example.com/oauth/oidc/callback"
    assert variables["ENABLE_SIGNUP"] == variables["ENABLE_PASSWORD_AUTH"] == variables["ENABLE_LOGIN_FORM"] == "False"
    assert variables["OAUTH_AUTO_REDIRECT"] == "True"
    # The one who logs in first would become administrator, whatever Entra says.
    assert variables["WEBUI_ADMIN_EMAIL"] == "administrator@chat.llm-dev.example.com"
    assert "secretKeyRef" in variables["WEBUI_ADMIN_PASSWORD"]["valueFrom"]
    # An address in a token must not open the account of that address.
    assert variables["OAUTH_MERGE_ACCOUNTS_BY_EMAIL"] == "False"


def test_local_administrator_may_log_in_when_asked_for() -> None:
    variables = chat_variables(settings_with(chat={"password_login": True}))
    assert variables["ENABLE_LOGIN_FORM"] == variables["ENABLE_PASSWORD_AUTH"] == "True"
    assert variables["OAUTH_AUTO_REDIRECT"] == "False"


def test_roles_come_from_the_sidecar_which_knows_the_access_group_and_the_operators() -> None:
    operators = {"object_ids": ["11111111-2222-3333-4444-555555555555", "66666666-2222-3333-4444-555555555555"]}
    by_role = settings_with(operators=operators)
    by_group = settings_with(identity={"assignment_required": False}, operators=operators)
    ids = "11111111-2222-3333-4444-555555555555,66666666-2222-3333-4444-555555555555"
    for settings, who in ((by_role, ("", "")), (by_group, ("group", ids))):
        values = chat_values(settings)
        given = {entry["name"]: entry["value"] for entry in values["extraInitContainers"][0]["env"]}
        assert (given["ACCESS_GROUP"], given["ADMINISTRATORS"]) == who
        assert given["GRAPH_URL"] == "https://graph.microsoft.com/v1.0"
        variables = chat_variables(settings)
        assert variables["ENABLE_OAUTH_ROLE_MANAGEMENT"] == "True"
        assert variables["DEFAULT_USER_ROLE"] == "pending"
        roles = ("OAUTH_ROLES_CLAIM", "OAUTH_ALLOWED_ROLES", "OAUTH_ADMIN_ROLES")
        assert [variables[name] for name in roles] == ["platform_roles", "user", "admin"]
        # No token of Entra holds it, so that the sidecar is asked at every login.
        assert variables["OAUTH_USERNAME_CLAIM"] == "platform_name"
        # Permission to ask Graph for the groups of the one who logs in.
        assert "User.Read" in variables["OAUTH_SCOPES"].split()


def test_only_the_sidecar_has_the_token_that_entra_trusts() -> None:
    values = chat_values(settings_with())
    (token,) = (volume for volume in values["volumes"] if "projected" in volume)
    assert token["projected"]["sources"][0]["serviceAccountToken"]["audience"] == "api://AzureADTokenExchange"
    sidecar, migrate = values["extraInitContainers"]
    assert sidecar["restartPolicy"] == "Always"  # what makes it a sidecar
    mounts = {mount["name"] for mount in sidecar["volumeMounts"]}
    others = {mount["name"] for mount in (*migrate["volumeMounts"], *values["volumeMounts"]["container"])}
    assert token["name"] in mounts
    assert token["name"] not in others
    assert values["serviceAccount"]["name"] == "open-webui"
    assert values["serviceAccount"]["automountServiceAccountToken"] is False


def test_web_sockets_and_cookies_belong_to_the_public_address() -> None:
    variables = chat_variables(settings_with())
    assert variables["WEBUI_URL"] == variables["CORS_ALLOW_ORIGIN"] == "https://chat.llm-dev.example.com"
    assert variables["WEBUI_SESSION_COOKIE_SECURE"] == variables["WEBUI_AUTH_COOKIE_SECURE"] == "True"


def test_models_are_reached_through_the_gateway_and_nothing_else() -> None:
    settings = settings_with()
    values = chat_values(settings)
    assert values["openaiBaseApiUrls"] == ["http://litellm.gateway.svc.cluster.local:4000/v1"]
    assert values["ollamaUrls"] == []
    assert secret_names(settings)["chat"]["chat-secrets"]["OPENAI_API_KEYS"] == "gateway-chat-key"


def test_without_a_gateway_every_engine_is_an_address_with_its_key() -> None:
    settings = settings_with(**DIRECT)
    values = chat_values(settings)
    assert values["openaiBaseApiUrls"] == ["http://serving-front.serving.svc.cluster.local:8080/vllm-qwen2-5-7b/v1"]
    assert values["ollamaUrls"] == ["http://serving-front.serving.svc.cluster.local:8080/ollama-t4"]
    assert secret_names(settings)["chat"]["chat-secrets"]["OPENAI_API_KEYS"] == "vllm-api-key"


def test_every_address_has_a_key() -> None:
    settings = settings_with("prod", **DIRECT)
    keys = secret_templates(settings, database_host=HOST)["chat"]["chat-secrets"]["OPENAI_API_KEYS"]
    assert len(chat_values(settings)["openaiBaseApiUrls"]) == 2
    assert keys == "%s;%s"


def test_without_any_model_open_webui_asks_nobody() -> None:
    settings = settings_with(**DIRECT).model_copy(update={"models": ()})
    values = chat_values(settings)
    # With an empty list of addresses Open WebUI would ask OpenAI itself.
    assert values["enableOpenaiApi"] is False
    assert values["openaiBaseApiUrls"] == values["ollamaUrls"] == []
    assert backends(settings).key is None
    assert "OPENAI_API_KEYS" not in secret_names(settings)["chat"]["chat-secrets"]


EMBEDDING = {
    "name": "nomic",
    "engine": "ollama",
    "id": "nomic-embed-text:v1.5",
    "pool": "t4",
    "quantization": "fp16",
    "weights_gib": 0.3,
}


@pytest.mark.parametrize(
    ("gateway", "engine", "model"), [(True, "openai", "nomic"), (False, "ollama", "nomic-embed-text:v1.5")]
)
def test_listed_model_makes_vectors_of_its_length(gateway: bool, engine: str, model: str) -> None:
    values = load_settings("dev").model_dump()
    values["models"] = [*values["models"], EMBEDDING]
    values["chat"] |= {"embeddings": {"model": "nomic", "dimensions": 768}}
    values["gateway"] |= {"enabled": gateway}
    settings = Settings.model_validate(values)
    variables = embedding_variables(settings)
    assert variables["PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH"] == "768"
    assert (variables["RAG_EMBEDDING_ENGINE"], variables["RAG_EMBEDDING_MODEL"]) == (engine, model)
    assert ("RAG_OPENAI_API_KEY" in secrets.variables(settings)) == gateway


def test_extension_is_made_by_the_job_and_not_by_the_chat() -> None:
    assert chat_variables(settings_with())["PGVECTOR_CREATE_EXTENSION"] == "False"


def test_database_is_addressed_with_encryption_and_a_password_that_needs_no_escapes() -> None:
    text = secret_templates(settings_with(), database_host=HOST)["chat"]["chat-secrets"]
    checked = "sslmode=verify-full&sslrootcert=/scripts/azure-roots.pem"
    assert text["DATABASE_URL"] == f"postgresql://open_webui:%s@{HOST}:5432/open_webui?{checked}"
    for secret in secrets.variables(settings_with()).values():
        assert SECRETS[GeneratedSecret(secret)].alphabet is Alphabet.LETTERS_AND_DIGITS


@pytest.mark.parametrize(
    "changes",
    [{"secrets": {"versions": {"chat-secret-key": 2}}}, {"database": {"generation": 2}}, DIRECT],
    ids=["version", "restored server", "other models"],
)
def test_pods_restart_with_what_their_secret_holds(changes: dict[str, Any]) -> None:
    before, after = (
        chat_values(settings)["podAnnotations"] for settings in (settings_with(), settings_with(**changes))
    )
    assert before != after


@pytest.mark.parametrize(("mode", "believed"), [("nginx", "10.244.0.0/16"), ("application-gateway", "10.40.16.0/24")])
def test_a_caller_s_address_counts_as_the_ingress_tells_it_and_as_nobody_else_does(mode: str, believed: str) -> None:
    wired = passed(settings_with(ingress={"mode": mode}))
    assert wired["extraEnvVars"]["FORWARDED_ALLOW_IPS"] == believed
    # The image's own start would have uvicorn believe everybody.
    assert wired["command"] == ["python3", "-m", "uvicorn", "open_webui.main:app", "--host=0.0.0.0", "--port=8080"]
    for name in ("FORWARDED_ALLOW_IPS", "UVICORN_FORWARDED_ALLOW_IPS", "UVICORN_PROXY_HEADERS"):
        assert name in RESERVED_VARIABLES


def test_platforms_own_variables_cannot_be_set_in_the_file() -> None:
    wired = passed(settings_with())["extraEnvVars"]
    assert set(wired) <= RESERVED_VARIABLES
    for name in ("ENABLE_PERSISTENT_CONFIG", "ENABLE_DB_MIGRATIONS", "UVICORN_WORKERS", "VECTOR_DB", "WEBUI_AUTH"):
        assert name in RESERVED_VARIABLES


def test_other_variables_of_the_file_reach_open_webui_and_win_over_the_defaults() -> None:
    chosen = {"WEBUI_NAME": "Acme chat", "ENABLE_ADMIN_CHAT_ACCESS": "True"}
    variables = chat_variables(settings_with(chat={"environment": chosen}))
    assert {name: variables[name] for name in chosen} == chosen


def test_secrets_of_the_vault_reach_open_webui_as_references_and_restart_it_by_their_names() -> None:
    own = {"TAVILY_API_KEY": "web-search-key", "SCIM_TOKEN": "scim"}
    settings = settings_with(chat={"secrets": own})
    variables = chat_variables(settings)
    for name in own:
        assert variables[name] == {"valueFrom": {"secretKeyRef": {"name": "chat-secrets", "key": name}}}
    assert own.items() <= secret_names(settings)["chat"]["chat-secrets"].items()
    # Neither the migration nor the login has to know them.
    for container in chat_values(settings)["extraInitContainers"]:
        assert not own.keys() & {entry["name"] for entry in container["env"]}
    other = settings_with(chat={"secrets": own | {"SCIM_TOKEN": "another"}})
    marks = [secrets.mark(each, "chat-secrets") for each in (settings_with(), settings, other)]
    assert len(set(marks)) == 3


def test_no_secret_stands_in_the_values() -> None:
    text = json.dumps(passed(settings_with()))
    assert "0p3n-w3bu!" not in text  # the chart's public default
    plain = {name: value for name, value in chat_variables(settings_with()).items() if isinstance(value, str)}
    assert not [name for name in plain if name.endswith(("_PASSWORD", "_SECRET", "_KEY", "_KEYS", "_URL_SECRET"))]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_browser_stays_with_its_pod_and_large_files_pass(name: str) -> None:
    settings = load_settings(name)
    found = annotations(settings.ingress, release.exposure(settings.chat, settings.serving))
    if name == "dev":
        assert found["nginx.org/sticky-cookie-services"].startswith("serviceName=open-webui ")
        assert found["nginx.org/websocket-services"] == "open-webui"
        assert found["nginx.org/client-max-body-size"] == "201m"
        seconds = int(found["nginx.org/proxy-read-timeout"].removesuffix("s"))
    else:
        assert found["appgw.ingress.kubernetes.io/cookie-based-affinity"] == "true"
        seconds = int(found["appgw.ingress.kubernetes.io/request-timeout"])
    assert seconds > path_seconds(settings.serving)


def test_pods_pass_the_highest_level() -> None:
    (chat,) = (rules for rules in namespaces(settings_with()) if rules.name == "chat")
    assert chat.enforced is PodSecurity.RESTRICTED
    values = chat_values(settings_with())
    assert values["podSecurityContext"]["runAsNonRoot"] is True
    contexts = [values["containerSecurityContext"], *(c["securityContext"] for c in values["extraInitContainers"])]
    for context in contexts:
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(("changes", "peer"), [({}, "gateway"), (DIRECT, "serving")], ids=["gateway", "direct"])
def test_chat_reaches_database_redis_entra_and_its_models_alone(changes: dict[str, Any], peer: str) -> None:
    settings = settings_with(**changes)
    (chat,) = (rules for rules in namespaces(settings) if rules.name == "chat")
    out = {flow.name: flow for flow in chat.traffic if flow.direction == "egress"}
    reached = {peer.namespace for flow in out.values() for peer in flow.peers if peer.namespace}
    assert reached == {"kube-system", "chat", peer}
    assert out["allow-database"].peers[0].cidr == str(settings.network.endpoints_subnet)
    assert [port.number for port in out["allow-database"].ports] == [5432]
    assert [port.number for port in out["chat-to-internet"].ports] == [443]


def test_personal_keys_are_off_and_reach_models_and_completions_alone_where_they_are_on() -> None:
    names = {name for name in chat_variables(settings_with()) if "API_KEYS" in name and not name.startswith("OPENAI")}
    assert names == set()
    keyed = chat_variables(settings_with(chat={"personal_keys": True}))
    assert keyed["ENABLE_API_KEYS"] == keyed["USER_PERMISSIONS_FEATURES_API_KEYS"] == "True"
    assert keyed["ENABLE_API_KEYS_ENDPOINT_RESTRICTIONS"] == "True"
    assert keyed["API_KEYS_ALLOWED_ENDPOINTS"] == "/api/models,/api/chat/completions"
