"""Models outside the network: the real LiteLLM, its database and the real NGINX, before services that a test plays."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from stacks.platform.components.chat.names import GATEWAY_KEY
from stacks.platform.components.cloud_models import address as egress
from stacks.platform.components.llm_gateway import address, secrets
from stacks.settings import Settings, parse_settings
from tests.live.programs.stage import DATABASE_HOST, Stage
from tests.support.kubernetes import rendered
from tests.support.llm_gateway import pods
from tests.support.llm_gateway.cloud_pods import Outside, cloud_egress, outside
from tests.support.llm_gateway.pods import ask
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import Program, wait_for
from tests.support.web_servers import authority, certificate_for

pytestmark = pytest.mark.live
CHAT = "/v1/chat/completions"
OWN, AZURE, OTHER, LIMITED = "qwen2-5-7b", "gpt-4.1", "mistral-large", "small-limit"
TENANT, CLIENT = "22222222-3333-4444-8555-666666666666", "77777777-8888-4999-8aaa-bbbbbbbbbbbb"
PROOF = "proof-of-the-service-account"
OUTSIDE_IP, EGRESS_IP, GATEWAY_IP = "127.0.2.1", "127.0.2.2", "127.0.2.3"
HOSTS = ("acme-sweden.openai.azure.com", "models.acme.io", "login.microsoftonline.com")
RESOURCE = (
    "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/rg-ai/providers"
    "/Microsoft.CognitiveServices/accounts/acme-sweden"
)
CLOUD = """
gateway:
  cloud_places: [swedencentral, data-zone-eu]
cloud_models:
  - name: gpt-4.1
    engine: azure-openai
    endpoint: https://acme-sweden.openai.azure.com
    id: gpt-41
    resource_id: RESOURCE
    processed_in: swedencentral
    usd_per_million_input_tokens: 2
    usd_per_million_output_tokens: 8
    chat: true
  - name: mistral-large
    engine: openai-compatible
    endpoint: https://models.acme.io/inference/v1
    id: mistral-large-latest
    secret: mistral-key
    processed_in: data-zone-eu
    usd_per_million_input_tokens: 1
    usd_per_million_output_tokens: 3
  - name: small-limit
    engine: openai-compatible
    endpoint: https://models.acme.io/inference/v1
    id: mistral-small-latest
    secret: mistral-key
    processed_in: data-zone-eu
    usd_per_million_input_tokens: 1
    usd_per_million_output_tokens: 3
    requests_per_minute: 2
""".replace("RESOURCE", RESOURCE)


@dataclass
class Cloud:
    """A second pod of the gateway, whose configuration has models outside the network."""

    stage: Stage
    settings: Settings
    services: Outside
    proxy: Program
    egress: Program

    def key(self, **limits: Any) -> str:
        """Return a new key."""
        body = {"key_type": "llm_api", **limits}
        status, _, content = ask(f"{self.url}/key/generate", body, key=self.master)
        assert status == 200, content
        return str(json.loads(content)["key"])

    def team_key(self, models: list[str]) -> str:
        """Return a key without a list of its own, of a team with one."""
        status, _, content = ask(f"{self.url}/team/new", {"models": models}, key=self.master)
        assert status == 200, content
        return self.key(team_id=json.loads(content)["team_id"])

    def chat(
        self, key: str, model: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, dict[str, str], str]:
        """Ask a model; return status, headers and text."""
        body = {"model": model, "messages": [{"role": "user", "content": "What leaves?"}], **more}
        status, answered, content = ask(self.url + CHAT, body, key=key, headers=headers)
        return status, {name.lower(): value for name, value in answered.items()}, content.decode()

    @property
    def url(self) -> str:
        return f"http://{GATEWAY_IP}:{address.PORT}"

    @property
    def master(self) -> str:
        return self.stage.secret(address.NAMESPACE, secrets.SECRET, "LITELLM_MASTER_KEY")

    @property
    def chat_key(self) -> str:
        return self.stage.secret(address.NAMESPACE, secrets.SECRET, GATEWAY_KEY)


def with_cloud(settings: Settings) -> Settings:
    """Return an environment with models outside, one of which answers for an own one."""
    head = "name: dev\nazure: {subscription_id: 4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90, region: westeurope}\n"
    parsed = parse_settings(f"{head}domain: llm.acme.io\ningress: {{acme_email: platform@acme.io}}\n{CLOUD}", "cloud")
    return settings.model_copy(
        update={
            "cloud_models": parsed.cloud_models,
            "gateway": settings.gateway.model_copy(update={"cloud_places": parsed.gateway.cloud_places}),
            "models": tuple(
                model.model_copy(update={"fallback": AZURE}) if model.name == OWN else model
                for model in settings.models
            ),
        }
    )


@pytest.fixture(scope="module")
def running(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    settings, folder = with_cloud(stage.settings), tmp_path_factory.mktemp("cloud")
    before = dict(stage.names.addresses)
    stage.names.addresses |= {f"{egress.SERVICE}.{egress.NAMESPACE}.svc.cluster.local": EGRESS_IP}
    stage.names.addresses |= dict.fromkeys(HOSTS, OUTSIDE_IP)
    issuer = authority(folder, "outside")
    delivered = rendered.delivered(
        settings, rendered.vault() | {"mistral-key": "key-of-mistral"}, database_host=DATABASE_HOST
    )
    release = pods.rendered_release(settings, folder, DATABASE_HOST, client_id=CLIENT, tenant_id=TENANT)
    roots = stage.folder / "postgresql" / "server.crt"
    metrics, proxy = pods.pod(release, folder, delivered, ip=GATEWAY_IP, name="gateway-cloud", database_roots=roots)
    (folder / "gateway-cloud" / "cloud-identity" / "token").write_text(f"{PROOF}\n")
    way = cloud_egress(settings, folder, EGRESS_IP, tenant_id=TENANT, authorities=issuer[0])
    with ExitStack() as stack:
        services = stack.enter_context(outside(OUTSIDE_IP, certificate_for(folder, issuer, *HOSTS)))
        for program in (way, metrics, proxy):
            stack.callback(program.stop)
            program.start(wait=False)
        for program in (way, metrics, proxy):
            program.wait_until_ready()
        cloud = Cloud(stage, settings, services, proxy, way)
        done = pods.register(settings, folder, delivered, cloud.url)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "gateway-chat-key is registered for other models" in done.stdout or "is registered" in done.stdout
        yield cloud
        (folder / "back").mkdir()
        pods.register(stage.settings, folder / "back", delivered, cloud.url)
        stage.names.addresses.clear()
        stage.names.addresses |= before


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
