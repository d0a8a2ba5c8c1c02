"""Generated secrets exist in the vault and nowhere else, in the form that their users take."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from stacks.database import DatabaseStack
from stacks.settings.secrets.names import SECRETS, Alphabet, GeneratedSecret
from tests.support.stacks.durable import Block, of_type, settings, synthesized

ADMINISTRATOR = GeneratedSecret.DATABASE_ADMINISTRATOR_PASSWORD


@pytest.fixture(scope="module")
def stack() -> Block:
    return synthesized(DatabaseStack, settings())


def _strings(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, path)
    elif isinstance(value, str):
        yield path, value


def _secrets(parsed: Block) -> dict[str, Block]:
    return {secret["name"]: secret for secret in of_type(parsed, "azurerm_key_vault_secret")}


def _generator(parsed: Block, secret: Block) -> Block:
    """Return the ephemeral password that `secret` is written from."""
    (name,) = re.findall(r"\$\{ephemeral\.random_password\.([\w-]+)\.result\}$", secret["value_wo"])
    generator: Block = parsed["ephemeral"]["random_password"][name]
    return generator


def test_every_secret_of_the_list_is_in_the_vault(stack: Block) -> None:
    assert _secrets(stack).keys() == {secret.value for secret in GeneratedSecret} == {name.value for name in SECRETS}


def test_secret_values_appear_only_where_terraform_forgets_them(stack: Block) -> None:
    uses = [path for path, text in _strings(stack["resource"]) if "ephemeral." in text]
    assert uses
    assert [path for path in uses if not path[-1].endswith("_wo")] == []
    assert "ephemeral." not in json.dumps([stack["output"], stack["provider"], stack.get("data")])


def test_no_password_is_generated_into_the_state(stack: Block) -> None:
    assert not [kind for kind in stack["resource"] if kind.startswith("random_")]
    assert not [secret for secret in of_type(stack, "azurerm_key_vault_secret") if "value" in secret]
    assert "administrator_password" not in of_type(stack, "azurerm_postgresql_flexible_server")[0]


def test_secrets_do_not_share_a_value(stack: Block) -> None:
    values = [secret["value_wo"] for secret in of_type(stack, "azurerm_key_vault_secret")]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("name", list(GeneratedSecret))
def test_secret_has_the_form_that_its_user_takes(stack: Block, name: GeneratedSecret) -> None:
    spec = SECRETS[name]
    secret = _secrets(stack)[name.value]
    generator = _generator(stack, secret)
    assert secret["value_wo"].startswith(spec.prefix + "${")
    assert generator["length"] == spec.length
    assert generator.get("override_special", "") == ("-_" if spec.alphabet is Alphabet.BASE64_URL else "")
    assert generator["special"] is (spec.alphabet is Alphabet.BASE64_URL)
    assert min(generator["min_lower"], generator["min_upper"], generator["min_numeric"]) >= 1


@pytest.mark.parametrize("name", list(GeneratedSecret))
def test_secret_is_too_long_to_guess(name: GeneratedSecret) -> None:
    assert SECRETS[name].length >= (20 if name is GeneratedSecret.OPIK_MINIO_USER else 32)


def test_encryption_key_has_the_length_that_aes_takes() -> None:
    assert SECRETS[GeneratedSecret.OPIK_ENCRYPTION_KEY].length in (16, 24, 32)


def test_raising_a_version_writes_that_secret_anew_and_no_other() -> None:
    before = _secrets(synthesized(DatabaseStack, settings()))
    varied = settings(secrets={"versions": {"vllm-api-key": 3}})
    after = _secrets(synthesized(DatabaseStack, varied))
    assert {name for name in after if after[name] != before[name]} == {"vllm-api-key"}
    assert after["vllm-api-key"]["value_wo_version"] == 3


def test_versions_are_handed_on_by_name() -> None:
    varied = settings(secrets={"versions": {"vllm-api-key": 3}})
    versions = synthesized(DatabaseStack, varied)["output"]["secret_versions"]["value"]
    assert versions == {name.value: 1 for name in GeneratedSecret} | {"vllm-api-key": 3}


def test_secrets_are_written_after_their_writer_got_the_right(stack: Block) -> None:
    officers = {f"azurerm_role_assignment.{name}" for name in stack["resource"]["azurerm_role_assignment"]}
    assert officers
    for secret in of_type(stack, "azurerm_key_vault_secret"):
        assert officers <= set(secret["depends_on"])


def test_database_takes_the_administrators_password_from_the_vault() -> None:
    parsed = synthesized(DatabaseStack, settings(secrets={"versions": {ADMINISTRATOR.value: 4}}))
    (server,) = of_type(parsed, "azurerm_postgresql_flexible_server")
    ((name, current),) = parsed["ephemeral"]["azurerm_key_vault_secret"].items()
    (secret,) = (
        key
        for key, body in parsed["resource"]["azurerm_key_vault_secret"].items()
        if body["name"] == ADMINISTRATOR.value
    )
    assert server["administrator_password_wo"] == f"${{ephemeral.azurerm_key_vault_secret.{name}.value}}"
    assert server["administrator_password_wo_version"] == 4
    assert current["key_vault_id"] == f"${{azurerm_key_vault_secret.{secret}.key_vault_id}}"


def test_no_plan_reads_the_password() -> None:
    """Whoever plans has no right to the vault's secrets; and after an interrupted first run there is none to read."""
    parsed = synthesized(DatabaseStack, settings())
    (current,) = parsed["ephemeral"]["azurerm_key_vault_secret"].values()
    # Terraform opens an ephemeral block once its arguments are known; timestamp() is known only while it applies.
    assert re.fullmatch(
        r"\$\{basename\(azurerm_key_vault_secret\.database-administrator-password_\w+\.versionless_id\)\}"
        r"\$\{substr\(timestamp\(\), 0, 0\)\}",
        current["name"],
    )
