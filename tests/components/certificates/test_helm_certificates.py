"""The charts of certificates, rendered by Helm: issuers, what the vault keeps, the internal CA."""

from pathlib import Path

import pytest

from stacks.platform.common.ingress_mode import certificate_secret, cluster_issuer
from stacks.platform.components.certificates.kept import kept_secrets
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings
from tests.support.kubernetes.own_charts import (
    FOUND,
    PRIVATE,
    example,
    objects_of,
    private_certificates_values,
    values_of,
    with_production_certificates,
)

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(FOUND is None, reason="helm is not on PATH; the CI set brings it"),
]


@pytest.mark.parametrize(("environment", "ingress"), [("dev", "nginx"), ("prod", "azure-application-gateway")])
def test_issuers_prove_hosts_through_the_chosen_ingress(environment: str, ingress: str, tmp_path: Path) -> None:
    settings = load_settings(environment)
    issuers = {
        issuer["metadata"]["name"]: issuer["spec"]["acme"]
        for issuer in objects_of("platform-issuers", values_of("platform-issuers", settings), tmp_path)
    }
    assert cluster_issuer(settings.ingress) in issuers
    assert "staging" in issuers["letsencrypt-staging"]["server"]
    assert "staging" not in issuers["letsencrypt-production"]["server"]
    for acme in issuers.values():
        assert acme["email"] == settings.ingress.acme_email
        assert acme["solvers"] == [{"http01": {"ingress": {"ingressClassName": ingress, "serviceType": "ClusterIP"}}}]
    assert len({acme["privateKeySecretRef"]["name"] for acme in issuers.values()}) == len(issuers)


def test_certificates_are_kept_by_an_account_of_their_own_where_they_are(tmp_path: Path) -> None:
    objects = objects_of("kept-certificates", values_of("kept-certificates", load_settings("prod")), tmp_path)
    (store,) = (item["spec"] for item in objects if item["kind"] == "ClusterSecretStore")
    assert store["conditions"] == [{"namespaces": ["cert-manager", "chat", "gateway", "monitoring", "ns", "opik"]}]
    assert store["provider"]["azurekv"]["serviceAccountRef"] == {
        "name": "certificate-keeper",
        "namespace": "ns",
    }
    kept = {
        item["metadata"]["name"]: (item["metadata"]["namespace"], item["spec"]["selector"]["secret"]["name"])
        for item in objects
        if item["kind"] == "PushSecret"
    }
    assert kept == {
        "kept-acme-account": ("cert-manager", "letsencrypt-production-account"),
        "kept-certificate-api": ("gateway", "gateway-tls"),
        "kept-certificate-chat": ("chat", "chat-tls"),
        "kept-certificate-grafana": ("monitoring", "grafana-tls"),
        "kept-certificate-opik": ("opik", "opik-tls"),
    }
    # A host, a namespace or a cluster that goes leaves what the vault has for the next.
    assert {item["spec"]["deletionPolicy"] for item in objects if item["kind"] == "PushSecret"} == {"None"}
    rules = [rule for item in objects if item["kind"] == "Role" for rule in item["rules"]]
    secrets = [rule["verbs"] for rule in rules if "secrets" in rule["resources"]]
    assert secrets == [["create"]] * 5
    tokens = [(rule["resourceNames"], rule["verbs"]) for rule in rules if "serviceaccounts/token" in rule["resources"]]
    assert tokens == [(["certificate-keeper"], ["create"])]


def test_certificates_of_staging_are_in_secrets_of_their_own_and_not_kept() -> None:
    staging, hosts = load_settings("dev"), enabled_components(load_settings("dev")).hosts()
    assert kept_secrets(staging.ingress, hosts) == ()
    real = {certificate_secret(with_production_certificates(staging).ingress, host) for host in hosts}
    assert real.isdisjoint(certificate_secret(staging.ingress, host) for host in hosts)


