"""The pinned programs go out through a proxy, and believe a company's root, with the variables that their pods get."""

import os
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stacks.platform.common.catalogue import HELM
from stacks.platform.common.egress import ROOTS_FILE, ROOTS_FOLDER, ROOTS_STORE, ROOTS_VARIABLES, proxy_variables
from stacks.platform.common.known_roots import known_roots, trust_store
from stacks.settings import Settings, load_settings
from stacks.settings.egress import EgressProxySettings
from tests.support.patience import PATIENCE_S
from tests.support.programs.forward_proxy import ForwardProxy, forward_proxy
from tests.support.programs.pod_network import Names
from tests.support.programs.processes import litellm_python, open_webui_python
from tests.support.serving import model_registry, ollama_pod
from tests.support.serving.model_registry import serving_registry
from tests.support.web_servers import QuietHandler, authority, certificate_for, served

pytestmark = pytest.mark.live

OUTSIDE, OUTSIDE_IP = "models.acme.test", "127.0.1.40"
INSIDE, INSIDE_IP = "front", "127.0.1.41"
"""A short name, as pods of one namespace call each other."""
INSIDE_PORT = 8080
ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It works."}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


@dataclass(frozen=True)
class Company:
    """A network with a proxy, and a server outside it whose certificate the company's root signed."""

    proxy: ForwardProxy
    variables: dict[str, str]
    """Of every container: proxy and roots."""

    def run(self, *words: str, **more: str) -> str:
        """Run a program; return all that it said."""
        environment = {"PATH": os.environ["PATH"], "HOME": "/tmp", **self.variables, **more}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        return done.stdout + done.stderr


class _Handler(QuietHandler):
    def do_GET(self) -> None:
        self.answer_json(200, {"said": f"it works at {self.headers['Host']}"})

    def do_POST(self) -> None:
        self.body()
        self.answer_json(200, ANSWER)


def _settings(url: str) -> Settings:
    dev = load_settings("dev")
    network = dev.network.model_copy(update={"egress_proxy": EgressProxySettings(url=url)})
    return dev.model_copy(update={"network": network})


