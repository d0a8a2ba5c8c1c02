"""Certificates that outlive their cluster: real API servers, cert-manager's controllers, an ACME server that counts.

Let's Encrypt issues five certificates a week for the same names. Here the cluster is gone again and again: all that was
ever put into it, while one API server goes on, since starting one for each takes minutes. cert-manager asks for a
challenge five times, two seconds apart, before it calls on the ACME server, so that every order takes ten seconds.
"""

import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts.lab.kube.api import Api, ApiError
from scripts.lab.kube.definitions import define
from stacks.platform.common.ingress_annotations import Exposure, annotations
from stacks.platform.common.ingress_mode import certificate_secret, ingress_class
from stacks.platform.components.certificates import release
from stacks.platform.components.certificates.kept import kept_secrets, vault_names
from stacks.platform.components.chat.names import HOST
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings, load_settings
from tests.support.cluster import certificates
from tests.support.cluster.acme import AcmeServer, acme_server, cert_manager
from tests.support.cluster.external_secrets import TAG, ExternalSecrets, Vault
from tests.support.cluster.helm_client import Helm
from tests.support.cluster.real_cluster import Running, helm, running
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.cluster

GONE = int(os.environ.get("GONE", "2"))
"""How often the cluster is gone; GONE=6 is more than Let's Encrypt would issue for in a week."""
NOTHING = "{}"
"""What Terraform makes the secrets of the vault with (constructs/kept_vault_secret.py)."""


@dataclass
class World:
    """What stays when a cluster goes: the vault and the ACME server."""

    settings: Settings
    acme: AcmeServer
    vault: Vault
    folder: Path
    alive: Running
    made: int = field(default=0)
    """Clusters so far."""


