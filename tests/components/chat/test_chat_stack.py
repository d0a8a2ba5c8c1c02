"""The chat in the synthesized stack: what waits for what, the share it mounts, the host it answers on."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from constructs.terraform_literal import terraform_literal
from stacks.platform.common.catalogue import HELM
from stacks.platform.common.databases import roots
from stacks.platform.components.databases import jobs as databases
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings, load_settings
from tests.support.stacks.synthesis import Synthesized, synthesize

Environment = Callable[[str], Synthesized]
ENVIRONMENTS = ("dev", "prod")


def _platform(environment: Environment, name: str, kind: str) -> dict[str, dict[str, Any]]:
    return environment(name).resources("platform", kind)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_databases_are_made_before_anything_uses_them(environment: Environment, name: str) -> None:
    releases = _platform(environment, name, "helm_release")
    job = f"kubernetes_job_v1.{databases.JOB}"
    for user in ("open-webui", "litellm"):
        assert job in releases[user]["depends_on"]
    assert "helm_release.litellm" in releases["open-webui"]["depends_on"]  # which registers the chat's key
    (prepared,) = (
        found for id_, found in _platform(environment, name, "kubernetes_job_v1").items() if id_ == databases.JOB
    )
    assert prepared["wait_for_completion"] is True
    assert "kubernetes_job_v1.databases-passwords" in prepared["depends_on"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_job_sees_passwords_as_files_and_names_none(environment: Environment, name: str) -> None:
    job = _platform(environment, name, "kubernetes_job_v1")[databases.JOB]
    pod = job["spec"]["template"]["spec"]
    (store,) = (volume for volume in pod["volume"] if volume["name"] == "store")
    assert store["secret"] == {"secret_name": "databases-secrets", "default_mode": "0440"}
    (container,) = pod["container"]
    assert "env" not in container
    assert container["command"][0] == "env"
    said = " ".join(container["command"])
    assert "PGHOST=${" in said  # handed on by the stack `database`
    assert "PGSSLMODE=verify-full" in said
    assert "PGSSLROOTCERT=/scripts/azure-roots.pem" in said
    assert "PASSWORD" not in said
    assert container["args"] == ["open_webui=vector,uuid-ossp", "litellm=uuid-ossp"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_job_reads_the_administrator_s_password_from_the_vault_and_no_secret_of_the_cluster_holds_it(
    environment: Environment, name: str
) -> None:
    job = _platform(environment, name, "kubernetes_job_v1")[databases.JOB]
    pod = job["spec"]["template"]["spec"]
    (before,) = pod["init_container"]
    (main,) = pod["container"]
    said = before["command"]
    assert "curl" in before["image"]
    assert before["args"] == ["database-administrator-password", "/handed-over/password"]
    assert {mount["name"] for mount in before["volume_mount"]} == {"scripts", "handed-over", "token"}
    assert "ADMINISTRATOR_FILE=/handed-over/password" in main["command"]
    mounts = {mount["name"]: mount.get("read_only") for mount in main["volume_mount"]}
    assert ("token" in mounts, mounts["handed-over"]) == (False, True)
    assert {"name": "handed-over", "empty_dir": {"medium": "Memory"}} in pod["volume"]
    assert "TOKEN_FILE=/entra/token" in said
    for handed_on in ("VAULT=${", "CLIENT_ID=${", "AUTHORITY=https://login.microsoftonline.com/${"):
        assert any(word.startswith(handed_on) for word in said)
    # The only token of the pod is for Entra, and of an account of its own: the Kubernetes API takes no such token.
    assert pod["automount_service_account_token"] is False
    (tokens,) = [volume["projected"] for volume in pod["volume"] if "projected" in volume]
    assert tokens == [
        {
            "default_mode": "0440",
            "sources": [
                {
                    "service_account_token": {
                        "audience": "api://AzureADTokenExchange",
                        "expiration_seconds": 3600,
                        "path": "token",
                    }
                }
            ],
        }
    ]
    account = _platform(environment, name, "kubernetes_service_account_v1")["prepare-databases-account"]
    assert account["metadata"]["name"] == "prepare-databases"
    assert account["automount_service_account_token"] is False
    assert "prepare-databases-account" in pod["service_account_name"]
    delivered = _platform(environment, name, "helm_release")["platform-secrets"]
    assert "database-administrator-password" not in json.dumps(delivered["values"])


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_scripts_reach_their_pods_unchanged(environment: Environment, name: str) -> None:
    maps = _platform(environment, name, "kubernetes_config_map_v1")
    assert maps[databases.SCRIPTS]["data"] == {
        "prepare.sh": terraform_literal((HELM / "databases" / "prepare.sh").read_text("utf-8")),
        "vault_secret.sh": terraform_literal((HELM / "databases" / "vault_secret.sh").read_text("utf-8")),
        "azure-roots.pem": terraform_literal(roots()),
    }
    assert set(maps["open-webui-scripts"]["data"]) == {
        "migrate.py",
        "model_tools.py",
        "write_functions.py",
        "waiting_status.py",
        "drain.py",
        "entra_login.py",
        "azure-roots.pem",
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_uploads_lie_on_the_durable_share_mounted_with_encryption(environment: Environment, name: str) -> None:
    (volume,) = (
        found["spec"][0]
        for found in _platform(environment, name, "kubernetes_persistent_volume_v1").values()
        if found["spec"][0]["claim_ref"]["name"] == "chat-uploads"
    )
    assert volume["access_modes"] == ["ReadWriteMany"]
    assert volume["persistent_volume_reclaim_policy"] == "Retain"
    csi = volume["persistent_volume_source"]["csi"]
    attributes = csi["volume_attributes"]
    assert (attributes["protocol"], attributes["encryptInTransit"]) == ("nfs", "true")
    # Nothing changes modes or walks through all files at a mount.
    assert (attributes["mountPermissions"], attributes["fsGroupChangePolicy"]) == ("0", "OnRootMismatch")
    assert csi["volume_handle"].count("#") == 2
    assert volume["mount_options"] == ["noresvport", "actimeo=30"]  # none of SMB, and no version of NFS


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_pods_migrate_so_nothing_rolls_them_back(environment: Environment, name: str) -> None:
    chat = _platform(environment, name, "helm_release")["open-webui"]
    assert chat["atomic"] is False
    assert chat["wait"] is True
    for needed in ("kubernetes_job_v1.chat-passwords", "helm_release.chat-redis"):
        assert needed in chat["depends_on"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_host_leads_to_the_chat_with_a_certificate(environment: Environment, name: str) -> None:
    ingress = _platform(environment, name, "kubernetes_ingress_v1")["chat-ingress"]
    host = f"chat.{load_settings(name).domain}"
    secret = {"dev": "chat-tls-staging", "prod": "chat-tls"}[name]
    assert ingress["spec"]["tls"] == [{"hosts": [host], "secret_name": secret}]
    (rule,) = ingress["spec"]["rule"]
    assert rule["host"] == host
    (path,) = rule["http"]["path"]
    assert path["backend"]["service"]["name"] == "open-webui"


def test_disabled_chat_leaves_nothing_and_no_database_is_made_for_nobody(tmp_path: Any) -> None:
    values = load_settings("dev").model_dump()
    values["chat"]["enabled"] = values["gateway"]["enabled"] = False
    stacks = synthesize(type(load_settings("dev")).model_validate(values), tmp_path)
    for kind in ("helm_release", "kubernetes_job_v1", "kubernetes_namespace_v1", "kubernetes_ingress_v1"):
        for found in stacks.resources("platform", kind):
            assert not found.startswith(("chat", "open-webui", "databases", "prepare-databases", "litellm"))


def _job_name(settings: Settings) -> str:
    made = enabled_components(settings).databases()
    return databases.job_name(
        ("image",),
        made,
        versions=settings.secrets.versions,
        generation=settings.database.generation,
    )


def test_new_password_server_or_database_makes_a_new_job() -> None:
    values = load_settings("dev").model_dump()

    def named(**changes: dict[str, Any]) -> str:
        changed = {section: values[section] | keys for section, keys in changes.items()}
        return _job_name(type(load_settings("dev")).model_validate(values | changed))

    names = [
        named(),
        named(secrets={"versions": {"database-chat-password": 2}}),
        named(secrets={"versions": {"database-administrator-password": 2}}),
        named(database={"generation": 2}),
        named(gateway={"enabled": False}),
    ]
    assert len(set(names)) == len(names)
    assert named() == names[0]