def test_the_internal_ca_signs_for_its_zone_alone_and_keeps_its_key(tmp_path: Path) -> None:
    objects = objects_of("private-certificates", private_certificates_values(PRIVATE), tmp_path)
    by_name = {(item["kind"], item["metadata"]["name"]): item.get("spec", {}) for item in objects}
    assert by_name["ClusterIssuer", "internal-ca"] == {"ca": {"secretName": "internal-ca"}}
    root = by_name["Certificate", "internal-ca"]
    assert root["isCA"] is True
    assert root["duration"] == "87600h"
    assert root["privateKey"] == {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"}
    assert root["nameConstraints"] == {"critical": True, "permitted": {"dnsDomains": ["llm.corp.acme.io"]}}
    leaf = by_name["Certificate", "wildcard-tls"]
    assert leaf["dnsNames"] == ["*.llm.corp.acme.io", "llm.corp.acme.io"]
    assert leaf["duration"] == "2160h"
    assert leaf["privateKey"]["rotationPolicy"] == "Always"
    assert leaf["issuerRef"]["name"] == "internal-ca"
    (role,) = (item for item in objects if item["kind"] == "Role")
    assert role["rules"] == [
        {
            "apiGroups": ["external-secrets.io"],
            "resources": ["pushsecrets"],
            "resourceNames": ["kept-internal-ca"],
            "verbs": ["get"],
        }
    ]


def test_a_private_name_in_a_public_zone_is_proved_by_its_records(tmp_path: Path) -> None:
    objects = objects_of(
        "private-certificates", private_certificates_values(example("private_with_lets_encrypt")), tmp_path
    )
    issuer, certificate = (
        next(item for item in objects if item["kind"] == kind) for kind in ("ClusterIssuer", "Certificate")
    )
    assert issuer["metadata"]["name"] == certificate["spec"]["issuerRef"]["name"] == "letsencrypt-dns-production"
    assert issuer["spec"]["acme"]["solvers"] == [
        {
            "dns01": {
                "azureDNS": {
                    "environment": "AzurePublicCloud",
                    "hostedZoneName": "acme.io",
                    "resourceGroupName": "dns",
                    "subscriptionID": "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90",
                    "managedIdentity": {
                        "clientID": "22222222-3333-4444-5555-666666666666",
                        "tenantID": "11111111-2222-3333-4444-555555555555",
                    },
                }
            }
        }
    ]
    assert certificate["spec"]["dnsNames"] == ["*.llm.acme.io", "llm.acme.io"]


def test_an_own_certificate_comes_from_the_vault_to_the_ingress_alone(tmp_path: Path) -> None:
    objects = objects_of(
        "private-certificates", private_certificates_values(example("private_with_own_certificate")), tmp_path
    )
    assert sorted(item["kind"] for item in objects) == ["ClusterSecretStore", "ExternalSecret"]
    store, secret = (
        next(item for item in objects if item["kind"] == kind) for kind in ("ClusterSecretStore", "ExternalSecret")
    )
    assert store["spec"]["conditions"] == [{"namespaces": ["ingress"]}]
    assert (secret["metadata"]["namespace"], secret["spec"]["target"]["name"]) == ("ingress", "wildcard-tls")
    assert secret["spec"]["target"]["template"]["type"] == "kubernetes.io/tls"
    assert secret["spec"]["data"] == [{"secretKey": "kept", "remoteRef": {"key": "wildcard-llm"}}]


def test_the_internal_ca_is_kept_with_the_marks_of_its_own_issuer(tmp_path: Path) -> None:
    """cert-manager makes a new key for a root whose Secret names another issuer."""
    objects = objects_of("kept-internal-ca", values_of("kept-internal-ca", PRIVATE), tmp_path)
    (push,) = (item for item in objects if item["kind"] == "PushSecret")
    assert (push["metadata"]["name"], push["metadata"]["namespace"]) == ("kept-internal-ca", "cert-manager")
    assert push["spec"]["selector"]["secret"]["name"] == "internal-ca"
    assert push["spec"]["deletionPolicy"] == "None"
    (brought,) = (item for item in objects if item["kind"] == "ExternalSecret")
    (text,) = brought["spec"]["target"]["template"]["data"].values()
    for mark in (
        '"cert-manager.io/issuer-name":"internal-ca-root"',
        '"cert-manager.io/certificate-name":"internal-ca"',
    ):
        assert mark in text
