"""The chat's values: everything that several replicas need, and no door beside the login."""

import json
from typing import Any

import pytest

from stacks.platform.common.ingress_annotations import annotations
from stacks.platform.common.namespaces import PodSecurity
from stacks.platform.common.timeouts import path_seconds
from stacks.platform.components.chat import login, release, secrets
from stacks.settings import load_settings
from stacks.settings.rules.chat_variables import RESERVED_VARIABLES
from tests.support.chat.values import DIRECT, chat_values, chat_variables, passed, settings_with
from tests.support.stacks.components import namespaces, secret_names


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
