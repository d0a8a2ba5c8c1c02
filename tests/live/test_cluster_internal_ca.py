"""The internal CA of a private environment: real API servers and cert-manager's controllers, clusters that come and go.

The root is the same in every cluster, and real clients trust what it signed, of a real nginx, for its zone alone.
"""

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts.lab.kube.api import Api, ApiError
from scripts.lab.kube.definitions import define
from scripts.lab.kube.processes import free_ports
from stacks.platform.common.ingress_annotations import Exposure
from stacks.platform.components.certificates import release
from stacks.platform.components.certificates.kept import kept_of
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings, parse_settings
from tests.support.cluster.acme import AcmeServer, acme_server, cert_manager
from tests.support.cluster.certificates import bring_back, install
from tests.support.cluster.external_secrets import TAG, ExternalSecrets, Vault
from tests.support.cluster.real_cluster import helm, running
from tests.support.cluster.trusting_clients import plain_location, statuses
from tests.support.ingress.controller import http_block
from tests.support.ingress.nginx import running_nginx
from tests.support.ingress.recorder import recorder

pytestmark = pytest.mark.cluster

GONE = 3
PATIENCE_S = 180
NOTHING = "{}"
VAULT = {"vault_uri": "https://vault.vault.azure.net/", "client_id": "keeper", "tenant_id": "tenant"}
FILE = Path(__file__).parents[1] / "environments" / "valid.private_with_tailscale.yaml"
HOST = "chat.llm.internal"


@dataclass
class World:
    """What stays when a cluster goes: the vault."""

    settings: Settings
    controllers: AcmeServer
    vault: Vault
    folder: Path
    made: int = field(default=0)


