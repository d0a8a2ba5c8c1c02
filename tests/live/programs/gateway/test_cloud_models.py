"""Models outside the network: the real LiteLLM, its database and the real NGINX, before services that a test plays."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from stacks.platform.components.cloud_models import address as egress
from stacks.platform.components.llm_gateway import address
from tests.live.programs.cloud_stage import (
    AZURE,
    CHAT,
    CLIENT,
    EGRESS_IP,
    GATEWAY_IP,
    HOSTS,
    LIMITED,
    OTHER,
    OUTSIDE_IP,
    OWN,
    PROOF,
    TENANT,
    Cloud,
    running_cloud,
    with_cloud,
)
from tests.live.programs.stage import Stage
from tests.support.llm_gateway.cloud_pods import outside
from tests.support.llm_gateway.pods import ask
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import wait_for
from tests.support.web_servers import authority, certificate_for

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def running(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    with running_cloud(stage, with_cloud(stage.settings), folder, GATEWAY_IP) as found:
        yield found


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    running.services.sent.clear()
    running.services.status = running.stage.engines.status = 200
    # Ends before it would be renewed, so that each call asks for another one.
    running.services.token_seconds = 200
    return running


def test_azure_is_called_without_a_key_by_the_service_account_s_own_token(cloud: Cloud) -> None:
    status, headers, text = cloud.chat(cloud.team_key([AZURE]), AZURE, user="mia@example.com")
    assert status == 200, text
    login, asked = cloud.services.sent
    assert (login.host, login.path) == ("login.microsoftonline.com", f"/{TENANT}/oauth2/v2.0/token")
    assert login.body == {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "scope": "https://cognitiveservices.azure.com/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": PROOF,
    }
    assert asked.host == "acme-sweden.openai.azure.com"
    assert asked.path == "/openai/deployments/gpt-41/chat/completions?api-version=2024-10-21"
    assert asked.headers["authorization"] == f"Bearer token-{cloud.services.tokens}"
    assert headers["x-litellm-response-cost"] == "0.006"


def test_nothing_that_names_a_person_or_the_platform_leaves_with_a_call(cloud: Cloud) -> None:
    writer = {"X-OpenWebUI-User-Email": "mia@example.com", "X-OpenWebUI-User-Id": "4711", "User-Agent": "secret-app"}
    key = cloud.team_key([OTHER])
    assert cloud.chat(key, OTHER, user="mia@example.com", safety_identifier="mia", headers=writer)[0] == 200
    (asked,) = cloud.services.answered()
    assert asked.headers.keys() == {"host", "content-length", "content-type", "accept", "authorization"}
    assert asked.body == {
        "model": "mistral-large-latest",
        "messages": [{"role": "user", "content": "What leaves?"}],
    }


def test_a_token_is_renewed_before_it_ends_and_used_until_then(cloud: Cloud) -> None:
    key = cloud.team_key([AZURE])

    def used() -> str:
        assert cloud.chat(key, AZURE)[0] == 200
        return cloud.services.answered()[-1].headers["authorization"]

    first, second = used(), used()
    assert first != second
    assert second == f"Bearer token-{cloud.services.tokens}"
    cloud.services.token_seconds = 86400
    assert used() == used() == used() == f"Bearer token-{cloud.services.tokens}"


def test_another_service_gets_its_key_from_the_vault(cloud: Cloud) -> None:
    status, headers, text = cloud.chat(cloud.team_key([OTHER]), OTHER)
    assert status == 200, text
    (asked,) = cloud.services.sent
    assert (asked.host, asked.path) == ("models.acme.io", "/inference/v1/chat/completions")
    assert asked.headers["authorization"] == "Bearer key-of-mistral"
    assert (headers["x-left-network"], headers["x-processed-in"]) == ("mistral-large", "data-zone-eu")


def test_model_outside_answers_where_our_own_fails_and_says_so(cloud: Cloud) -> None:
    key = cloud.team_key([OWN, AZURE])
    status, headers, _ = cloud.chat(key, OWN)
    assert status == 200
    assert "x-left-network" not in headers
    assert cloud.services.sent == []
    cloud.stage.engines.status = 503
    status, headers, text = cloud.chat(key, OWN)
    assert (status, json.loads(text)["model"]) == (200, "gpt-41")
    assert (headers["x-left-network"], headers["x-processed-in"]) == (AZURE, "swedencentral")
    status, headers, text = cloud.chat(key, OWN, stream=True)
    assert (status, headers["x-left-network"]) == (200, AZURE)
    assert "From" in text
    assert "event" not in text


def test_streams_of_both_name_the_model_that_answered(cloud: Cloud) -> None:
    cloud.stage.engines.status = 503
    text = cloud.chat(cloud.team_key([OWN, AZURE]), OWN, stream=True)[2]
    lines = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    assert {line["model"] for line in lines} == {AZURE}


@pytest.mark.parametrize("models", [[OWN], [], ["all-proxy-models"], [OWN, OTHER]], ids=repr)
def test_nothing_leaves_for_a_team_that_may_not_use_the_fall_back(cloud: Cloud, models: list[str]) -> None:
    cloud.stage.engines.status = 503
    for more in ({}, {"stream": True}, {"fallbacks": [AZURE]}, {"fallbacks": [{"model": AZURE}]}):
        status, headers, text = cloud.chat(cloud.team_key(models), OWN, **more)
        assert status != 200 or "503" in text, text
        assert "x-left-network" not in headers
    assert cloud.services.sent == []


@pytest.mark.parametrize("asked", [AZURE, "outside-gpt-4.1", "azure/gpt-41"])
def test_nothing_leaves_for_a_key_that_does_not_name_the_model(cloud: Cloud, asked: str) -> None:
    """Neither by its name, nor by its id in LiteLLM's list, nor by what LiteLLM calls it."""
    for key in (cloud.key(), cloud.key(models=[OWN]), cloud.team_key([])):
        for path in (CHAT, "/v1/responses", "/v1/messages", "/v1/completions"):
            body = {"model": asked, "messages": [{"role": "user", "content": "?"}], "input": "?", "prompt": "?"}
            status, _, text = ask(cloud.url + path, body | {"max_tokens": 5}, key=key)
            assert status >= 400, (path, text)
    assert cloud.services.answered() == []


