"""A pod of the LLM gateway with models outside the network, the way out to them, and the services there."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.platform.components.chat.names import GATEWAY_KEY
from stacks.platform.components.cloud_models import address as egress
from stacks.platform.components.cloud_models.release import AUTHORITY
from stacks.platform.components.llm_gateway import address, secrets
from stacks.settings import Settings, parse_settings
from tests.live.programs.stage import DATABASE_HOST, Stage
from tests.support.kubernetes import rendered
from tests.support.llm_gateway import pods
from tests.support.llm_gateway.cloud_pods import Outside, cloud_egress, outside
from tests.support.llm_gateway.pods import ask
from tests.support.programs.processes import Program
from tests.support.web_servers import authority, certificate_for

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
    url: str

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


@contextmanager
def running_cloud(
    stage: Stage, settings: Settings, folder: Path, ip: str, *, before_chat: bool = False
) -> Iterator[Cloud]:
    """Run a pod at `ip` with the models outside of `settings`; afterwards its keys are those of the stage again.

    `before_chat` takes the place of the stage's own pod, beside its metrics.
    """
    before = dict(stage.names.addresses)
    stage.names.addresses |= {f"{egress.SERVICE}.{egress.NAMESPACE}.svc.cluster.local": EGRESS_IP}
    # Entra's host is somebody else's where the chat runs, whose people log in there.
    stage.names.addresses |= {host: OUTSIDE_IP for host in HOSTS if not (before_chat and host == AUTHORITY)}
    issuer = authority(folder, "outside")
    delivered = rendered.delivered(
        settings, rendered.vault() | {"mistral-key": "key-of-mistral"}, database_host=DATABASE_HOST
    )
    release = pods.rendered_release(settings, folder, DATABASE_HOST, client_id=CLIENT, tenant_id=TENANT)
    roots = stage.folder / "postgresql" / "server.crt"
    metrics, proxy = pods.pod(release, folder, delivered, ip=ip, name="gateway-cloud", database_roots=roots)
    (folder / "gateway-cloud" / "cloud-identity" / "token").write_text(f"{PROOF}\n")
    way = cloud_egress(settings, folder, EGRESS_IP, tenant_id=TENANT, authorities=issuer[0])
    programs = [way, *([] if before_chat else [metrics]), proxy]
    with ExitStack() as stack:
        services = stack.enter_context(outside(OUTSIDE_IP, certificate_for(folder, issuer, *HOSTS)))
        for program in programs:
            stack.callback(program.stop)
            program.start(wait=False)
        for program in programs:
            program.wait_until_ready()
        cloud = Cloud(stage, settings, services, proxy, way, f"http://{ip}:{address.PORT}")
        done = pods.register(settings, folder, delivered, cloud.url)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "is registered" in done.stdout
        yield cloud
        (folder / "back").mkdir()
        pods.register(stage.settings, folder / "back", delivered, cloud.url)
        stage.names.addresses.clear()
        stage.names.addresses |= before
