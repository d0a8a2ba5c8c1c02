"""The gateway follows the settings: models, prices, keys, times, traffic; its chart renders what the stack passes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.common.ingress_annotations import annotations
from stacks.platform.common.traffic import Direction, Peer, TrafficRule
from stacks.platform.components.chat import release as chat
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.llm_gateway import release, secrets, traffic
from stacks.platform.components.llm_gateway.address import (
    BASE_URL,
    DATABASE,
    LIMITS,
    METRICS_PORT,
    NAMESPACE,
    PODS,
    PORT,
    SERVICE,
)
from stacks.platform.components.llm_gateway.per_token import per_token
from stacks.platform.components.serving import scaling
from stacks.platform.components.serving.engines import engines
from stacks.settings import Settings, load_settings
from tests.support.stacks.components import (
    components_with_images,
    namespaces,
    secret_names,
    secret_templates,
    with_images,
)
from tests.support.stacks.synthesis import Synthesized, synthesize

ENVIRONMENTS = ["dev", "prod"]
HOST = "llm-dev.postgres.database.azure.com"
Environment = Callable[[str], Synthesized]


def _settings(environment: str = "dev", **changes: Any) -> Settings:
    settings = load_settings(environment)
    for section, fields in changes.items():
        settings = settings.model_copy(update={section: getattr(settings, section).model_copy(update=fields)})
    return settings


def _flows(settings: Settings, name: str = NAMESPACE) -> dict[str, TrafficRule]:
    (rules,) = (rules for rules in namespaces(settings) if rules.name == name)
    return {flow.name: flow for flow in rules.traffic}


def test_streams_are_silent_until_the_engine_answers_unless_a_keepalive_is_set() -> None:
    key = "sse_keepalive_ping_interval_seconds"
    assert key not in release.config(_settings(gateway={"keepalive_seconds": 0}))["litellm_settings"]
    assert release.config(_settings(gateway={"keepalive_seconds": 20}))["litellm_settings"][key] == 20
    assert _settings("prod").gateway.keepalive_seconds == 0


# Models


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_listed_model_is_offered_by_its_name_and_reached_through_the_front(name: str) -> None:
    settings = load_settings(name)
    offered = {entry["model_name"]: entry["litellm_params"] for entry in release.config(settings)["model_list"]}
    assert set(offered) == {model.name for model in settings.models}
    for engine in engines(settings.models, settings.cluster):
        for model in engine.models:
            assert offered[model.name]["api_base"] == f"{engine.base_url}/v1"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_driver_is_used_that_asks_ollama_about_a_model_when_somebody_looks_around(name: str) -> None:
    for entry in release.config(load_settings(name))["model_list"]:
        assert entry["litellm_params"]["model"].split("/")[0] in {"hosted_vllm", "openai"}


@pytest.mark.parametrize(
    ("price", "written"), [(2.0, "0.000002"), (0.0, "0"), (0.15, "0.00000015"), (1_000_000.0, "1"), (30, "0.00003")]
)
def test_price_of_a_token_is_written_without_an_exponent(price: float, written: str) -> None:
    assert per_token(price) == written


def test_price_is_the_model_s_own() -> None:
    settings = load_settings("dev")
    models = tuple(m.model_copy(update={"usd_per_million_tokens": 5.0}) for m in settings.models)
    for entry in release.config(settings.model_copy(update={"models": models}))["model_list"]:
        params = entry["litellm_params"]
        assert params["input_cost_per_token"] == params["output_cost_per_token"] == "0.000005"


# Times and wakefulness


@pytest.mark.parametrize("minutes", [1, 15])
def test_gateway_waits_longer_than_the_front_and_shorter_than_the_front_door(minutes: int) -> None:
    settings = _settings(serving={"hold_minutes": minutes})
    front = scaling.serving_proxy(*with_images(settings))["timeoutSeconds"]
    config = release.config(settings)
    mine = config["litellm_settings"]["request_timeout"]
    assert mine == config["router_settings"]["timeout"]
    given = annotations(settings.ingress, release.exposure(settings.serving))
    door = int(given["nginx.org/proxy-read-timeout"].removesuffix("s"))
    assert front < mine < door


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_nothing_asks_the_engines_how_they_are(name: str) -> None:
    general = release.config(load_settings(name))["general_settings"]
    assert general["background_health_checks"] is False
    # Not /health, which calls every model, and not /health/readiness, which asks the database.
    assert release.exposure(load_settings(name).serving).health_path == "/health/liveliness"


def test_refused_call_is_not_repeated_and_its_model_stays_offered() -> None:
    router = release.config(load_settings("dev"))["router_settings"]
    assert router["num_retries"] == 0
    assert router["disable_cooldowns"] is True


# Tracing


def test_calls_are_traced_into_the_environment_s_project_of_the_own_opik() -> None:
    settings = load_settings("prod")
    assert release.tracing(enabled_components(settings)) == {
        "url": "http://opik-frontend.opik.svc.cluster.local:5173/api",
        "project": "prod",
        # What is written in the chat is nobody else's business; programs are looked at by who writes them.
        "chats": "false",
        "prompts": "true",
        "chatKeys": "chat-key",
    }
    # LiteLLM's own callback loses what Opik does not take; this one keeps it.
    assert release.config(settings)["litellm_settings"]["callbacks"] == ["prometheus", "tracing.platform"]


def test_without_opik_nothing_is_traced_anywhere() -> None:
    settings = _settings(opik={"enabled": False})
    assert release.tracing(enabled_components(settings)) == {}
    # Its default address is the vendor's cloud.
    assert "opik" not in release.config(settings)["litellm_settings"]["callbacks"]
    assert release.litellm(*components_with_images(settings), database_host=HOST)["opik"] == {}
    assert "allow-traces" not in _flows(settings)


def test_chat_tells_the_gateway_which_chat_a_call_belongs_to() -> None:
    name = "ENABLE_FORWARD_USER_INFO_HEADERS"
    assert chat.variables(_settings(), client_id="c")[name] == "True"
    alone = _settings(gateway={"enabled": False})
    assert chat.variables(alone, client_id="c")[name] == "False"


def test_traces_reach_opik_past_its_login_and_nobody_else_does() -> None:
    incoming = _flows(_settings(), "opik")["gateway-to-frontend"]
    assert incoming.peers == (Peer(namespace=NAMESPACE, pods=PODS),)
    assert [port.number for port in incoming.ports] == [5173]
    assert "gateway-to-frontend" not in _flows(_settings(gateway={"enabled": False}), "opik")


# Secrets


def test_chat_and_gateway_receive_the_same_key() -> None:
    received = secret_names(_settings())
    shared = {name for keys in received["chat"].values() for name in keys.values()} & {
        name for keys in received["gateway"].values() for name in keys.values()
    }
    assert "gateway-chat-key" in shared
    assert "gateway-master-key" not in {name for keys in received["chat"].values() for name in keys.values()}


def test_engines_key_is_delivered_only_where_an_engine_asks_for_it() -> None:
    assert secret_names(_settings())[NAMESPACE][secrets.SECRET]["VLLM_API_KEY"] == "vllm-api-key"
    settings = _settings()
    without = settings.model_copy(update={"models": tuple(m for m in settings.models if m.engine == "ollama")})
    assert "VLLM_API_KEY" not in secret_names(without)[NAMESPACE][secrets.SECRET]


def test_keys_are_registered_for_those_parts_that_run() -> None:
    assert release.litellm(*components_with_images(_settings()), database_host=HOST)["platformKeys"] == [
        "chat-key",
        "opik-key",
    ]
    alone = _settings(chat={"enabled": False}, opik={"enabled": False})
    assert release.litellm(*components_with_images(alone), database_host=HOST)["platformKeys"] == []


@pytest.mark.parametrize("secret", ["gateway-master-key", "gateway-chat-key", "vllm-api-key", "gateway-redis-password"])
def test_raised_version_restarts_gateway_and_job(secret: str) -> None:
    raised = _settings(secrets={"versions": {secret: 2}})
    before, after = (
        release.litellm(*components_with_images(settings), database_host=HOST) for settings in (_settings(), raised)
    )
    assert before["restart"] != after["restart"]
    texts = secret_templates(raised, database_host=HOST)[NAMESPACE][secrets.SECRET]
    assert list(texts.values()) == [after["restart"]]


def test_no_secret_stands_in_the_values() -> None:
    text = json.dumps(release.litellm(*components_with_images(_settings()), database_host=HOST))
    assert "$(DATABASE_PASSWORD)" in text
    assert "os.environ/LITELLM_MASTER_KEY" in text
    assert "sk-" not in text


def test_database_is_the_one_that_is_made_for_it() -> None:
    assert DATABASE in {database.name for database in enabled_components(_settings()).databases()}
    values = release.litellm(*components_with_images(_settings()), database_host=HOST)
    assert f"@{HOST}:5432/{DATABASE}?" in values["databaseUrl"]


def test_database_server_is_checked_in_the_words_that_prisma_knows() -> None:
    values = release.litellm(*components_with_images(_settings()), database_host=HOST)
    assert values["databaseUrl"].endswith("?sslmode=require&sslaccept=strict&sslcert=/database-roots/azure-roots.pem")
    roots = {"configMap": "litellm-database-roots", "folder": "/database-roots", "file": "azure-roots.pem"}
    assert values["databaseRoots"] == roots


# Front door and traffic


PATHS = {
    # NGINX decides by the map of allowed routes (components/ingress/snippets.py).
    "dev": [("/v1", "Prefix")],
    "prod": [
        ("/v1/chat/completions", "Exact"),
        ("/v1/completions", "Exact"),
        ("/v1/embeddings", "Exact"),
        ("/v1/messages", "Exact"),
        ("/v1/messages/count_tokens", "Exact"),
        ("/v1/responses", "Exact"),
        ("/v1/models", "Exact"),
        ("/v1/models/", "Prefix"),
    ],
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_programs_reach_models_and_nothing_of_the_administration(environment: Environment, name: str) -> None:
    ingress = environment(name).resources("platform", "kubernetes_ingress_v1")["gateway-ingress"]
    (rule,) = ingress["spec"]["rule"]
    paths = rule["http"]["path"]
    assert [(path["path"], path["path_type"]) for path in paths] == PATHS[name]
    assert all(path["backend"]["service"] == {"name": SERVICE, "port": {"number": PORT}} for path in paths)
    assert rule["host"] == f"api.{load_settings(name).domain}"


def test_callers_are_named_and_the_internet_is_out_of_reach() -> None:
    flows = _flows(_settings())
    callers = {peer.namespace for peer in flows["allow-callers"].peers}
    assert callers == {"ingress", NAMESPACE, "chat", "opik"}
    for flow in flows.values():
        if flow.direction is Direction.EGRESS and flow.name != "allow-dns":
            assert flow.pods in (PODS, traffic.JOBS), flow.name
            assert "0.0.0.0/0" not in {peer.cidr for peer in flow.peers}


def test_metrics_are_for_monitoring_alone() -> None:
    reached = [flow for flow in _flows(_settings()).values() if METRICS_PORT in {port.number for port in flow.ports}]
    assert [{peer.namespace for peer in flow.peers} for flow in reached] == [{"monitoring"}]


def test_limits_are_counted_for_all_replicas_together() -> None:
    shared = release.config(_settings())["general_settings"]["coordination_redis"]
    assert (shared["host"], shared["password"]) == (LIMITS, "os.environ/REDIS_PASSWORD")
    assert release.limits(*components_with_images(_settings()))["secret"] == secrets.SECRET


def test_switched_off_gateway_leaves_nothing(tmp_path: Path) -> None:
    stacks = synthesize(_settings(gateway={"enabled": False}), tmp_path)
    found = stacks.resources("platform", "helm_release")
    assert not {"litellm", LIMITS} & set(found)
    assert "gateway-ingress" not in stacks.resources("platform", "kubernetes_ingress_v1")
    assert NAMESPACE not in {rules.name for rules in namespaces(_settings(gateway={"enabled": False}))}


def test_address_for_callers_in_the_cluster_names_service_and_port() -> None:
    assert f"http://{SERVICE}.{NAMESPACE}.svc.cluster.local:{PORT}/v1" == BASE_URL
