"""No state, and no argument that Terraform keeps, holds a secret."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.stacks.resources import ENVIRONMENTS, Environment, of_kind, resources_of, the_one

SECRET_ARGUMENT = re.compile(r"(^|_)(password|secret|token|access_key|private_key|client_secret|value)$")
"""Arguments whose plain form would put a secret into the state; the `_wo` forms do not match."""

pytestmark = pytest.mark.parametrize("name", ENVIRONMENTS)


def test_no_argument_holds_a_secret(environment: Environment, name: str) -> None:
    found = [
        f"{address}: {path}"
        for kind, address, body in resources_of(environment(name))
        for path, value in _arguments(body)
        if SECRET_ARGUMENT.search(path.rpartition(".")[2])
        and isinstance(value, str)
        and (kind, path.rpartition(".")[2]) not in {("azurerm_postgresql_flexible_server_configuration", "value")}
        and not _is_plain_word(kind, path)
    ]
    assert found == []


def test_no_random_value_is_kept_in_a_state(environment: Environment, name: str) -> None:
    assert [address for kind, address, _ in resources_of(environment(name)) if kind.startswith("random_")] == []


def test_every_generated_secret_is_write_only_and_versioned(environment: Environment, name: str) -> None:
    secrets = of_kind(environment(name), "azurerm_key_vault_secret")
    assert secrets
    for secret in secrets.values():
        assert "value" not in secret
        assert secret["value_wo_version"] >= 1
        if not secret["name"].startswith("kept-"):
            assert "ephemeral.random_password." in secret["value_wo"]


def test_terraform_writes_nothing_but_emptiness_into_secrets_that_are_kept(environment: Environment, name: str) -> None:
    secrets = of_kind(environment(name), "azurerm_key_vault_secret").values()
    kept = {secret["name"]: secret for secret in secrets if secret["name"].startswith("kept-")}
    assert set(kept) == {
        "kept-acme-account",
        "kept-certificate-api",
        "kept-certificate-chat",
        "kept-certificate-grafana",
        "kept-certificate-opik",
        "kept-certificate-start",
    }
    for secret in kept.values():
        assert (secret["value_wo"], secret["value_wo_version"]) == ("{}", 1)
        # External Secrets writes to no secret without it, and replaces all tags.
        assert secret["tags"]["managed-by"] == "external-secrets"
        assert secret["lifecycle"] == {
            "prevent_destroy": True,
            "ignore_changes": ["value_wo_version", "tags", "content_type", "expiration_date"],
        }


def test_administrator_password_is_write_only(environment: Environment, name: str) -> None:
    server = the_one(environment(name), "azurerm_postgresql_flexible_server")
    assert "administrator_password" not in server
    assert server["administrator_password_wo"].startswith("${ephemeral.azurerm_key_vault_secret.")


def _arguments(body: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in body.items():
        if key in {"//", "tags", "lifecycle"}:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _arguments(item, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", item


def _is_plain_word(kind: str, path: str) -> bool:
    """Return whether an argument merely has a secret-sounding name: an application role's value, a header's value."""
    return (kind, path) in {
        ("azuread_application", "app_role.value"),
        ("azuread_application", "api.oauth2_permission_scope.value"),
    }
