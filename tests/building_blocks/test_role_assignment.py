"""A role assignment is found again after a lost answer, and one that exists keeps the name it has."""

import json
from pathlib import Path

STACKS = sorted(Path(__file__).parents[1].glob("snapshots/*/*.tf.json"))


def test_every_role_assignment_has_a_name_that_two_runs_agree_on() -> None:
    found = {}
    for path in STACKS:
        content = json.loads(path.read_text("utf-8"))
        for name, role in content.get("resource", {}).get("azurerm_role_assignment", {}).items():
            found[f"{path.parent.name}/{path.name} {name}"] = role
    assert len(found) >= 28
    for where, role in found.items():
        scope, title, principal = role["scope"], role["role_definition_name"], role["principal_id"]
        parts = (text.removeprefix("${").removesuffix("}") for text in (scope, title, principal))
        assert role["name"].startswith('${uuidv5("url", "'), where
        assert all(part in role["name"] for part in parts), where
        assert "name" in role["lifecycle"]["ignore_changes"], where


def test_a_registry_is_not_replaced_when_azure_calls_it_zone_redundant() -> None:
    registries = [
        registry
        for path in STACKS
        for registry in json.loads(path.read_text("utf-8"))
        .get("resource", {})
        .get("azurerm_container_registry", {})
        .values()
    ]
    assert len(registries) == 2
    for registry in registries:
        assert registry["lifecycle"] == {"ignore_changes": ["zone_redundancy_enabled"], "prevent_destroy": True}
