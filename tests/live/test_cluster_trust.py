"""The internal CA's root in pods: real cert-manager and trust-manager, the admission policy, and real programs.

And on the start page, whose certificate is the one that the issuer signs with.
"""

import base64
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.applications.internal_ca import fingerprint
from scripts.lab.kube.api import Api, ApiError, Object
from scripts.lab.kube.definitions import define
from scripts.lab.kube.processes import free_ports
from stacks.platform.common.catalogue import HELM, images
from stacks.platform.common.egress import ROOTS, ROOTS_FILE, ROOTS_FOLDER, ROOTS_LABEL
from stacks.platform.common.known_roots import known_roots
from stacks.platform.components.certificates import release as certificates
from stacks.platform.components.certificates.names import NAMESPACE as SOURCES
from stacks.platform.components.egress.policies import NAMESPACE, RELEASE, policies
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.start.page import files
from stacks.platform.components.start.release import start_page
from stacks.platform.components.trust.names import KNOWN
from stacks.platform.components.trust.release import trusted_roots
from stacks.settings import Settings, parse_settings
from tests.support.cluster.acme import acme_server, cert_manager
from tests.support.cluster.certificates import install
from tests.support.cluster.real_cluster import helm, running
from tests.support.cluster.trust import files_of, running_trust_manager, statuses
from tests.support.ingress.nginx import free_port, running_nginx
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import wait_for
from tests.support.start.page import PRIVATE_FILE, page_server

pytestmark = pytest.mark.cluster

VAULT = {"vault_uri": "https://vault.vault.azure.net/", "client_id": "keeper", "tenant_id": "tenant"}
OWN, ELSEWHERE = "research", "elsewhere"
"""A namespace of an operator's own with the label, and one without."""


