"""Which generated secrets can be rotated by a version alone, as a table that the code does not write."""

from pathlib import Path

import pytest

from stacks.settings import SettingsError, parse_settings
from stacks.settings.secrets.names import SECRETS

MINIMAL = (Path(__file__).parents[1] / "environments" / "valid.minimal.yaml").read_text()

NEVER = {
    # Sessions of the chat, credentials of the gateway and of Opik are encrypted with these: unreadable for ever.
    "chat-oauth-encryption-key",
    "gateway-salt-key",
    "opik-encryption-key",
    # Kept on a disk or in a database where a new version does not reach: nobody could log in.
    "chat-admin-password",
    "opik-mysql-password",
    "opik-mysql-root-password",
}
ROTATABLE = {
    "chat-redis-password",
    "chat-secret-key",
    "database-administrator-password",
    "database-chat-password",
    "database-gateway-password",
    "gateway-chat-key",
    "gateway-master-key",
    "gateway-opik-key",
    "gateway-redis-password",
    "grafana-admin-password",
    "grafana-secret-key",
    "login-cookie-secret",
    "login-redis-password",
    "start-cookie-secret",
    "opik-clickhouse-operator-password",
    "opik-clickhouse-password",
    "opik-minio-password",
    "opik-minio-user",
    "opik-redis-password",
    "vllm-api-key",
}


def test_every_secret_is_in_one_of_the_two_tables() -> None:
    assert {secret.value for secret, spec in SECRETS.items() if spec.kept_by} == NEVER
    assert {secret.value for secret, spec in SECRETS.items() if not spec.kept_by} == ROTATABLE


@pytest.mark.parametrize("secret", sorted(NEVER))
def test_rotation_of_a_secret_that_something_keeps_is_refused(secret: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(f"{MINIMAL}\nsecrets:\n  versions: {{{secret}: 2}}\n", "dev.yaml")
    (fault,) = refused.value.errors
    assert fault.key == f"secrets.versions.{secret}"
    assert fault.message.startswith("cannot be raised: ")


@pytest.mark.parametrize("secret", sorted(ROTATABLE))
def test_every_other_secret_is_rotated_by_its_version(secret: str) -> None:
    settings = parse_settings(f"{MINIMAL}\nsecrets:\n  versions: {{{secret}: 2}}\n", "dev.yaml")
    assert settings.secrets.versions == {secret: 2}
