"""Every example of the start page, run as it stands there: against the real LLM gateway behind the real ingress.

Programs that need more than a terminal (VS Code, Claude Code, OpenCode) are configured by their examples; what the
example says is asked with it.
"""

import gzip
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from stacks.platform.common.ingress_annotations import Exposure
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.llm_gateway.address import PORT
from stacks.platform.components.start.examples import examples
from tests.live.programs.gateway.test_gateway import new_key
from tests.live.programs.stage import ADDRESSES, Stage
from tests.support.ingress.controller import front_door
from tests.support.start.installed import checks_folder, clients_python
from tests.support.start.page import public
from tests.support.web_servers import QuietHandler, authority, certificate_for, port_of, served

pytestmark = pytest.mark.live

DOMAIN = "llm-dev.example.com"
INGRESS = "127.0.1.30"
GATEWAY = ADDRESSES["litellm.gateway.svc.cluster.local"]


@dataclass
class Clients:
    """A machine with the examples, a key, and the CA that it trusts."""

    examples: Mapping[str, str]
    key: str
    trusted: Path
    folder: Path
    words: str
    traced: list[tuple[str, str]] = field(default_factory=list)
    """Path and authorization of what reached Opik's place."""

    def run(self, *command: str, **more: str) -> str:
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "OPENAI_BASE_URL": f"https://api.{DOMAIN}/v1",
            "OPENAI_API_KEY": self.key,
            **dict.fromkeys(
                ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"), str(self.trusted)
            ),
            **more,
        }
        done = subprocess.run(
            command,
            env=variables,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sourced(self, file: str, then: str, **more: str) -> str:
        """Return what the shell says that has taken an example in."""
        return self.run("bash", "-euc", f"{self.examples[file]}\n{then}", **more)

    def ask(self, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        client = httpx.Client(verify=str(self.trusted), timeout=300)
        answer = client.post(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def clients(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    folder, settings = tmp_path_factory.mktemp("clients"), public()
    hosts = [f"{label}.{DOMAIN}" for label in ("api", "opik")]
    issuer = authority(folder, "trust")
    certificate_for(folder, issuer, *hosts)
    texts = {example.file: text for example, text in examples(enabled_components(settings))}
    found = Clients(texts, new_key(stage, key_alias="start-page"), issuer[0], folder, " ".join(stage.engines.words))

    class Opik(QuietHandler):
        def do_POST(self) -> None:
            body = self.body()
            text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            found.traced.append((self.path, text.decode("utf-8", "replace")))
            self.answer(200, b"{}")

        do_GET = do_POST

    stage.names.addresses |= dict.fromkeys(hosts, INGRESS)
    with served(Opik) as opik:
        exposed = {
            hosts[0]: (Exposure(service="litellm", health_path="/"), [f"{GATEWAY}:{PORT}"]),
            hosts[1]: (Exposure(service="opik", health_path="/"), [f"127.0.0.1:{port_of(opik)}"]),
        }
        certificate = (folder / f"{hosts[0]}.pem", folder / f"{hosts[0]}.key")
        program = front_door(settings, folder, INGRESS, exposed, certificate)
        program.start()
        try:
            yield found
        finally:
            program.stop()


def _key(clients: Clients) -> None:
    then = 'echo "$OPENAI_BASE_URL $OPENAI_API_KEY"'
    script = f"{clients.examples['key.sh']}\n{then}"
    done = subprocess.run(["bash", "-euc", script], input="sk-mine\n", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"https://api.{DOMAIN}/v1 sk-mine"


def _curl(clients: Clients) -> None:
    answer = json.loads(clients.run("bash", "-euc", clients.examples["curl.sh"]))
    assert answer["choices"][0]["message"]["content"] == clients.words


def _python(clients: Clients) -> None:
    assert clients.run(str(clients_python()), "-c", clients.examples["openai.py"]).strip() == clients.words


def _javascript(clients: Clients) -> None:
    (clients.folder / "ask.mjs").write_text(clients.examples["openai.mjs"], "utf-8")
    modules = clients.folder / "node_modules"
    modules.symlink_to(checks_folder() / "node_modules")
    assert clients.run("node", "ask.mjs").strip() == clients.words


def _continue(clients: Clients) -> None:
    (model,) = YAML(typ="safe").load(clients.examples["continue.yaml"])["models"]
    # What Continue does with its own secrets: https://docs.continue.dev/reference
    assert model["apiKey"] == "${{ secrets.OPENAI_API_KEY }}"
    question = {"model": model["model"], "messages": [{"role": "user", "content": "Who are you?"}]}
    answer = clients.ask(f"{model['apiBase']}/chat/completions", question, Authorization=f"Bearer {clients.key}")
    assert answer["choices"][0]["message"]["content"] == clients.words


def _claude_code(clients: Clients) -> None:
    shown = clients.sourced("claude-code.sh", 'echo "$ANTHROPIC_BASE_URL $ANTHROPIC_AUTH_TOKEN $ANTHROPIC_MODEL"')
    url, token, model = shown.split()
    question = {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": "Who are you?"}]}
    answer = clients.ask(f"{url}/v1/messages", question, Authorization=f"Bearer {token}")
    assert answer["content"][0]["text"] == clients.words


def _opencode(clients: Clients) -> None:
    settings = json.loads(clients.examples["opencode.json"])
    provider, _, model = settings["model"].partition("/")
    offered = settings["provider"][provider]
    assert model in offered["models"]
    assert offered["options"]["apiKey"] == "{env:OPENAI_API_KEY}"
    question = {"model": model, "messages": [{"role": "user", "content": "Who are you?"}]}
    url = f"{offered['options']['baseURL']}/chat/completions"
    assert clients.ask(url, question, Authorization=f"Bearer {clients.key}")["choices"]


def _opik(clients: Clients) -> None:
    said = clients.run(str(clients_python()), "-c", clients.examples["opik.py"], OPIK_API_KEY="token")
    assert clients.words in said
    sent = [text for path, text in clients.traced if path == "/api/v1/private/traces/batch"]
    assert any('"What is a span?"' in text and '"project_name":"dev"' in text.replace(": ", ":") for text in sent)


def _otel(clients: Clients) -> None:
    header = "Authorization=Bearer token"
    clients.run(str(clients_python()), "-c", clients.examples["otel.py"], OTEL_EXPORTER_OTLP_HEADERS=header)
    assert [text for path, text in clients.traced if path == "/api/v1/private/otel/v1/traces" and "make report" in text]


TRIALS: Mapping[str, Callable[[Clients], None]] = {
    "key.sh": _key,
    "curl.sh": _curl,
    "openai.py": _python,
    "openai.mjs": _javascript,
    "continue.yaml": _continue,
    "claude-code.sh": _claude_code,
    "opencode.json": _opencode,
    "opik.py": _opik,
    "otel.py": _otel,
}


@pytest.mark.parametrize("file", [example.file for example, _ in examples(enabled_components(public()))])
def test_an_example_does_what_it_says(clients: Clients, file: str) -> None:
    TRIALS[file](clients)