@dataclass
class Ready:
    """A cluster in which everything runs that gives pods their roots."""

    api: Api
    folder: Path

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return what a Secret holds; empty where there is none."""
        found = _maybe(self.api, "Secret", namespace, name)
        return {key: base64.b64decode(value).decode() for key, value in (found or {}).get("data", {}).items()}

    def roots(self, namespace: str) -> Object | None:
        """Return the ConfigMap with the roots."""
        return _maybe(self.api, "ConfigMap", namespace, ROOTS)

    def pod(self, namespace: str) -> Object:
        """Return a pod as the API would make it there."""
        container = {"name": "main", "image": "none", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}
        meta = {"name": "asks", "namespace": namespace}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
        return self.api.request("POST", f"/api/v1/namespaces/{namespace}/pods", body, dryRun="All")

    def given(self, namespace: str) -> dict[str, str]:
        """Return the variables of a container there, with the roots in a folder of this machine."""
        pod, config_map = self.pod(namespace), self.roots(namespace)
        assert config_map
        (volume,) = [one for one in pod["spec"]["volumes"] if one.get("configMap", {}).get("name") == ROOTS]
        (container,) = pod["spec"]["containers"]
        assert {"name": volume["name"], "mountPath": ROOTS_FOLDER, "readOnly": True} in container["volumeMounts"]
        files_of(config_map, self.folder / namespace)
        return {
            one["name"]: one["value"].replace(ROOTS_FOLDER, str(self.folder / namespace)) for one in container["env"]
        }


def _maybe(api: Api, kind: str, namespace: str, name: str) -> Object | None:
    try:
        return api.get({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}})
    except ApiError:
        return None


@pytest.fixture(scope="module")
def settings() -> Settings:
    return parse_settings(PRIVATE_FILE.read_text("utf-8"), PRIVATE_FILE.name)


@pytest.fixture(scope="module")
def ready(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    folder = tmp_path_factory.mktemp("trust")
    components = enabled_components(settings)
    rules = {one.name: dict(one.labels) for one in components.namespaces()}
    names = {SOURCES: {}, "ingress": {}, "start": rules["start"], "chat": rules["chat"]}
    names |= {OWN: {ROOTS_LABEL: "true"}, ELSEWHERE: {}}
    with acme_server(folder) as controllers, running(folder, settings) as alive:
        define(alive.api, "cert-manager", "external-secrets", "trust-manager")
        for name, labels in names.items():
            alive.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        client = helm(alive, folder)
        install(client, "private-certificates", certificates.private_certificates(settings, images(), **VAULT))
        install(client, "trusted-roots", trusted_roots())
        values = policies(settings, components.namespaces(), roots="")
        _release(client, RELEASE, NAMESPACE, values)
        _release(client, "start-page", "start", start_page(components, images(), files(components)))
        alive.api.create(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": KNOWN, "namespace": SOURCES},
                "data": {ROOTS_FILE: known_roots(())},
            }
        )
        with (
            cert_manager(controllers, alive.api, alive.kubeconfig, folder / "cert-manager.log"),
            running_trust_manager(alive.kubeconfig, folder / "trust-manager"),
        ):
            found = Ready(alive.api, folder)
            wait_for(
                lambda: "ca.crt" in found.secret("ingress", "wildcard-tls") and bool(found.roots(OWN)),
                PATIENCE_S,
                lambda: (folder / "trust-manager" / "log").read_text("utf-8")[-2000:],
            )
            wait_for(lambda: "env" in found.pod(OWN)["spec"]["containers"][0], PATIENCE_S, lambda: "no policy holds")
            yield found


def _release(client: object, name: str, namespace: str, values: dict[str, object]) -> None:
    told = {"name": name, "namespace": namespace, "values": [json.dumps(values)]}
    client.apply("install", told, str(HELM / name), timeout_s=PATIENCE_S)  # type: ignore[attr-defined]


def test_namespaces_with_the_label_get_every_root_and_others_none(ready: Ready) -> None:
    root = ready.secret(SOURCES, "internal-ca")["tls.crt"].strip()
    for namespace in ("chat", OWN):
        found = ready.roots(namespace)
        assert found
        assert root in found["data"][ROOTS_FILE]
        assert found["data"][ROOTS_FILE].count("BEGIN CERTIFICATE") == known_roots(()).count("BEGIN CERTIFICATE") + 1
        assert "PRIVATE KEY" not in json.dumps(found)
    assert ready.roots(ELSEWHERE) is None
    assert "env" not in ready.pod(ELSEWHERE)["spec"]["containers"][0]


def test_programs_in_pods_trust_the_hosts_before_and_after_a_new_root(ready: Ready) -> None:
    """A root that is renewed keeps its key, so that either of the two vouches for what either of them signed."""
    old, leaf = ready.secret(SOURCES, "internal-ca")["tls.crt"], ready.secret("ingress", "wildcard-tls")
    before = ready.given("chat")
    assert set(_asked(ready, leaf, before).values()) == {"200"}
    assert "200" not in _asked(ready, leaf, {}).values()
    _renew(ready.api, SOURCES, "internal-ca")
    wait_for(lambda: ready.secret(SOURCES, "internal-ca")["tls.crt"] != old, PATIENCE_S, lambda: "no new root")
    new = ready.secret(SOURCES, "internal-ca")["tls.crt"].strip()
    wait_for(
        lambda: new in (ready.roots(OWN) or {})["data"][ROOTS_FILE], PATIENCE_S, lambda: "the new root reaches no pod"
    )
    after = ready.given(OWN)
    assert set(_asked(ready, leaf, after).values()) == {"200"}
    _renew(ready.api, "ingress", "wildcard-tls")
    wait_for(lambda: ready.secret("ingress", "wildcard-tls") != leaf, PATIENCE_S, lambda: "no new certificate")
    again = ready.secret("ingress", "wildcard-tls")
    for given in (before, after):
        assert set(_asked(ready, again, given).values()) == {"200"}


def _renew(api: Api, namespace: str, name: str) -> None:
    """Do what `cmctl renew` does: https://cert-manager.io/docs/reference/cmctl/#renew."""
    meta = {"name": name, "namespace": namespace}
    item = api.get({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": meta})
    issuing = {
        "type": "Issuing",
        "status": "True",
        "reason": "ManuallyTriggered",
        "message": "renewed by hand",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    kept = [one for one in item["status"]["conditions"] if one["type"] != "Issuing"]
    api.patch(item, {"status": {"conditions": [*kept, issuing]}}, subresource="status")


def _asked(ready: Ready, leaf: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    place = ready.folder / "nginx"
    place.mkdir(exist_ok=True)
    for name in ("tls.crt", "tls.key"):
        (place / name).write_text(leaf[name])
    (port,) = free_ports(1)
    server = f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate tls.crt; ssl_certificate_key tls.key;"
    with running_nginx(place, port, f"{server} location / {{ return 200; }} }}"):
        return statuses(f"https://api.llm.internal:{port}/", given, place)


def test_the_start_page_hands_out_the_ca_that_the_issuer_signs_with_after_a_renewal_too(
    ready: Ready, settings: Settings, tmp_path: Path
) -> None:
    _renew(ready.api, SOURCES, "internal-ca")
    issuer = ready.api.get(
        {"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": {"name": "internal-ca"}}
    )
    old = ready.secret(SOURCES, issuer["spec"]["ca"]["secretName"])["tls.crt"]
    wait_for(lambda: ready.secret(SOURCES, "internal-ca")["tls.crt"] != old, PATIENCE_S, lambda: "no new root")
    signs_with = ready.secret(SOURCES, "internal-ca")["tls.crt"]
    (pod,) = [item["spec"]["template"]["spec"] for item in ready.api.list("apps/v1", "Deployment", "start")]
    (volume,) = [one["configMap"] for one in pod["volumes"] if one["name"] == "authority"]
    ((key, path),) = [(one["key"], one["path"]) for one in volume["items"]]
    assert path == "ca.crt"
    wait_for(
        lambda: (
            (_maybe(ready.api, "ConfigMap", "start", volume["name"]) or {})["data"][key].strip() == signs_with.strip()
        ),
        PATIENCE_S,
        lambda: "the page never gets the new root",
    )
    served = _maybe(ready.api, "ConfigMap", "start", volume["name"]) or {}
    page = page_server(settings, tmp_path, port := free_port(), health={}, authority=served["data"][key])
    page.start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/ca.crt")
        handed_out = connection.getresponse().read().decode()
    finally:
        page.stop()
    assert fingerprint(handed_out) == fingerprint(signs_with)
