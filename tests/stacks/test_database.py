"""PostgreSQL is private, encrypted and restorable; the vault admits whom the file names and forgets nothing."""

import pytest

from stacks.database import DatabaseStack
from stacks.settings import Settings
from tests.support.stacks.durable import Block, of_type, only, settings, synthesized

OFFICE, AGENT = "203.0.113.0/24", "198.51.100.7/32"
GROUP = "11111111-1111-1111-1111-111111111111"
OLD_SERVER = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/llm-dev-database"
    "/providers/Microsoft.DBforPostgreSQL/flexibleServers/llm-dev-pg-46cy3"
)


def _stack(varied: Settings | None = None) -> Block:
    return synthesized(DatabaseStack, varied or settings())


def _server(varied: Settings | None = None) -> Block:
    return only(_stack(varied), "azurerm_postgresql_flexible_server")


def _vault(varied: Settings | None = None) -> Block:
    return only(_stack(varied), "azurerm_key_vault")


def test_server_is_not_on_the_internet() -> None:
    stack = _stack()
    assert only(stack, "azurerm_postgresql_flexible_server")["public_network_access_enabled"] is False
    assert not of_type(stack, "azurerm_postgresql_flexible_server_firewall_rule")


def test_server_asks_for_tls_and_allows_the_extensions_of_the_chat() -> None:
    parameters = {
        block["name"]: block["value"] for block in of_type(_stack(), "azurerm_postgresql_flexible_server_configuration")
    }
    assert parameters["require_secure_transport"] == "on"
    assert parameters["ssl_min_protocol_version"] == "TLSv1.2"
    assert set(parameters["azure.extensions"].split(",")) == {"VECTOR", "UUID-OSSP"}


def test_size_and_backups_are_those_of_the_file() -> None:
    server = _server(
        settings(
            database={
                "version": "17",
                "sku": "GP_Standard_D2ds_v5",
                "storage_gib": 128,
                "backup_retention_days": 35,
                "geo_redundant_backup": True,
            }
        )
    )
    assert (server["version"], server["sku_name"], server["storage_mb"]) == ("17", "GP_Standard_D2ds_v5", 128 * 1024)
    assert (server["backup_retention_days"], server["geo_redundant_backup_enabled"]) == (35, True)


def test_zone_is_stated_so_that_azures_choice_is_no_difference() -> None:
    assert _server()["zone"] == "1"
    assert "zone" not in _server(settings(azure={"zones": ()}))


@pytest.mark.parametrize(
    ("kind", "mode"), [("same-zone", {"mode": "SameZone"}), ("zone-redundant", {"mode": "ZoneRedundant"})]
)
def test_failover_is_no_difference(kind: str, mode: dict[str, str]) -> None:
    server = _server(settings(database={"high_availability": kind, "standby_zone": 3}))
    standby = {"standby_availability_zone": "3"} if kind == "zone-redundant" else {}
    assert server["high_availability"] == mode | standby
    assert {"zone", "high_availability[0].standby_availability_zone"} <= set(server["lifecycle"]["ignore_changes"])


def test_single_server_is_compared_with_its_zone() -> None:
    server = _server(settings(database={"high_availability": "off"}))
    assert "high_availability" not in server
    assert "zone" not in server["lifecycle"]["ignore_changes"]


@pytest.mark.parametrize("grows", [True, False])
def test_storage_follows_the_file_unless_azure_enlarges_it(grows: bool) -> None:
    server = _server(settings(database={"storage_auto_grow": grows}))
    assert server["auto_grow_enabled"] is grows
    assert ("storage_mb" in server["lifecycle"]["ignore_changes"]) is grows


def test_restore_makes_a_new_server_in_the_place_of_the_old_one() -> None:
    restored = settings(
        database={
            "generation": 2,
            "restore_from_server_id": OLD_SERVER,
            "restore_time_utc": "2026-11-01T12:00:00Z",
        }
    )
    before, after = (_stack(varied)["resource"]["azurerm_postgresql_flexible_server"] for varied in (None, restored))
    assert before.keys() == after.keys(), "a new address would take the protection from the old server"
    (server,) = after.values()
    assert (server["name"], server["create_mode"]) == ("llm-dev-pg2-46cy3", "PointInTimeRestore")
    assert (server["source_server_id"], server["point_in_time_restore_time_in_utc"]) == (
        OLD_SERVER,
        "2026-11-01T12:00:00Z",
    )