@pytest.fixture(scope="module")
def company(network: Names, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("company")
    network.addresses |= {OUTSIDE: OUTSIDE_IP, INSIDE: INSIDE_IP, model_registry.HOST: OUTSIDE_IP}
    root = authority(folder, "Acme Root")
    tls = certificate_for(folder, root, OUTSIDE, model_registry.HOST)
    roots = known_roots([root[0].read_text("utf-8")])
    (folder / ROOTS_FILE).write_text(roots, "utf-8")
    (folder / ROOTS_STORE).write_bytes(b64decode(trust_store(roots)))
    with (
        forward_proxy() as proxy,
        served(_Handler, OUTSIDE_IP, 8443, tls=tls),
        served(_Handler, INSIDE_IP, INSIDE_PORT),
        serving_registry(folder, OUTSIDE_IP, tls),
    ):
        given = {**proxy_variables(_settings(proxy.url)), **ROOTS_VARIABLES}
        yield Company(proxy, {name: value.replace(ROOTS_FOLDER, str(folder)) for name, value in given.items()})


URL = f"https://{OUTSIDE}:8443"
WORKS = f"it works at {OUTSIDE}:8443"
CLIENTS = {
    "urllib, of the login beside the chat": f"""
import importlib.util, os
spec = importlib.util.spec_from_file_location("entra_login", {str(HELM / "open-webui" / "entra_login.py")!r})
login = importlib.util.module_from_spec(spec)
spec.loader.exec_module(login)
print(login.answer({URL!r}))""",
    "aiohttp, of the chat's own calls": f"""
import aiohttp, asyncio
async def ask():
    async with aiohttp.ClientSession(trust_env=True) as session, session.get({URL!r}) as answer:
        print(await answer.text())
asyncio.run(ask())""",
    "requests, of pages that people name": f"import requests; print(requests.get({URL!r}).text)",
    "httpx, of Hugging Face": f"import httpx; print(httpx.get({URL!r}).text)",
}


@pytest.mark.parametrize("program", CLIENTS.values(), ids=CLIENTS)
def test_the_chat_s_clients_go_through_the_proxy_and_believe_the_root(company: Company, program: str) -> None:
    before = len(company.proxy.opened)
    assert WORKS in company.run(str(open_webui_python()), "-c", program)
    assert company.proxy.opened[before:] == [f"{OUTSIDE}:8443"]


@pytest.mark.parametrize("program", CLIENTS.values(), ids=CLIENTS)
def test_without_the_root_nobody_is_believed(company: Company, program: str) -> None:
    without = dict.fromkeys(ROOTS_VARIABLES, "")
    assert "certificate verify failed" in company.run(str(open_webui_python()), "-c", program, **without)


JAVA = """import java.net.URI;
import java.net.http.*;
public class Ask {
  public static void main(String[] given) throws Exception {
    var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    var asked = HttpRequest.newBuilder(URI.create(given[0])).build();
    System.out.println(client.send(asked, HttpResponse.BodyHandlers.ofString()).body());
  }
}
"""
"""The client of Opik's backend for models: `CustomLlmClientGenerator` of
https://github.com/comet-ml/opik/tree/2.1.23/apps/opik-backend/src/main/java/com/comet/opik/infrastructure/llm."""


@pytest.fixture
def java(tmp_path: Path) -> str:
    file = tmp_path / "Ask.java"
    file.write_text(JAVA)
    return str(file)


def test_java_s_client_goes_through_the_proxy_and_believes_the_root(company: Company, java: str) -> None:
    before = len(company.proxy.opened)
    assert WORKS in company.run("java", java, URL)
    assert company.proxy.opened[before:] == [f"{OUTSIDE}:8443"]
    assert "PKIX path building failed" in company.run("java", java, URL, JAVA_TOOL_OPTIONS="")


def test_java_calls_inside_the_cluster_without_the_proxy(company: Company, java: str) -> None:
    before = len(company.proxy.opened)
    assert f"it works at {INSIDE}:{INSIDE_PORT}" in company.run("java", java, f"http://{INSIDE}:{INSIDE_PORT}")
    assert (company.proxy.opened[before:], company.proxy.plain) == ([], [])


def test_the_llm_gateway_s_client_goes_through_the_proxy(company: Company) -> None:
    before = len(company.proxy.opened)
    program = f"""
import asyncio, litellm
async def ask():
    asked = [{{"role": "user", "content": "?"}}]
    answer = await litellm.acompletion("openai/m", asked, api_base="{URL}/v1", api_key="k")
    print(answer.choices[0].message.content)
asyncio.run(ask())"""
    said = company.run(str(litellm_python()), "-c", program, LITELLM_LOCAL_MODEL_COST_MAP="True")
    assert "It works." in said
    assert company.proxy.opened[before:] == [f"{OUTSIDE}:8443"]


@pytest.mark.skipif(not ollama_pod.INSTALLED, reason="Ollama is not installed (scripts/lab/install-live ollama)")
def test_ollama_pulls_through_the_proxy(company: Company, tmp_path: Path) -> None:
    """Its own client calls its server by HTTP, which is no business of the proxy."""
    before = len(company.proxy.opened)
    script = 'ollama serve >"$HOME/log" 2>&1 & p=$!; until ollama list >/dev/null 2>&1; do sleep 0.1; done;'
    script += " ollama pull nowhere:1b; kill $p"
    path = f"{ollama_pod.PROGRAMS / 'bin'}:{ollama_pod.SYSTEM_PATH}"
    said = company.run("sh", "-c", script, PATH=path, HOME=str(tmp_path), OLLAMA_HOST="127.0.0.1:11434")
    assert "file does not exist" in said
    assert f"{model_registry.HOST}:443" in company.proxy.opened[before:]


def test_calls_inside_the_cluster_never_reach_the_proxy(company: Company) -> None:
    """By a name that no list of what is direct holds."""
    before = len(company.proxy.opened)
    url = f"http://{INSIDE}:{INSIDE_PORT}"
    inside = [company.run(str(open_webui_python()), "-c", program.replace(URL, url)) for program in CLIENTS.values()]
    inside.append(company.run("curl", "--silent", "--show-error", url))
    assert [f"it works at {INSIDE}:{INSIDE_PORT}" in said for said in inside] == [True] * len(inside)
    assert (company.proxy.opened[before:], company.proxy.plain) == ([], [])
