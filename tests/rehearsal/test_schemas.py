"""The file of schemas holds what the code uses, as the pinned providers describe it."""

from __future__ import annotations

import ast
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.lab.rehearsal.fake_provider.azure.ids import TEMPLATES
from scripts.lab.rehearsal.fake_provider.azure.values import COMPUTED_BLOCKS, DRIFT, RECOMPUTED, VALUES
from scripts.lab.rehearsal.fake_provider.force_new import FORCE_NEW, FORCE_NEW_IF
from scripts.lab.rehearsal.fake_provider.protocol.messages import CLASSES
from scripts.lab.rehearsal.fake_provider.protocol.served import Served
from scripts.lab.rehearsal.fake_provider.rules.azure import RULES
from scripts.lab.rehearsal.schema_check import types_in_use
from scripts.lab.rehearsal.schema_cut import (
    FOLDER_VARIABLE,
    cut,
    from_folder,
    renewed,
    required_versions,
    types_in_code,
)
from scripts.lab.rehearsal.schemas import FILE, PROVIDERS, SchemaError, pinned
from tests.support.stacks.synthesis import VARIANTS, Synthesized

VERSIONS = {"azurerm": "4.55.0", "azuread": "3.7.0", "kubernetes": "2.38.0", "helm": "3.1.1", "random": "3.7.2"}
RENEW = "renew the file: python -m scripts.lab.rehearsal.schema_cut"


def test_every_type_in_the_code_stands_in_the_file_and_no_other() -> None:
    held = {key for provider in PROVIDERS for key in pinned().types(provider) if key[0] in {"resource", "data"}}
    assert held == types_in_code(), RENEW


@pytest.mark.parametrize("variant", VARIANTS.values())
def test_every_synthesized_type_stands_in_the_file(variant: str, environment: Callable[[str], Synthesized]) -> None:
    held = {key for provider in PROVIDERS for key in pinned().types(provider)}
    assert types_in_use(environment(variant).stacks.values()) - held == set(), RENEW


def test_the_versions_are_those_that_the_stacks_require(environment: Callable[[str], Synthesized]) -> None:
    required: dict[str, str] = {}
    for stack in environment("dev").stacks.values():
        required |= {name: entry["version"] for name, entry in stack["terraform"]["required_providers"].items()}
    assert {name: pinned().version(name) for name in PROVIDERS} == required == VERSIONS, RENEW


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get(FOLDER_VARIABLE), reason=f"{FOLDER_VARIABLE} names no folder of real schemas")
def test_the_file_is_the_cut_of_the_real_schemas() -> None:
    versions = required_versions()
    made = renewed(from_folder(Path(os.environ[FOLDER_VARIABLE]), versions), versions)
    # Compressed bytes may differ between versions of zlib.
    assert gzip.decompress(FILE.read_bytes()) == gzip.decompress(made), RENEW


def test_the_file_tells_no_time_and_stays_small() -> None:
    content = FILE.read_bytes()
    assert content[4:8] == bytes(4)
    assert len(content) < 25_000


SCHEMA: dict[str, Any] = {
    "provider": {"version": 0, "block": {"description_kind": "plain"}},
    "resource_schemas": {
        "helm_release": {
            "version": 1,
            "block": {
                "description": "Installs a chart.",
                "attributes": {
                    "description": {"type": "string", "description": "Text.", "description_kind": "plain"},
                    "name": {"type": "string", "required": True},
                },
            },
        },
        "helm_other": {"version": 0, "block": {}},
    },
}


def test_a_cut_keeps_the_named_types_and_loses_descriptions_only() -> None:
    assert cut(SCHEMA, "helm", "3.1.1", {("resource", "helm_release"), ("data", "azurerm_client_config")}) == {
        "version": "3.1.1",
        "provider": {"helm": {"version": 0, "block": {}}},
        "ephemeral": {},
        "resource": {
            "helm_release": {
                "version": 1,
                "block": {
                    "attributes": {"description": {"type": "string"}, "name": {"type": "string", "required": True}}
                },
            }
        },
    }


def test_a_type_that_the_provider_lacks_cannot_be_cut() -> None:
    with pytest.raises(KeyError, match="helm_gone"):
        cut(SCHEMA, "helm", "3.1.1", {("resource", "helm_gone")})


def test_types_are_read_from_the_imports_of_bindings(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    imports = (
        "from cdktf_cdktf_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig",
        "from cdktf_cdktf_provider_azurerm.data_protection_backup_vault import DataProtectionBackupVault",
        "from cdktf_cdktf_provider_azurerm.provider import AzurermProvider",
        "from cdktf import App",
        "from . import other",
    )
    (tmp_path / "stacks" / "disks.py").write_text(ast.unparse(ast.parse("\n".join(imports))))
    assert types_in_code(tmp_path) == {
        ("data", "azurerm_client_config"),
        ("resource", "azurerm_data_protection_backup_vault"),
    }


def test_an_unknown_type_or_provider_is_named_in_the_error() -> None:
    with pytest.raises(SchemaError, match="provider azurerm has no resource type 'azurerm_nothing'"):
        pinned().block("resource", "azurerm_nothing")
    with pytest.raises(SchemaError, match="provider 'aws' is not one of"):
        pinned().block("resource", "aws_instance")


@pytest.mark.parametrize(
    "types",
    [
        TEMPLATES,
        VALUES,
        COMPUTED_BLOCKS,
        RECOMPUTED,
        FORCE_NEW,
        {of for of, _path in FORCE_NEW_IF},
        {of for of, _path in DRIFT},
        {rule.type for rule in RULES},
    ],
    ids=["ids", "values", "blocks", "recomputed", "force-new", "force-new-if", "drift", "rules"],
)
def test_what_the_fake_providers_know_is_about_types_in_use(types: set[str]) -> None:
    held = {name for provider in PROVIDERS for _kind, name in pinned().types(provider)}
    assert set(types) - held == set(), "no stack uses it any more: remove it"


def test_terraform_is_answered_with_what_the_file_says() -> None:
    served = Served(pinned(), "helm")
    whole = CLASSES["GetProviderSchema.Response"].FromString(served.response())
    (release,) = whole.resource_schemas
    assert (release.key, release.value.version) == ("helm_release", 2)
    attributes = {one.name: one for one in release.value.block.attributes}
    assert attributes["name"].required
    assert json.loads(attributes["values"].type) == ["list", "string"]
    assert attributes["set_wo"].write_only
    assert all(member.write_only for member in attributes["set_wo"].nested_type.attributes)
    assert attributes["repository_password"].sensitive
    trimmed = CLASSES["GetProviderSchema.Response"].FromString(served.response(frozenset()))
    assert not trimmed.resource_schemas
    assert trimmed.provider.block.attributes


def test_blocks_are_served_with_their_bounds() -> None:
    served = Served(pinned(), "azurerm")
    whole = CLASSES["GetProviderSchema.Response"].FromString(
        served.response({("resource", "azurerm_application_gateway"), ("ephemeral", "azurerm_key_vault_secret")})
    )
    (gateway,) = whole.resource_schemas
    blocks = {one.type_name: one for one in gateway.value.block.block_types}
    network = blocks["gateway_ip_configuration"]
    assert (network.nesting, network.min_items, network.max_items) == (2, 1, 2)
    assert blocks["timeouts"].nesting == 1
    assert [one.key for one in whole.ephemeral_resource_schemas] == ["azurerm_key_vault_secret"]