@dataclass
class Ready:
    """A cluster with everything that comes before its first Ingress."""

    world: World
    api: Api
    helm: Helm
    operator: ExternalSecrets

    def expose(self, domain: str) -> None:
        """Add the chat's Ingress, as the stack does."""
        ingress = self.world.settings.ingress
        shown = Exposure(service="chat", health_path="/")
        self.api.create(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {
                    "name": HOST.ingress,
                    "namespace": HOST.namespace,
                    "annotations": annotations(ingress, shown),
                },
                "spec": {
                    "ingressClassName": ingress_class(ingress),
                    "tls": [{"hosts": [HOST.name(domain)], "secretName": certificate_secret(ingress, HOST)}],
                    "rules": [
                        {
                            "host": HOST.name(domain),
                            "http": {
                                "paths": [
                                    {
                                        "path": "/",
                                        "pathType": "Prefix",
                                        "backend": {"service": {"name": "chat", "port": {"number": 80}}},
                                    }
                                ]
                            },
                        }
                    ],
                },
            }
        )

    def certificate(self) -> dict[str, str]:
        """Return what is in the chat's Secret; empty where there is none."""
        place = {"name": certificate_secret(self.world.settings.ingress, HOST), "namespace": HOST.namespace}
        try:
            data: dict[str, str] = self.api.get({"apiVersion": "v1", "kind": "Secret", "metadata": place})["data"]
        except ApiError:
            return {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def until_ready(self) -> None:
        """Wait until cert-manager calls the chat's certificate ready."""
        _until(self._is_ready, lambda: self.api.list("cert-manager.io/v1", "Certificate"))

    def _is_ready(self) -> bool:
        return (
            any(
                (condition["type"], condition["status"]) == ("Ready", "True")
                for item in self.api.list("cert-manager.io/v1", "Certificate")
                for condition in item.get("status", {}).get("conditions", [])
            )
            and self._is_registered()
        )

    def _is_registered(self) -> bool:
        return any(
            item["metadata"]["name"] == "letsencrypt-production" and "uri" in item.get("status", {}).get("acme", {})
            for item in self.api.list("cert-manager.io/v1", "ClusterIssuer")
        )


def _until(condition: Callable[[], bool], instead: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, json.dumps(instead(), indent=1)
        time.sleep(0.1)


@pytest.fixture(scope="module")
def settings() -> Settings:
    found = load_settings("dev")
    return found.model_copy(update={"ingress": found.ingress.model_copy(update={"acme_issuer": "production"})})


@pytest.fixture(scope="module")
def alive(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("api"), settings) as found:
        define(found.api, "cert-manager", "external-secrets")
        yield found


@pytest.fixture
def world(settings: Settings, alive: Running, tmp_path: Path) -> Iterator[World]:
    names = vault_names(enabled_components(settings).known_hosts())
    vault = Vault(values=dict.fromkeys(names, NOTHING), tags=dict.fromkeys(names, TAG))
    with acme_server(tmp_path) as acme:
        acme.answers.set()
        yield World(settings, acme, vault, tmp_path, alive)


@contextmanager
def cluster(world: World, *, bring_back: bool = True) -> Iterator[Ready]:
    """Within, there is a new cluster; it starts with what the vault has kept."""
    world.made += 1
    folder = world.folder / f"cluster-{world.made}"
    folder.mkdir()
    api, components = world.alive.api, enabled_components(world.settings)
    kept = kept_secrets(world.settings.ingress, components.hosts())
    namespaces = {"external-secrets", *(secret.namespace for secret in kept)}
    try:
        for name in namespaces:
            api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        client = helm(world.alive, folder)
        ready = Ready(world, api, client, ExternalSecrets(world.vault, client, folder))
        values = release.kept_certificates(
            world.settings.ingress,
            components.deployed_images(),
            kept,
            vault_uri="https://vault.vault.azure.net/",
            client_id="keeper",
            tenant_id="tenant",
        )
        certificates.install(client, "kept-certificates", values)
        ready.operator.deliver(api)
        if bring_back:
            print(certificates.bring_back(api, folder))
        issuers = release.platform_issuers(world.settings.ingress)
        certificates.install(
            client, "platform-issuers", issuers | {"issuers": {"letsencrypt-production": world.acme.directory}}
        )
        with cert_manager(world.acme, api, world.alive.kubeconfig, folder / "cert-manager.log"):
            yield ready
    finally:
        _gone(api, namespaces)


CLUSTER_WIDE = (
    ("cert-manager.io/v1", "ClusterIssuer"),
    ("external-secrets.io/v1", "ClusterSecretStore"),
)


def _gone(api: Api, namespaces: set[str]) -> None:
    """Leave nothing of what a deployment and its controllers have put there."""
    for item in api.list("acme.cert-manager.io/v1", "Challenge"):
        # Its controller, which would do this, went before it.
        api.patch(item, {"metadata": {"finalizers": None}})
    for version, kind in CLUSTER_WIDE:
        for item in api.list(version, kind):
            api.delete(item)
    for name in namespaces:
        api.delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def left() -> list[str]:
        found = {item["metadata"]["name"] for item in api.list("v1", "Namespace")}
        return sorted(found & namespaces)

    _until(lambda: not left(), left)


def test_a_cluster_that_is_made_again_and_again_orders_one_certificate(world: World) -> None:
    with cluster(world) as first:
        first.expose(world.settings.domain)
        first.until_ready()
        first.operator.push(first.api)
        issued = first.certificate()
    for _ in range(GONE):
        with cluster(world) as again:
            assert again.certificate() == issued
            again.expose(world.settings.domain)
            again.until_ready()
            assert again.certificate() == issued
            assert again.api.list("cert-manager.io/v1", "CertificateRequest") == []
            again.operator.push(again.api)
    assert (world.acme.orders(), world.acme.accounts()) == (1, 1)
    # The orders that were saved are such as this ACME server counts.
    with cluster(world, bring_back=False) as other:
        assert other.certificate() == {}
        other.expose(world.settings.domain)
        other.until_ready()
    assert (world.acme.orders(), world.acme.accounts()) == (2, 2)


def test_a_temporary_certificate_is_never_kept_and_another_domain_is_ordered(world: World) -> None:
    world.acme.answers.clear()
    with cluster(world) as first:
        first.expose(world.settings.domain)
        _until(lambda: bool(first.certificate()), lambda: first.api.list("cert-manager.io/v1", "Certificate"))
        first.operator.push(first.api)
        assert world.vault.values["kept-certificate-chat"] == NOTHING
        assert "a temporary certificate is not kept" in first.operator.errors["kept-certificate-chat"]
        world.acme.answers.set()
        first.until_ready()
        first.operator.push(first.api)
        assert world.vault.values["kept-certificate-chat"] != NOTHING
    with cluster(world) as moved:
        moved.expose("other.example.com")
        _until(lambda: world.acme.orders() == 2, lambda: moved.api.list("cert-manager.io/v1", "Certificate"))
        moved.until_ready()
        moved.operator.push(moved.api)
    with cluster(world) as again:
        again.expose("other.example.com")
        again.until_ready()
    assert (world.acme.orders(), world.acme.accounts()) == (2, 1)


def test_what_is_in_the_cluster_wins_over_what_is_kept(world: World) -> None:
    """Run again in a cluster with a newer certificate, the Job touches nothing, and it may read none."""
    with cluster(world) as first:
        first.expose(world.settings.domain)
        first.until_ready()
        newer = first.certificate()
        world.vault.values["kept-certificate-chat"] = json.dumps({"tls.crt": "older", "tls.key": "older"})
        first.api.delete(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "kept-certificates", "namespace": "cert-manager"},
            }
        )
        first.operator.deliver(first.api)
        assert "chat_chat-tls: is there" in certificates.bring_back(first.api, world.folder)
        assert first.certificate() == newer
        job = first.api.acting_as("system:serviceaccount:cert-manager:bring-back-certificates")
        for refused in ("chat", "cert-manager", "external-secrets"):
            with pytest.raises(ApiError, match="forbidden"):
                job.list("v1", "Secret", refused)