@dataclass
class Ready:
    """A cluster whose issuers and certificates are installed."""

    api: Api
    operator: ExternalSecrets
    folder: Path

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return what a Secret holds; empty where there is none."""
        place = {"namespace": namespace, "name": name}
        try:
            data: dict[str, str] = self.api.get({"apiVersion": "v1", "kind": "Secret", "metadata": place})["data"]
        except ApiError:
            return {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def until_ready(self) -> None:
        """Wait until cert-manager calls both certificates ready."""
        deadline = time.monotonic() + PATIENCE_S
        while not self._ready():
            assert time.monotonic() < deadline, self.api.list("cert-manager.io/v1", "Certificate")
            time.sleep(0.2)

    def _ready(self) -> bool:
        found = self.api.list("cert-manager.io/v1", "Certificate")
        conditions = [
            {condition["type"]: condition["status"] for condition in item.get("status", {}).get("conditions", [])}
            for item in found
        ]
        return len(found) == 2 and all(state.get("Ready") == "True" for state in conditions)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    settings = parse_settings(FILE.read_text("utf-8"), FILE.name)
    vault = Vault(values={"kept-internal-ca": NOTHING}, tags={"kept-internal-ca": TAG})
    with acme_server(tmp_path) as controllers:
        yield World(settings, controllers, vault, tmp_path)


@contextmanager
def cluster(world: World) -> Iterator[Ready]:
    """Within, there is a new cluster, installed as the stack does it."""
    world.made += 1
    folder = world.folder / f"cluster-{world.made}"
    folder.mkdir()
    with running(folder, world.settings) as alive:
        define(alive.api, "cert-manager", "external-secrets")
        components = enabled_components(world.settings)
        images, kept = components.deployed_images(), kept_of(world.settings, components.hosts())
        for name in ("external-secrets", "cert-manager", "ingress"):
            alive.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        client = helm(alive, folder)
        ready = Ready(alive.api, ExternalSecrets(world.vault, client, folder), folder)
        issuer = release.issuer_of_kept(world.settings)
        values = release.kept_certificates(world.settings.ingress, images, kept, **VAULT, issuer=issuer)
        install(client, "kept-internal-ca", values)
        ready.operator.deliver(alive.api)
        print(bring_back(alive.api, folder))
        install(client, "private-certificates", release.private_certificates(world.settings, images, **VAULT))
        with cert_manager(world.controllers, alive.api, alive.kubeconfig, folder / "cert-manager.log"):
            yield ready


def test_the_root_is_the_same_in_every_cluster_and_clients_trust_what_it_signed(world: World) -> None:
    with cluster(world) as first:
        first.until_ready()
        assert world.vault.values["kept-internal-ca"] == NOTHING
        first.operator.push(first.api)
        root = first.secret("cert-manager", "internal-ca")
        assert json.loads(world.vault.values["kept-internal-ca"])["tls.key"] == root["tls.key"]
    for _ in range(GONE):
        with cluster(world) as again:
            again.until_ready()
            found = again.secret("cert-manager", "internal-ca")
            assert (found["tls.crt"], found["tls.key"]) == (root["tls.crt"], root["tls.key"])
            orders = again.api.list("cert-manager.io/v1", "CertificateRequest")
            assert {order["metadata"]["namespace"] for order in orders} == {"ingress"}
            again.operator.push(again.api)
            leaf = again.secret("ingress", "wildcard-tls")
    _clients_trust(world, root["tls.crt"], leaf)
    _no_other_name_is_trusted(world.folder, root)


def _clients_trust(world: World, root: str, leaf: dict[str, str]) -> None:
    """Ask a real nginx with the whole configuration of the ingress and the certificate that was issued."""
    place = world.folder / "nginx"
    place.mkdir()
    for name, text in {"ca.crt": root, "tls.crt": leaf["tls.crt"], "tls.key": leaf["tls.key"]}.items():
        (place / name).write_text(text)
    plain, tls = free_ports(2)
    hosts = enabled_components(world.settings).host_names()
    assert len(hosts) > 3
    with recorder() as applications:
        pods = [f"127.0.0.1:{applications.port}"]
        exposed = {host: (Exposure(service="application", health_path="/"), pods) for host in hosts}
        listeners = (f"127.0.0.1:{plain}", f"127.0.0.1:{tls} ssl")
        http = http_block(world.settings, exposed, listeners, (place / "tls.crt", place / "tls.key"))
        with running_nginx(place, tls, http):
            for host in hosts:
                # The certificate of all hosts is the same; every program asks one, and curl each.
                found = dict(statuses(place / "ca.crt", host, tls) if host == HOST else _of_curl(place, host, tls))
                assert 0 not in found.values(), (host, found)
                assert plain_location(host, plain) == f"https://{host}/"
            assert set(dict(statuses(place / "ca.crt", "chat.another.internal", tls)).values()) == {0}


def _of_curl(place: Path, host: str, port: int) -> list[tuple[str, int]]:
    return [next(iter(statuses(place / "ca.crt", host, port)))]


def _no_other_name_is_trusted(folder: Path, root: dict[str, str]) -> None:
    """Whoever had the key could not speak for anybody else's name: openssl verifies the root's name constraint."""
    place = folder / "stolen"
    place.mkdir()
    (place / "ca.crt").write_text(root["tls.crt"])
    (place / "ca.key").write_text(root["tls.key"])
    for name, accepted in {"api.llm.internal": True, "login.example.com": False}.items():
        leaf, request = place / f"{name}.crt", place / f"{name}.csr"
        key, extension = place / f"{name}.key", f"subjectAltName=DNS:{name}"
        asked = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/"]
        _openssl(*asked, "-addext", extension, "-keyout", key, "-out", request)
        signing = ["-CA", place / "ca.crt", "-CAkey", place / "ca.key", "-copy_extensions", "copy", "-days", "1"]
        _openssl("x509", "-req", "-in", request, *signing, "-out", leaf)
        done = subprocess.run(
            ["openssl", "verify", "-CAfile", str(place / "ca.crt"), str(leaf)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) is accepted, done.stderr
        assert accepted or "permitted subtree violation" in done.stderr


def _openssl(*arguments: object) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
