"""One run of the installer, and a client in a network of its own resolves, trusts and uses all services; no more after
`--uninstall`.

The real CoreDNS, the real NGINX with the routes that are deployed, the real login and start page, a CA with the
constraint of the platform's; curl, Python, Node and Java of a Debian. Needs root on Linux, Go, oauth2-proxy, helm, and
`scripts/lab/install-live client`.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.applications.internal_ca import fingerprint
from scripts.lab.names.programs import coredns
from stacks.platform.common.ingress_annotations import Exposure
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.private_dns.release import private_dns
from stacks.platform.components.start.examples import trust_examples
from tests.support.cluster.acme import program
from tests.support.ingress.controller import front_door
from tests.support.ingress.nginx import free_port
from tests.support.kubernetes import rendered
from tests.support.programs import pod_network
from tests.support.programs.client_machine import ClientMachine, client_machine
from tests.support.stacks.components import images_of
from tests.support.start.login import running_login
from tests.support.start.page import page_server, private
from tests.support.web_servers import QuietHandler, port_of, served

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not pod_network.available() and os.environ.get("CI") != "true", reason="only root on Linux makes networks"
    ),
]

SETTINGS = private()
INGRESS, NAMESERVER, CLIENT = "10.40.18.4", "10.40.18.5", "10.40.18.200"
LABELS = ("chat", "api", "opik", "grafana", "start")
PATHS = {"chat": "/health", "api": "/v1/models", "opik": "/ping", "grafana": "/login", "start": "/ca.crt"}
ASK = {
    "curl": ("curl", "--silent", "--show-error", "--fail", "--output", "/dev/null", "{url}"),
    "python": ("python3", "-c", "import sys, urllib.request; urllib.request.urlopen(sys.argv[1])", "{url}"),
    "node": ("node", "-e", "fetch(process.argv[1]).then(r => process.exit(r.ok ? 0 : 1))", "{url}"),
    "java": ("java", "/srv/Ask.java", "{url}"),
}
JAVA = """
import java.net.URI;
import java.net.http.*;

public class Ask {
  public static void main(String[] urls) throws Exception {
    for (String url : urls) {
      var answer = HttpClient.newHttpClient().send(
          HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.discarding());
      if (answer.statusCode() != 200) System.exit(1);
    }
  }
}
"""


@dataclass
class World:
    """The client, and the CA's fingerprint as an operator has it."""

    client: ClientMachine
    fingerprint: str

    def asked(self, program: str, label: str) -> "subprocess.CompletedProcess[str]":
        url = f"https://{label}.llm.internal{PATHS[label]}"
        return self.client.run(*(part.replace("{url}", url) for part in ASK[program]))


class Service(QuietHandler):
    """Stands for a service; whether it is reached is the question."""

    def do_GET(self) -> None:
        self.answer(200, b"served")


