"""The security page says what the code does: its tables are those of the stacks and components, without a gap."""

from collections.abc import Callable

import pytest

from scripts.lab.security import outbound, roles
from scripts.lab.security.page import PAGE, tables, written
from stacks.platform.components.enabled import EnabledComponents, enabled_components
from stacks.settings import load_settings
from tests.support.stacks.synthesis import Synthesized

Environment = Callable[[str], Synthesized]


@pytest.fixture
def components() -> list[EnabledComponents]:
    return [enabled_components(load_settings(name)) for name in ("dev", "prod")]


def test_the_committed_tables_are_current(environment: Environment, components: list[EnabledComponents]) -> None:
    page = PAGE.read_text("utf-8")
    made = tables(components, [environment(name).stacks for name in ("dev", "prod")])
    assert written(page, made) == page, "run `llmctl docs security --write`"


def test_every_role_is_on_the_page(environment: Environment) -> None:
    table = roles.roles_table([environment("prod").stacks])
    assert "| External Secrets Operator | Key Vault Secrets User | `database.vault` |" in table
    assert "| nodes (kubelet) | AcrPull | `acr.registry` | pulls images |" in table


def test_a_new_role_needs_a_sentence_of_its_own() -> None:
    role = {
        "principal_id": "${azurerm_user_assigned_identity.kubelet.principal_id}",
        "role_definition_name": "Owner",
        "scope": "${azurerm_resource_group.resource-group.id}",
    }
    with pytest.raises(KeyError, match="Owner"):
        roles.roles_table([{"aks": {"resource": {"azurerm_role_assignment": {"more": role}}}}])


def test_traffic_out_of_the_cluster_needs_a_sentence_of_its_own(
    components: list[EnabledComponents], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(outbound.CONTENT, ("serving", "allow-vllm-download"))
    with pytest.raises(KeyError, match="allow-vllm-download"):
        outbound.outbound_table(components)


def test_no_sentence_is_left_of_a_rule_that_is_gone(components: list[EnabledComponents]) -> None:
    known = {(rules.name, rule.name) for found in components for rules in found.namespaces() for rule in rules.traffic}
    optional = {("monitoring", "alerts-by-mail"), ("cloud", "cloud-to-internet")}
    assert set(outbound.CONTENT) - known - optional == set()


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places for the table roles"):
        written("# Security\n", {"roles": "| who |"})
