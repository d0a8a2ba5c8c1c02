"""Models outside the network: off by default, one way out, no secret in a plan, an identity for one resource."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.core.notes.cloud import cloud_notes, token_prices
from stacks.platform.common.traffic import Direction
from stacks.platform.components.cloud_models import address as egress
from stacks.platform.components.cloud_models.release import cloud_egress
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.llm_gateway import address as gateway
from stacks.platform.components.llm_gateway import cloud, release
from stacks.settings import load_settings
from tests.support.llm_gateway.cloud_settings import RESOURCE, cloud_settings
from tests.support.stacks.components import components_with_images, images_of, namespace, rule, secret_names
from tests.support.stacks.disposable import aks_of
from tests.support.stacks.synthesis import synthesized_once

TENANT, CLIENT = "11111111-2222-3333-4444-555555555555", "66666666-7777-4888-9999-000000000000"


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_nothing_of_it_is_there_by_default(name: str) -> None:
    settings = load_settings(name)
    assert "cloud_models" not in enabled_components(settings)
    values = release.litellm(*components_with_images(settings), database_host="host")
    assert not {"cloud", "platformKeyModels"} & values.keys()
    assert "cloud" not in json.dumps(values["config"])
    outside = [
        one
        for one in namespace(settings, gateway.NAMESPACE).traffic
        if one.direction is Direction.EGRESS and any(peer.cidr == "0.0.0.0/0" for peer in one.peers)
    ]
    assert outside == []


def test_gateway_reaches_the_way_out_and_no_address_outside() -> None:
    settings = cloud_settings()
    rules = namespace(settings, gateway.NAMESPACE)
    (way,) = rule(rules, "allow-cloud").peers
    assert (way.namespace, way.pods, way.cidr) == ("cloud", {"app.kubernetes.io/name": "cloud-egress"}, None)
    assert all(peer.cidr != "0.0.0.0/0" for one in rules.traffic for peer in one.peers)
    assert (egress.GATEWAY.namespace, egress.GATEWAY.pods) == (gateway.NAMESPACE, gateway.PODS)
    out = rule(namespace(settings, "cloud"), "cloud-to-internet")
    assert [port.number for port in out.ports] == [443]


def test_each_model_has_one_host_and_listed_calls() -> None:
    values = cloud_egress(cloud_settings().cloud_models, images_of(cloud_settings()), tenant_id=TENANT)
    assert values["models"] == {
        "gpt-4.1": {
            "host": "acme-sweden.openai.azure.com",
            "port": 443,
            "base": "",
            "calls": [
                "openai/deployments/gpt-4.1/chat/completions",
                "openai/deployments/gpt-4.1/completions",
                "openai/deployments/gpt-4.1/embeddings",
            ],
        },
        "mistral-large": {
            "host": "models.acme.io",
            "port": 443,
            "base": "/v1",
            "calls": ["chat/completions", "completions", "embeddings"],
        },
    }
    assert values["entra"] == {"path": f"entra/{TENANT}", "host": "login.microsoftonline.com", "tenant": TENANT}


def test_the_way_out_believes_a_company_s_roots_where_there_are_any() -> None:
    models, images = cloud_settings().cloud_models, images_of(cloud_settings())
    assert cloud_egress(models, images, tenant_id=TENANT, company_roots=True)["authorities"] == (
        "/etc/trusted-roots/roots.pem"
    )
    assert "authorities" not in cloud_egress(models, images, tenant_id=TENANT)


def test_models_are_called_through_it_at_their_own_prices_and_limits() -> None:
    azure, other = release.config(cloud_settings())["model_list"][-2:]
    assert azure == {
        "model_name": "gpt-4.1",
        "litellm_params": {
            "model": "azure/gpt-4.1",
            "api_base": "http://cloud-egress.cloud.svc.cluster.local:8080/gpt-4.1",
            "api_version": "2024-10-21",
            "input_cost_per_token": "0.000002",
            "output_cost_per_token": "0.000008",
            "rpm": 60,
            "tpm": 100000,
        },
        "model_info": {"id": "outside-gpt-4.1", "max_input_tokens": 128000, "keyless": True},
    }
    assert other["litellm_params"]["api_key"] == "os.environ/CLOUD_KEY_MISTRAL_KEY"


def test_fall_backs_are_asked_for_by_every_call() -> None:
    config = release.config(cloud_settings())
    assert config["router_settings"]["fallbacks"] == [{"qwen3-8b": ["gpt-4.1"]}]
    assert config["router_settings"]["optional_pre_call_checks"] == ["enforce_model_rate_limits"]
    assert config["general_settings"]["enforce_fallback_model_access"] is True
    assert config["litellm_settings"]["callbacks"][-1] == "cloud.platform"


def test_the_key_of_a_service_is_a_name_in_the_vault_and_nothing_more() -> None:
    assert secret_names(cloud_settings())["gateway"]["gateway-secrets"]["CLOUD_KEY_MISTRAL_KEY"] == "mistral-key"
    assert "mistral-key" in enabled_components(cloud_settings()).user_secrets()


def test_the_chat_s_key_has_what_the_file_gives_the_chat_and_that_of_opik_own_models_alone() -> None:
    callers = enabled_components(cloud_settings()).gateway_callers()
    settings = cloud_settings()
    assert cloud.key_models(settings.models, settings.cloud_models, callers) == {
        "chat-key": ["qwen3-8b", "gpt-4.1"],
        "opik-key": ["qwen3-8b"],
    }


def test_the_gateway_s_identity_is_trusted_for_its_service_account_and_one_resource() -> None:
    stack: dict[str, Any] = aks_of(cloud_settings())["resource"]
    (credential,) = (
        body for name, body in stack["azurerm_federated_identity_credential"].items() if name.startswith("cloud-models")
    )
    assert credential["subject"] == "system:serviceaccount:gateway:litellm"
    roles = [
        (body["role_definition_name"], body["scope"])
        for name, body in stack["azurerm_role_assignment"].items()
        if name.startswith("cloud-models")
    ]
    assert roles == [("Cognitive Services OpenAI User", RESOURCE)]


def test_operators_are_told_where_prompts_may_go_and_at_what_price() -> None:
    settings = cloud_settings()
    assert list(cloud_notes(settings.models, settings.cloud_models)) == [
        "prompts may leave the network to acme-sweden.openai.azure.com: gpt-4.1 in swedencentral (cloud_models)",
        "prompts may leave the network to models.acme.io: mistral-large in data-zone-eu (cloud_models)",
        "where an own model fails, one outside answers those who may use it: gpt-4.1 for qwen3-8b",
    ]
    assert list(token_prices(cloud_settings().cloud_models)) == [
        "gpt-4.1 2 USD for a million tokens of prompts and 8 of answers",
        "mistral-large 2 USD for a million tokens of prompts and 6 of answers",
    ]
    settings = load_settings("dev")
    assert list(cloud_notes(settings.models, settings.cloud_models)) == []


def test_the_gateway_waits_for_the_way_out_and_gets_its_identity_and_names_of_keys(synthesized_stacks: Path) -> None:
    stacks = synthesized_once(cloud_settings(), synthesized_stacks).stacks
    releases = stacks["platform"]["resource"]["helm_release"]
    assert "helm_release.cloud-egress" in releases["litellm"]["depends_on"]
    values = json.dumps(releases["litellm"]["values"])
    assert "cloud_models_client_id" in values
    assert "CLOUD_KEY_MISTRAL_KEY" in values