def _authority(folder: Path) -> tuple[Path, tuple[Path, Path]]:
    """Make root and certificate as cert-manager does (helm/private-certificates): names of the zone alone."""
    root, root_key = folder / "root.crt", folder / "root.key"
    leaf, leaf_key = folder / "leaf.crt", folder / "leaf.key"
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    _openssl(*new, "-keyout", root_key, "-out", root, "-subj", "/CN=llm-dev internal CA",
             "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
             "-addext", "nameConstraints=critical,permitted;DNS:llm.internal")  # fmt: skip
    _openssl(*new, "-keyout", leaf_key, "-out", leaf, "-subj", "/", "-CA", root, "-CAkey", root_key,
             "-addext", "subjectAltName=critical,DNS:*.llm.internal,DNS:llm.internal",
             "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth")  # fmt: skip
    return root, (leaf, leaf_key)


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def _zone(folder: Path) -> list[str]:
    """Return CoreDNS' command line with the files that its chart renders; only ports and folders differ."""
    values = private_dns(SETTINGS, images_of(SETTINGS))
    found = rendered.render("private-dns", "private-dns", "private-dns", folder, values)
    (files,) = (item["data"] for item in found.objects if item["kind"] == "ConfigMap")
    (folder / "zone").write_text(files["zone"])
    text = files["Corefile"].replace("/etc/coredns/", f"{folder}/").replace(":5353 {", f":53 {{\nbind {NAMESERVER}")
    (folder / "Corefile").write_text(text)
    return [str(coredns()), "-conf", str(folder / "Corefile")]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    root, certificate = _authority(folder)
    with ExitStack() as stack:
        place = folder / "network"
        place.mkdir()
        stack.enter_context(pod_network.pod_network(place, {}))
        client = stack.enter_context(
            client_machine(folder, servers=[INGRESS, NAMESERVER], client=CLIENT, nameserver=NAMESERVER)
        )
        stack.enter_context(program(_zone(folder), folder / "names.log"))
        service = port_of(stack.enter_context(served(Service)))
        page_port = free_port()
        page = page_server(SETTINGS, folder, page_port, health={}, authority=root.read_text("utf-8"))
        login = stack.enter_context(running_login(SETTINGS, folder, upstream=page_port))
        behind = dict.fromkeys(LABELS, service) | {"start": login.port}
        exposed = {
            host.name(SETTINGS.domain): (Exposure(service="any", health_path="/"), [f"127.0.0.1:{behind[host.label]}"])
            for host in enabled_components(SETTINGS).hosts()
        }
        assert len(exposed) == len(LABELS)
        for server in (page, front_door(SETTINGS, folder, INGRESS, exposed, certificate)):
            stack.callback(server.stop)
            server.start()
        (client_files := folder / "Ask.java").write_text(JAVA)
        copied = subprocess.run(
            ["nsenter", "--target", str(client.process), "--mount", "cp", str(client_files), f"{client.root}/srv/"],
            check=False,
        )
        assert copied.returncode == 0
        yield World(client, fingerprint(root.read_text("utf-8")))


def test_one_run_lets_every_program_use_every_service_and_uninstall_leaves_nothing(world: World) -> None:
    client = world.client
    before = client.files()
    for name in ASK:
        assert world.asked(name, "chat").returncode != 0, name
    assert client.run("getent", "hosts", "chat.llm.internal").stdout.split()[0] == INGRESS

    script = {example.file: text for example, text in trust_examples(enabled_components(SETTINGS))}["trust.sh"]
    installed = client.run("sh", "-euc", script.replace("FINGERPRINT", world.fingerprint).replace("sudo ", ""))
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert world.fingerprint in installed.stdout
    for label in LABELS:
        assert f"{label}.llm.internal: resolves, is trusted, answers." in installed.stdout
    for name in ASK:
        for label in LABELS:
            asked = world.asked(name, label)
            assert asked.returncode == 0, (name, label, asked.stderr)
    assert client.run("test", "-s", "/etc/firefox/policies/policies.json").returncode == 0

    after = client.files()
    again = client.run("sh", "/srv/install-client.sh", "--ca", "/srv/ca.crt", "--fingerprint", world.fingerprint)
    assert again.returncode == 0, again.stdout + again.stderr
    assert client.files() == after

    gone = client.run("sh", "/srv/install-client.sh", "--uninstall")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    for name in ASK:
        assert world.asked(name, "chat").returncode != 0, name
    client.run("rm", "/srv/install-client.sh", "/srv/ca.crt")
    left = client.files()
    # Debian's hook writes its store anew, in a trigger; that the CA is not in it is what Java has just said.
    hook = dict.fromkeys(("/etc/ssl/certs/java/cacerts", "/var/lib/dpkg/status-old"), "")
    assert left | hook == before | hook


def test_another_fingerprint_changes_nothing(world: World) -> None:
    client = world.client
    before = client.files()
    other = world.fingerprint[:-2] + ("00" if world.fingerprint[-2:] != "00" else "01")
    installer = "/srv/refused.sh"
    client.run("curl", "--insecure", "--silent", "--output", installer, "https://start.llm.internal/install-client.sh")
    refused = client.run("sh", installer, "--fingerprint", other)
    assert refused.returncode == 3
    assert "Nothing was changed" in refused.stderr
    client.run("rm", installer)
    assert client.files() == before