def test_a_key_s_own_list_may_name_it(cloud: Cloud) -> None:
    assert cloud.chat(cloud.key(models=[AZURE]), AZURE)[0] == 200


def test_the_chat_has_the_models_that_the_file_gives_it_and_no_others(cloud: Cloud) -> None:
    status, _, body = ask(f"{cloud.url}/v1/models", key=cloud.chat_key)
    assert status == 200
    names = {model["id"] for model in json.loads(body)["data"]}
    assert names == {*(model.name for model in cloud.settings.models), AZURE}
    assert cloud.chat(cloud.chat_key, OTHER)[0] in {401, 403}
    assert cloud.services.sent == []


@pytest.mark.parametrize("model", [AZURE, OWN])
def test_the_chat_is_told_above_the_answer_that_it_left_the_network(cloud: Cloud, model: str) -> None:
    cloud.stage.engines.status = 503
    status, _, text = cloud.chat(cloud.chat_key, model, stream=True)
    assert status == 200
    lines = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    told = [line["event"] for line in lines if "event" in line]
    left = "Left the network: answered by gpt-4.1, processed in swedencentral"
    assert told == [{"type": "status", "data": {"description": left, "done": True}}]
    assert "event" in lines[0]
    assert text.rstrip().endswith("data: [DONE]")


def test_the_chat_is_told_nothing_of_our_own_answers(cloud: Cloud) -> None:
    status, _, text = cloud.chat(cloud.chat_key, OWN, stream=True)
    assert status == 200
    assert "Left the network" not in text


def test_calls_beyond_the_limit_of_the_file_are_refused_and_stay_here(cloud: Cloud) -> None:
    key = cloud.team_key([LIMITED])
    answers = [cloud.chat(key, LIMITED)[0] for _ in range(4)]
    # A minute may begin between two of them.
    assert answers.count(429) >= 1
    assert len(cloud.services.answered()) == answers.count(200)


def test_a_service_s_own_refusal_reaches_the_caller(cloud: Cloud) -> None:
    cloud.services.status = 429
    status, _, text = cloud.chat(cloud.team_key([OTHER]), OTHER)
    assert status == 429, text
    assert len(cloud.services.answered()) == 1


def test_traces_and_metrics_tell_what_left(cloud: Cloud) -> None:
    cloud.stage.engines.status = 503
    prompt = f"Which of them left? {cloud.services.tokens}"
    body = {"model": OWN, "messages": [{"role": "user", "content": prompt}]}
    assert ask(cloud.url + CHAT, body, key=cloud.team_key([OWN, AZURE]))[0] == 200

    def answered() -> list[dict[str, Any]]:
        return [trace for trace in cloud.stage.opik.wait("traces", prompt) if "failed" not in trace.get("tags", [])]

    wait_for(lambda: bool(answered()), PATIENCE_S, lambda: "no trace of the answer")
    assert ["left-network" in trace["tags"] for trace in answered()] == [True]
    line = re.compile(r'^platform_left_network_total{instead_of="qwen2-5-7b",model="gpt-4.1"} [1-9]', re.MULTILINE)

    def metrics() -> str:
        return ask(f"http://{GATEWAY_IP}:{address.METRICS_PORT}/metrics")[2].decode()

    wait_for(lambda: bool(line.search(metrics())), PATIENCE_S, metrics)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/gpt-4.1/openai/deployments/gpt-41/chat/completions", 405),
        ("POST", "/gpt-4.1/openai/deployments/another/chat/completions", 403),
        ("POST", "/gpt-4.1/openai/files", 403),
        ("POST", "/mistral-large/../gpt-4.1/openai/files", 403),
        ("POST", "/mistral-large/models", 403),
        ("POST", "/entra/99999999-3333-4444-8555-666666666666/oauth2/v2.0/token", 403),
        ("POST", "/https://example.com/", 403),
    ],
)
def test_the_way_out_lets_listed_calls_out_and_nothing_else(cloud: Cloud, method: str, path: str, status: int) -> None:
    assert ask(f"http://{EGRESS_IP}:{egress.PORT}{path}", {} if method == "POST" else None)[0] == status
    assert cloud.services.sent == []


def test_nothing_is_sent_to_a_host_that_does_not_prove_itself(cloud: Cloud) -> None:
    """Somebody else answers at the address, with a certificate of another authority."""
    folder = cloud.egress.folder.parent / "impostor"
    folder.mkdir()
    cloud.stage.names.addresses["models.acme.io"] = "127.0.2.4"
    try:
        with outside("127.0.2.4", certificate_for(folder, authority(folder, "impostor"), *HOSTS)) as impostor:
            # Names are kept for the seconds that the name server says.
            wait_for(
                lambda: cloud.chat(cloud.key(models=[OTHER]), OTHER)[0] == 503,
                PATIENCE_S,
                lambda: "the impostor is believed",
            )
            assert impostor.sent == []
    finally:
        cloud.stage.names.addresses["models.acme.io"] = OUTSIDE_IP
    wait_for(
        lambda: cloud.chat(cloud.key(models=[OTHER]), OTHER)[0] == 200,
        PATIENCE_S,
        lambda: "the service is not found again",
    )
