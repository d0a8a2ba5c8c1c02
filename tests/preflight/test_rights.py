"""The rights that a deployment needs are one table: complete, and printed on the page as it is."""

import json
import re
from pathlib import Path

import pytest

from scripts.preflight import rights

ROOT = Path(__file__).parents[2]
STACKS = sorted(ROOT.glob("tests/snapshots/*/*.tf.json"))


def _used(provider: str) -> set[str]:
    found = set()
    for path in STACKS:
        content = json.loads(path.read_text("utf-8"))
        found |= {name for name in content.get("resource", {}) if name.startswith(f"{provider}_")}
        found |= {f"data.{name}" for name in content.get("data", {}) if name.startswith(f"{provider}_")}
    return found


def test_every_object_of_the_directory_has_its_rights() -> None:
    assert _used("azuread") == {entry.type for entry in rights.DIRECTORY}


def test_every_resource_of_azure_has_its_action() -> None:
    assert _used("azurerm") - {"data.azurerm_client_config"} <= set(rights.AZURE)


def test_a_pipeline_needs_exactly_these_permissions_of_graph() -> None:
    assert rights.program_rights() == [
        "AppRoleAssignment.ReadWrite.All",
        "Application.Read.All",
        "Application.ReadWrite.OwnedBy",
        "DelegatedPermissionGrant.ReadWrite.All",
        "Group.Create",
    ]


def test_contributor_brings_no_write_of_authorization_and_no_secret() -> None:
    """Contributor's notActions: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles."""
    for action, role in rights.AZURE.values():
        beyond = action.startswith("Microsoft.Authorization/") or action.endswith("/setSecret/action")
        assert (role != "Contributor") == beyond, action


@pytest.mark.parametrize(("mark", "table"), [("directory", rights.directory_table()), ("azure", rights.azure_table())])
def test_the_page_prints_the_table(mark: str, table: str) -> None:
    page = (ROOT / "docs" / "reference" / "permissions.md").read_text("utf-8")
    assert f"<!-- scripts/preflight/rights.py: {mark} -->\n{table}<!-- end -->" in page


def test_pages_give_whoever_deploys_no_narrower_role_than_the_table_asks_for() -> None:
    line = re.compile(r"az role assignment create .*--role (\"[^\"]+\"|\w+) --scope /subscriptions/SUBSCRIPTION")
    given = {
        page.name: roles
        for page in (ROOT / "docs").rglob("*.md")
        if (roles := [role.strip('"') for role in line.findall(page.read_text("utf-8"))])
    }
    # They are given by commands; whoever writes them down again has to write both.
    assert all(roles == ["Contributor", "User Access Administrator"] for roles in given.values()), given
