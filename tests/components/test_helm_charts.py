"""Our own charts, rendered by Helm with the values that the stack passes."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM, own_chart
from stacks.platform.common.ingress_mode import certificate_secret, cluster_issuer
from stacks.platform.components.certificates.kept import kept_of, kept_secrets
from stacks.platform.components.certificates.release import (
    issuer_of_kept,
    kept_certificates,
    platform_issuers,
    private_certificates,
)
from stacks.platform.components.chat import release as chat
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.gpu.nodes import GPU_TAINT
from stacks.platform.components.image_policy.policy import image_policy
from stacks.platform.components.llm_gateway import release as gateway
from stacks.platform.components.monitoring import release as monitoring
from stacks.platform.components.monitoring.rights import operator_rights
from stacks.platform.components.opik import login, operator
from stacks.platform.components.private_dns.release import private_dns
from stacks.platform.components.secrets.release import platform_secrets
from stacks.platform.components.serving import scaling, vllm
from stacks.platform.components.serving.engines import vllm_engines
from stacks.platform.components.tailscale.release import router
from stacks.settings import Settings, load_settings, parse_settings
from stacks.settings.private_access import TailscaleSettings
from stacks.settings.secret_names import GeneratedSecret
from tests.support.kubernetes.api_schemas import ApiSchemas
from tests.support.stacks.components import (
    components_with_images,
    images_of,
    secret_names,
    secret_templates,
    with_images,
)

FOUND = shutil.which("helm")
pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(FOUND is None, reason="helm is not on PATH; the CI set brings it"),
]

VERSIONS = {secret.value: 1 for secret in GeneratedSecret}
OWN = sorted(folder.name for folder in HELM.iterdir() if own_chart(folder.name))


ENVIRONMENTS = Path(__file__).parents[1] / "environments"


def _private(name: str) -> Settings:
    file = ENVIRONMENTS / f"valid.private_{name}.yaml"
    return parse_settings(file.read_text(), file.name)


PRIVATE, TAILNET = _private("by_vpn"), _private("with_tailscale")


def _private_certificates(settings: Settings) -> dict[str, Any]:
    return private_certificates(
        settings,
        images_of(settings),
        vault_uri="https://vault.vault.azure.net/",
        client_id="22222222-3333-4444-5555-666666666666",
        tenant_id="11111111-2222-3333-4444-555555555555",
    )


def _helm(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(FOUND), *map(str, arguments)], capture_output=True, text=True, check=False)


def _wired(release: str, settings: Settings, versions: dict[str, int] | None = None) -> dict[str, Any]:
    wired: dict[str, Callable[[], dict[str, Any]]] = {
        "platform-issuers": lambda: platform_issuers(settings.ingress),
        "kept-certificates": lambda: kept_certificates(
            settings.ingress,
            images_of(settings),
            kept_secrets(_production(settings).ingress, enabled_components(settings).hosts()),
            vault_uri="https://vault.vault.azure.net/",
            client_id="22222222-3333-4444-5555-666666666666",
            tenant_id="11111111-2222-3333-4444-555555555555",
        ),
        "kept-internal-ca": lambda: kept_certificates(
            settings.ingress,
            images_of(settings),
            kept_of(PRIVATE, ()),
            vault_uri="https://vault.vault.azure.net/",
            client_id="22222222-3333-4444-5555-666666666666",
            tenant_id="11111111-2222-3333-4444-555555555555",
            issuer=issuer_of_kept(PRIVATE),
        ),
        "private-dns": lambda: private_dns(TAILNET, images_of(settings)),
        "tailscale-router": lambda: router(TAILNET, TailscaleSettings()),
        "private-certificates": lambda: _private_certificates(PRIVATE),
        "valkey": lambda: login.sessions(*with_images(settings)),
        "opik-guardrails": lambda: operator.guardrails(images_of(settings), "t4"),
        "scaling": lambda: scaling.scaling(settings),
        "vllm": lambda: vllm.vllm(*with_images(settings), vllm_engines(settings)[0]),
        "serving-front": lambda: scaling.serving_proxy(*with_images(settings)),
        "image-policy": lambda: image_policy(
            images_of(settings), registry="example.azurecr.io", namespaces=("opik", "serving")
        ),
        "dashboards": lambda: monitoring.shown_dashboards(
            enabled_components(settings), subscription_id="subscription", resource_group="group", server="server"
        ),
        "monitors": lambda: monitoring.monitors(enabled_components(settings)),
        "litellm": lambda: gateway.litellm(*components_with_images(settings), database_host="pg.example.com"),
        "rights": lambda: operator_rights().values(),
        "platform-secrets": lambda: platform_secrets(
            enabled_components(settings),
            vault_uri="https://vault.vault.azure.net/",
            tenant_id="11111111-2222-3333-4444-555555555555",
            versions=VERSIONS if versions is None else versions,
            database_host="pg.example.com",
        ),
    }
    return wired[release]()


def _production(settings: Settings) -> Settings:
    return settings.model_copy(update={"ingress": settings.ingress.model_copy(update={"acme_issuer": "production"})})


def _render(release: str, wired: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "wired.json"
    file.write_text(json.dumps(wired))
    return _helm("template", release, own_chart(release), "--values", file, "--namespace", "ns")


def _objects(release: str, wired: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    result = _render(release, wired, folder)
    assert result.returncode == 0, result.stderr
    return [document for document in YAML(typ="safe").load_all(result.stdout) if document]


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize("release", OWN)
def test_own_chart_passes_lint(release: str, environment: str, tmp_path: Path) -> None:
    file = tmp_path / "wired.json"
    file.write_text(json.dumps(_wired(release, load_settings(environment))))
    result = _helm("lint", "--strict", own_chart(release), "--values", file)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize("release", OWN)
def test_kubernetes_takes_every_object_of_its_own_kinds(release: str, environment: str, tmp_path: Path) -> None:
    settings = load_settings(environment)
    schemas = ApiSchemas(settings.cluster.kubernetes_version)
    objects = _objects(release, _wired(release, settings), tmp_path)
    assert [problem for item in objects if schemas.knows(item) for problem in schemas.problems(item)] == []


@pytest.mark.parametrize(("environment", "ingress"), [("dev", "nginx"), ("prod", "azure-application-gateway")])
def test_issuers_prove_hosts_through_the_chosen_ingress(environment: str, ingress: str, tmp_path: Path) -> None:
    settings = load_settings(environment)
    issuers = {
        issuer["metadata"]["name"]: issuer["spec"]["acme"]
        for issuer in _objects("platform-issuers", _wired("platform-issuers", settings), tmp_path)
    }
    assert cluster_issuer(settings.ingress) in issuers
    assert "staging" in issuers["letsencrypt-staging"]["server"]
    assert "staging" not in issuers["letsencrypt-production"]["server"]
    for acme in issuers.values():
        assert acme["email"] == settings.ingress.acme_email
        assert acme["solvers"] == [{"http01": {"ingress": {"ingressClassName": ingress, "serviceType": "ClusterIP"}}}]
    assert len({acme["privateKeySecretRef"]["name"] for acme in issuers.values()}) == len(issuers)


def test_certificates_are_kept_by_an_account_of_their_own_where_they_are(tmp_path: Path) -> None:
    objects = _objects("kept-certificates", _wired("kept-certificates", load_settings("prod")), tmp_path)
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
    real = {certificate_secret(_production(staging).ingress, host) for host in hosts}
    assert real.isdisjoint(certificate_secret(staging.ingress, host) for host in hosts)


def test_the_tailnet_is_let_to_the_two_private_addresses_and_nowhere_else(tmp_path: Path) -> None:
    objects = _objects("tailscale-router", _wired("tailscale-router", TAILNET), tmp_path)
    (connector,) = (item["spec"] for item in objects if item["kind"] == "Connector")
    assert connector["subnetRouter"] == {"advertiseRoutes": ["10.40.18.4/32", "10.40.18.5/32"]}
    assert (connector["replicas"], connector["tags"]) == (2, ["tag:llm-platform"])


def test_coredns_answers_for_the_zone_at_an_internal_address_alone(tmp_path: Path) -> None:
    objects = _objects("private-dns", _wired("private-dns", TAILNET), tmp_path)
    by_kind = {item["kind"]: item for item in objects}
    assert by_kind["Service"]["metadata"]["annotations"] == {
        "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
        "service.beta.kubernetes.io/azure-load-balancer-internal-subnet": "ingress",
        "service.beta.kubernetes.io/azure-load-balancer-ipv4": "10.40.18.5",
    }
    files = by_kind["ConfigMap"]["data"]
    assert "* IN A 10.40.18.4" in files["zone"]
    assert [line for line in files["Corefile"].splitlines() if line.endswith("{")] == ["llm.internal:5353 {"]


def test_the_internal_ca_signs_for_its_zone_alone_and_keeps_its_key(tmp_path: Path) -> None:
    objects = _objects("private-certificates", _private_certificates(PRIVATE), tmp_path)
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
    objects = _objects("private-certificates", _private_certificates(_private("with_lets_encrypt")), tmp_path)
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
    objects = _objects("private-certificates", _private_certificates(_private("with_own_certificate")), tmp_path)
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
    objects = _objects("kept-internal-ca", _wired("kept-internal-ca", PRIVATE), tmp_path)
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


def test_no_pod_is_let_in_while_its_images_cannot_be_judged(tmp_path: Path) -> None:
    objects = _objects("image-policy", _wired("image-policy", load_settings("dev")), tmp_path)
    by_kind = {item["kind"]: item["spec"] for item in objects}
    assert by_kind["ValidatingAdmissionPolicy"]["failurePolicy"] == "Fail"
    assert by_kind["ValidatingAdmissionPolicyBinding"]["validationActions"] == ["Deny"]
    rules = by_kind["ValidatingAdmissionPolicy"]["matchConstraints"]["resourceRules"]
    assert [(rule["operations"], rule["resources"]) for rule in rules] == [
        (["CREATE", "UPDATE"], ["pods", "pods/ephemeralcontainers"])
    ]


def test_vault_is_read_as_the_trusted_account_and_only_for_the_receiving_namespaces(tmp_path: Path) -> None:
    settings = load_settings("prod")
    objects = _objects("platform-secrets", _wired("platform-secrets", settings), tmp_path)
    (store,) = (item for item in objects if item["kind"] == "ClusterSecretStore")
    assert store["spec"]["conditions"] == [{"namespaces": sorted(secret_names(settings))}]
    assert store["spec"]["provider"]["azurekv"] == {
        "authType": "WorkloadIdentity",
        "vaultUrl": "https://vault.vault.azure.net/",
        "tenantId": "11111111-2222-3333-4444-555555555555",
        "serviceAccountRef": {"name": "vault-reader", "namespace": "external-secrets"},
    }


def test_every_delivery_becomes_one_external_secret(tmp_path: Path) -> None:
    settings = load_settings("prod")
    objects = _objects("platform-secrets", _wired("platform-secrets", settings), tmp_path)
    (store,) = (item for item in objects if item["kind"] == "ClusterSecretStore")
    rendered: dict[str, dict[str, dict[str, str]]] = {}
    for item in objects:
        if item["kind"] == "ExternalSecret":
            assert item["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": store["metadata"]["name"]}
            assert item["spec"]["target"]["name"] == item["metadata"]["name"]
            assert item["spec"]["refreshInterval"] == "1h0m0s"
            keys = {entry["secretKey"]: entry["remoteRef"]["key"] for entry in item["spec"]["data"]}
            rendered.setdefault(item["metadata"]["namespace"], {})[item["metadata"]["name"]] = keys
    assert rendered == secret_names(settings)


def test_secrets_that_the_file_names_are_delivered_to_the_chat_by_their_names(tmp_path: Path) -> None:
    """Also where YAML would read a name as something else than a text."""
    own = {"TAVILY_API_KEY": "web-search-key", "SCIM_TOKEN": "0815", "NO": "on"}
    settings = load_settings("prod")
    settings = settings.model_copy(update={"chat": settings.chat.model_copy(update={"secrets": own})})
    objects = _objects("platform-secrets", _wired("platform-secrets", settings), tmp_path)
    (chat,) = (item for item in objects if item["metadata"]["name"] == "chat-secrets")
    delivered = {entry["secretKey"]: entry["remoteRef"]["key"] for entry in chat["spec"]["data"]}
    assert {name: delivered.get(name) for name in own} == own
    # Terraform knows no versions of them.
    versions = json.loads(chat["metadata"]["annotations"]["platform/vault-versions"])
    assert not set(own.values()) & set(versions)


def test_raised_version_is_read_at_once_and_only_where_it_is_used(tmp_path: Path) -> None:
    settings = load_settings("prod")
    raised = VERSIONS | {GeneratedSecret.CHAT_SECRET_KEY.value: 2}

    def annotations(versions: dict[str, int]) -> dict[str, dict[str, str]]:
        objects = _objects("platform-secrets", _wired("platform-secrets", settings, versions), tmp_path)
        return {
            item["metadata"]["namespace"]: item["metadata"]["annotations"]
            for item in objects
            if item["kind"] == "ExternalSecret"
        }

    before, after = annotations(VERSIONS), annotations(raised)
    assert {namespace for namespace in before if before[namespace] != after[namespace]} == {"chat"}


def test_secret_that_the_vault_lacks_is_refused_by_name(tmp_path: Path) -> None:
    versions = {name: version for name, version in VERSIONS.items() if name != "chat-secret-key"}
    wired = _wired("platform-secrets", load_settings("prod"), versions)
    result = _render("platform-secrets", wired, tmp_path)
    assert result.returncode != 0
    assert "the vault has no secret chat-secret-key" in result.stderr


def test_unset_vault_is_refused(tmp_path: Path) -> None:
    wired = _wired("platform-secrets", load_settings("prod"))
    wired["store"]["vaultUrl"] = ""
    assert "store.vaultUrl is empty" in _render("platform-secrets", wired, tmp_path).stderr


def test_password_stands_in_the_text_around_it_and_other_keys_stay_as_they_are(tmp_path: Path) -> None:
    objects = _objects("platform-secrets", _wired("platform-secrets", load_settings("prod")), tmp_path)
    backend = next(item for item in objects if item["metadata"]["name"] == "opik-backend-secrets")
    template = backend["spec"]["target"]["template"]
    assert template["mergePolicy"] == "Merge"
    assert template["data"].pop("REDIS_URL") == 'redis://:{{ index . "REDIS_URL" }}@opik-redis-master:6379/'
    assert list(template["data"]) == ["secret-versions"]
    around = {
        secret for texts in secret_templates(load_settings("prod"), database_host="host").values() for secret in texts
    }
    bare = [item for item in objects if item["kind"] == "ExternalSecret" and item["metadata"]["name"] not in around]
    assert bare
    assert [item["metadata"]["name"] for item in bare if "template" in item["spec"]["target"]] == []


@pytest.mark.parametrize("release", ["valkey", "opik-guardrails"])
def test_own_pods_are_bounded_and_fit_the_strictest_level(release: str, tmp_path: Path) -> None:
    objects = _objects(release, _wired(release, load_settings("dev")), tmp_path)
    (pod,) = (item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment")
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    (container,) = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"cpu", "memory"} <= set(container["resources"]["limits"])


def test_guardrails_get_a_gpu_on_any_node_of_their_pool_and_answer_below_their_path(tmp_path: Path) -> None:
    objects = _objects("opik-guardrails", _wired("opik-guardrails", load_settings("dev")), tmp_path)
    (pod,) = (item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment")
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    tolerated = {f"{item['key']}={item['value']}:{item['effect']}" for item in pod["tolerations"]}
    assert {GPU_TAINT, "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"} == tolerated
    prefix = urlsplit(login.GUARDRAILS).path.rstrip("/")
    assert {variable["name"]: variable["value"] for variable in container["env"]} == {"SCRIPT_NAME": prefix}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"].startswith(f"{prefix}/")


def test_password_of_the_sessions_is_no_argument(tmp_path: Path) -> None:
    objects = _objects("valkey", _wired("valkey", load_settings("dev")), tmp_path)
    (pod,) = (item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment")
    (container,) = pod["containers"]
    assert "--requirepass" not in str(container["args"])
    # Nor does a shell stand before the server and keep SIGTERM from it.
    assert container["args"][0].startswith("exec valkey-server - <<")
    assert container["env"][0]["valueFrom"]["secretKeyRef"] == {"name": "oauth2-proxy-secrets", "key": "redis-password"}


def test_the_chats_redis_forgets_nothing_and_takes_large_events(tmp_path: Path) -> None:
    variant = YAML(typ="safe").load((HELM / "valkey" / "values.chat.yaml").read_text())
    objects = _objects("valkey", {**variant, **chat.redis(*with_images(load_settings("dev")))}, tmp_path)
    (pod,) = (item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment")
    written = subprocess.run(
        ["sh", "-c", pod["containers"][0]["args"][0].replace("exec valkey-server -", "exec cat")],
        env={"PATH": "/usr/bin:/bin", "REDIS_PASSWORD": "p w"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = written.stdout.splitlines()
    assert lines[:3] == ["requirepass p w", "maxmemory 256mb", "maxmemory-policy noeviction"]
    assert "client-output-buffer-limit pubsub 64mb 32mb 60" in lines
    assert lines[-1] == 'save ""'