def test_removing_the_restore_from_the_file_afterwards_changes_nothing() -> None:
    ignored = _server(settings(database={"generation": 2}))["lifecycle"]["ignore_changes"]
    assert {"create_mode", "source_server_id", "point_in_time_restore_time_in_utc"} <= set(ignored)


def test_databases_are_left_to_those_who_reach_the_server() -> None:
    """A restored server brings its databases along, and Terraform would refuse to create them."""
    assert not of_type(_stack(), "azurerm_postgresql_flexible_server_database")


def test_entra_administrators_log_in_beside_the_password() -> None:
    varied = settings(database={"entra_administrators": [{"name": "Platform team", "object_id": GROUP}]})
    stack = _stack(varied)
    administrator = only(stack, "azurerm_postgresql_flexible_server_active_directory_administrator")
    assert (administrator["principal_name"], administrator["object_id"]) == ("Platform team", GROUP)
    authentication = only(stack, "azurerm_postgresql_flexible_server")["authentication"]
    assert authentication["active_directory_auth_enabled"] is True
    assert authentication["password_auth_enabled"] is True


def test_without_entra_administrators_nobody_logs_in_by_entra() -> None:
    assert _server()["authentication"] == {"active_directory_auth_enabled": False, "password_auth_enabled": True}


def test_server_is_maintained_in_the_clusters_window() -> None:
    server = _server(
        settings(cluster={"maintenance": {"day": "Monday", "start_time": "00:30", "utc_offset": "+02:00"}})
    )
    assert server["maintenance_window"] == {"day_of_week": 0, "start_hour": 22, "start_minute": 30}


def test_deleted_vault_and_secrets_can_be_recovered() -> None:
    vault = _vault(settings(vault={"soft_delete_days": 30}))
    assert vault["purge_protection_enabled"] is True
    assert vault["soft_delete_retention_days"] == 30


def test_vault_is_opened_by_role_alone() -> None:
    vault = _vault()
    assert vault["rbac_authorization_enabled"] is True
    assert "access_policy" not in vault


@pytest.mark.parametrize(
    ("public", "operators", "extra", "action", "allowed"),
    [
        (True, [], [], "Allow", []),
        (True, [OFFICE], [], "Deny", [OFFICE]),
        (True, [OFFICE], [OFFICE, AGENT], "Deny", [AGENT, OFFICE]),
        (False, [OFFICE], [AGENT], "Deny", []),
    ],
)
def test_vault_answers_whom_the_file_names(
    public: bool, operators: list[str], extra: list[str], action: str, allowed: list[str]
) -> None:
    varied = settings(
        operators={"ip_ranges": operators}, vault={"public_access": public, "extra_allowed_ranges": extra}
    )
    vault = _vault(varied)
    assert vault["public_network_access_enabled"] is public
    acls = vault["network_acls"]
    assert (acls["default_action"], acls["ip_rules"], acls["bypass"]) == (action, allowed, "AzureServices")


def test_operators_of_the_file_write_secrets() -> None:
    role = only(_stack(settings(operators={"object_ids": [GROUP]})), "azurerm_role_assignment")
    assert (role["principal_id"], role["role_definition_name"]) == (GROUP, "Key Vault Secrets Officer")


@pytest.mark.parametrize("operators", [[], [GROUP]])
def test_roles_are_given_while_the_vault_is_still_being_made(operators: list[str]) -> None:
    """Roles take minutes to reach Azure's servers, as long as a vault takes to be made."""
    role = only(_stack(settings(operators={"object_ids": operators})), "azurerm_role_assignment")
    assert role["scope"] == "${azurerm_resource_group.resource-group.id}"


def test_without_operators_the_first_deployer_writes_secrets_and_stays_the_one() -> None:
    role = only(_stack(), "azurerm_role_assignment")
    assert role["principal_id"].startswith("${data.azurerm_client_config.")
    assert role["lifecycle"]["ignore_changes"] == ["name", "principal_id"]
