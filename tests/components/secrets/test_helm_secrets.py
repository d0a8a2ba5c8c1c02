"""The chart of external secrets, rendered by Helm."""

import json
from pathlib import Path

import pytest

from stacks.settings import load_settings
from stacks.settings.secrets.names import GeneratedSecret
from tests.support.kubernetes.own_charts import FOUND, VERSIONS, objects_of, render, values_of
from tests.support.stacks.components import (
    secret_names,
    secret_templates,
)

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(FOUND is None, reason="helm is not on PATH; the CI set brings it"),
]


def test_vault_is_read_as_the_trusted_account_and_only_for_the_receiving_namespaces(tmp_path: Path) -> None:
    settings = load_settings("prod")
    objects = objects_of("platform-secrets", values_of("platform-secrets", settings), tmp_path)
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
    objects = objects_of("platform-secrets", values_of("platform-secrets", settings), tmp_path)
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
    objects = objects_of("platform-secrets", values_of("platform-secrets", settings), tmp_path)
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
        objects = objects_of("platform-secrets", values_of("platform-secrets", settings, versions), tmp_path)
        return {
            item["metadata"]["namespace"]: item["metadata"]["annotations"]
            for item in objects
            if item["kind"] == "ExternalSecret"
        }

    before, after = annotations(VERSIONS), annotations(raised)
    assert {namespace for namespace in before if before[namespace] != after[namespace]} == {"chat"}


def test_secret_that_the_vault_lacks_is_refused_by_name(tmp_path: Path) -> None:
    versions = {name: version for name, version in VERSIONS.items() if name != "chat-secret-key"}
    wired = values_of("platform-secrets", load_settings("prod"), versions)
    result = render("platform-secrets", wired, tmp_path)
    assert result.returncode != 0
    assert "the vault has no secret chat-secret-key" in result.stderr


def test_unset_vault_is_refused(tmp_path: Path) -> None:
    wired = values_of("platform-secrets", load_settings("prod"))
    wired["store"]["vaultUrl"] = ""
    assert "store.vaultUrl is empty" in render("platform-secrets", wired, tmp_path).stderr


def test_password_stands_in_the_text_around_it_and_other_keys_stay_as_they_are(tmp_path: Path) -> None:
    objects = objects_of("platform-secrets", values_of("platform-secrets", load_settings("prod")), tmp_path)
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
