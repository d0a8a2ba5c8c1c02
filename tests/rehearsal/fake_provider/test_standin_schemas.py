"""Schemas come out of the pinned bindings complete and right."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from scripts.lab.rehearsal import bindings, schemas
from scripts.lab.rehearsal.fake_provider import served
from scripts.lab.rehearsal.fake_provider.messages import CLASSES
from scripts.lab.rehearsal.schema_check import types_in_use
from scripts.lab.rehearsal.schema_compare import differences
from scripts.lab.rehearsal.schemas import ProviderSchema, SchemaError
from tests.support.rehearsal.fake_providers import derived
from tests.support.stacks.synthesis import VARIANTS, Synthesized


@pytest.mark.parametrize("provider", bindings.PROVIDERS)
def test_every_type_of_a_binding_has_a_schema(provider: str) -> None:
    folders = {
        path.name
        for path in (bindings.archive(provider).parents[1]).iterdir()
        if (path / "__init__.py").is_file() and path.name not in {"_jsii", "__pycache__"}
    }
    found = derived(provider).blocks
    assert len([key for key in found if key[0] != "ephemeral"]) == len(folders)


def test_blocks_know_whether_they_are_required_and_how_often() -> None:
    blocks = derived("azurerm").blocks["resource", "azurerm_kubernetes_cluster"]["block_types"]
    pool = blocks["default_node_pool"]
    assert (pool["nesting_mode"], pool["min_items"], pool["max_items"]) == ("list", 1, 1)
    assert blocks["timeouts"]["nesting_mode"] == "single"
    assert pool["block"]["attributes"]["vm_size"]["type"] == "string"


def test_objects_are_types_with_the_sdk_and_nested_attributes_with_the_framework() -> None:
    rules = derived("azurerm").blocks["resource", "azurerm_network_security_group"]["attributes"]["security_rule"]
    assert rules["type"][0] == "set"
    assert rules["type"][1][1]["priority"] == "number"
    values = derived("helm").blocks["resource", "helm_release"]["attributes"]["set"]
    assert values["nested_type"]["nesting_mode"] == "list"


def test_types_spread_over_several_modules_are_read_whole() -> None:
    job = derived("kubernetes").blocks["resource", "kubernetes_cron_job_v1"]["block_types"]["spec"]["block"]
    template = job["block_types"]["job_template"]["block"]["block_types"]["spec"]["block"]
    assert "template" in template["block_types"]


def test_arguments_that_end_in_wo_are_write_only_with_everything_in_them() -> None:
    release = derived("helm").blocks["resource", "helm_release"]["attributes"]["set_wo"]
    assert release["write_only"]
    assert all(member["write_only"] for member in release["nested_type"]["attributes"].values())
    assert derived("azurerm").blocks["resource", "azurerm_key_vault_secret"]["attributes"]["value_wo"]["write_only"]


def test_schemas_are_derived_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = schemas.derived("random", tmp_path)
    monkeypatch.setattr(bindings, "read_all", lambda _provider: pytest.fail("read the binding again"))
    assert schemas.derived("random", tmp_path) == first


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    first = schemas.derived("random", tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_text("{")
    assert schemas.derived("random", tmp_path) == first


def test_an_unknown_type_is_named_in_the_error() -> None:
    with pytest.raises(SchemaError, match="azurerm has no resource type 'azurerm_nothing'"):
        schemas.Schemas(schemas.derived).block("azurerm", "resource", "azurerm_nothing")


def test_a_served_schema_says_what_was_derived(tmp_path: Path) -> None:
    (tmp_path / "x.schemas").write_bytes(served.pack(derived("helm").blocks))
    kept = served.Served(tmp_path / "x.schemas")
    assert kept.block("resource", "helm_release") == derived("helm").blocks["resource", "helm_release"]
    whole = CLASSES["GetProviderSchema.Response"].FromString(kept.response())
    assert [entry.key for entry in whole.resource_schemas] == ["helm_release"]
    attributes = {one.name: one for one in whole.resource_schemas[0].value.block.attributes}
    assert attributes["name"].required
    assert json.loads(attributes["values"].type) == ["list", "string"]
    assert attributes["set_wo"].write_only
    trimmed = CLASSES["GetProviderSchema.Response"].FromString(kept.response(frozenset()))
    assert not trimmed.resource_schemas
    assert trimmed.provider.block.attributes


def test_each_kind_of_difference_is_found() -> None:
    key = ("resource", "azurerm_kubernetes_cluster")
    real = ProviderSchema("azurerm", "1", {key: derived("azurerm").blocks[key]})
    changed = deepcopy(real.blocks[key])
    changed["attributes"]["name"] = {"type": "number", "optional": True}
    del changed["attributes"]["location"]
    del changed["attributes"]["kube_config_raw"]["sensitive"]
    changed["block_types"]["identity"]["nesting_mode"] = "set"
    changed["block_types"]["default_node_pool"]["max_items"] = 2
    del changed["block_types"]["linux_profile"]
    found = "\n".join(differences(ProviderSchema("azurerm", "1", {key: changed}), real, [key]))
    for expected in (
        ".name: required is False, really True",
        ".name: type is number, really string",
        ".location: attributes has it only in the real schema",
        ".kube_config_raw: sensitive is False, really True",
        ".identity: nesting is set, really list",
        ".default_node_pool: max_items is 2, really 1",
        ".linux_profile: block_types has it only in the real schema",
    ):
        assert expected in found
    assert differences(real, real, [key]) == []
    assert differences(real, ProviderSchema("azurerm", "1", {}), [key]) == [
        "resource azurerm_kubernetes_cluster: not in the real schema of azurerm"
    ]


@pytest.mark.skipif(not schemas.real_folder(), reason=f"{schemas.REAL_SCHEMAS} names no folder of real schemas")
@pytest.mark.parametrize("variant", VARIANTS.values())
def test_derived_schemas_equal_the_real_ones_for_every_type_in_use(
    variant: str, environment: Callable[[str], Synthesized]
) -> None:
    folder = schemas.real_folder()
    assert folder
    used = types_in_use(environment(variant).stacks.values())
    for provider in bindings.PROVIDERS:
        types = {key for key in used if schemas.provider_of(key[1]) == provider}
        assert differences(derived(provider), schemas.real(provider, folder), types) == []


@pytest.mark.skipif(not schemas.real_folder(), reason=f"{schemas.REAL_SCHEMAS} names no folder of real schemas")
@pytest.mark.parametrize("provider", bindings.PROVIDERS)
def test_no_type_at_all_differs_in_names_or_flags(provider: str) -> None:
    folder = schemas.real_folder()
    assert folder
    ours = derived(provider)
    found = [
        line
        for line in differences(ours, schemas.real(provider, folder), ours.blocks)
        # Known only for types in use, or for a data source no platform has.
        if " sensitive is " not in line
        and "_items is " not in line
        and not line.startswith("data azurerm_site_recovery_replication_recovery_plan")
    ]
    assert found == []
