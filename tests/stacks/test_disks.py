"""The data disks fit every zone or one, are backed up daily, and the file share has no key to lose."""

import pytest

from stacks.disks import DisksStack
from stacks.settings import Settings
from stacks.settings.data import DataDisk
from tests.support.stacks.durable import Block, of_type, only, settings, synthesized

ENCRYPTION_SET = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/keys"
    "/providers/Microsoft.Compute/diskEncryptionSets/disks"
)


def _stack(varied: Settings | None = None) -> Block:
    return synthesized(DisksStack, varied or settings())


def _disks(varied: Settings | None = None) -> list[Block]:
    return of_type(_stack(varied), "azurerm_managed_disk")


def test_every_store_has_a_disk_of_its_size() -> None:
    disks = {disk["name"]: disk["disk_size_gb"] for disk in _disks(settings(disks={"clickhouse_gib": 512}))}
    assert disks == {
        "llm-dev-mysql": 32,
        "llm-dev-clickhouse": 512,
        "llm-dev-zookeeper": 16,
        "llm-dev-minio": 64,
        "llm-dev-redis": 16,
    }


@pytest.mark.parametrize("tier", ["Premium", "StandardSSD"])
def test_zone_redundant_disks_are_bound_to_no_zone(tier: str) -> None:
    disks = _disks(settings(disks={"tier": tier}))
    assert {disk["storage_account_type"] for disk in disks} == {f"{tier}_ZRS"}
    assert not [disk for disk in disks if "zone" in disk]


def test_locally_redundant_disks_are_bound_to_their_zone() -> None:
    disks = _disks(settings(disks={"redundancy": "lrs", "lrs_zone": 2}))
    assert {(disk["storage_account_type"], disk["zone"]) for disk in disks} == {("Premium_LRS", "2")}


def test_disk_contents_cannot_be_exported() -> None:
    assert {(disk["network_access_policy"], disk["public_network_access_enabled"]) for disk in _disks()} == {
        ("DenyAll", False)
    }


def test_own_key_encrypts_the_disks() -> None:
    disks = _disks(settings(cluster={"disk_encryption_set_id": ENCRYPTION_SET}))
    assert {disk["disk_encryption_set_id"] for disk in disks} == {ENCRYPTION_SET}


def test_disk_restored_from_a_backup_takes_the_place_of_the_old_one() -> None:
    varied = settings(disks={"generations": {"mysql": 2}})
    before = _stack()["resource"]["azurerm_managed_disk"]
    after = _stack(varied)["resource"]["azurerm_managed_disk"]
    assert before.keys() == after.keys()
    assert {after[name]["name"] for name in after if after[name] != before[name]} == {"llm-dev-mysql-2"}
    ignored = {option for disk in after.values() for option in disk["lifecycle"]["ignore_changes"]}
    assert ignored == {"create_option", "source_resource_id"}


def test_every_disk_is_backed_up_daily_and_kept_as_long_as_the_file_says() -> None:
    stack = _stack(settings(disks={"backup_time": "22:15", "backup_retention_days": 21}))
    policy = only(stack, "azurerm_data_protection_backup_policy_disk")
    assert policy["backup_repeating_time_intervals"] == ["R/2024-01-01T22:15:00+00:00/P1D"]
    assert policy["default_retention_duration"] == "P21D"
    instances = of_type(stack, "azurerm_data_protection_backup_instance_disk")
    assert {instance["disk_id"] for instance in instances} == {
        f"${{azurerm_managed_disk.{name}.id}}" for name in stack["resource"]["azurerm_managed_disk"]
    }


@pytest.mark.parametrize("change", [{"backup_retention_days": 15}, {"backup_time": "04:00"}])
def test_changed_backup_policy_exists_before_the_old_one_goes(change: dict[str, object]) -> None:
    before = only(_stack(), "azurerm_data_protection_backup_policy_disk")
    after = only(_stack(settings(disks=change)), "azurerm_data_protection_backup_policy_disk")
    assert before["name"] != after["name"]
    assert after["lifecycle"]["create_before_destroy"] is True


def test_backups_outlive_mistakes() -> None:
    vault = only(_stack(), "azurerm_data_protection_backup_vault")
    assert (vault["soft_delete"], vault["immutability"]) == ("On", "Unlocked")


def test_backup_vault_gets_its_roles_before_it_protects_a_disk() -> None:
    stack = _stack()
    roles = {f"azurerm_role_assignment.{name}" for name in stack["resource"]["azurerm_role_assignment"]}
    for instance in of_type(stack, "azurerm_data_protection_backup_instance_disk"):
        assert roles <= set(instance["depends_on"])
    granted = {role["role_definition_name"] for role in of_type(stack, "azurerm_role_assignment")}
    assert granted == {"Disk Backup Reader", "Disk Snapshot Contributor", "Disk Restore Operator"}


def test_backup_vault_gets_no_right_over_the_keys_of_the_storage_account() -> None:
    """The role Disk Snapshot Contributor contains listing the keys of storage accounts."""
    stack = _stack()
    account = only(stack, "azurerm_storage_account")
    (snapshots,) = (
        role
        for role in of_type(stack, "azurerm_role_assignment")
        if role["role_definition_name"] == "Disk Snapshot Contributor"
    )
    assert snapshots["scope"].replace(".id}", ".name}") != account["resource_group_name"]
    assert (
        snapshots["scope"].replace(".id}", ".name}")
        == (of_type(stack, "azurerm_data_protection_backup_instance_disk")[0]["snapshot_resource_group_name"])
    )


def test_file_share_is_reached_from_the_network_alone_and_has_no_usable_key() -> None:
    account = only(_stack(), "azurerm_storage_account")
    assert account["public_network_access_enabled"] is False
    assert account["network_rules"]["default_action"] == "Deny"
    assert account["shared_access_key_enabled"] is False
    assert account["local_user_enabled"] is False
    share = only(_stack(), "azurerm_storage_share")
    assert (share["enabled_protocol"], share["quota"]) == ("NFS", 100)
    assert "storage_account_name" not in share, "shares named by account need the storage account's own API"


@pytest.mark.parametrize("encrypted", [True, False])
def test_unencrypted_mounts_are_refused_unless_allowed(encrypted: bool) -> None:
    account = only(_stack(settings(disks={"chat_uploads_encrypted_mount": encrypted})), "azurerm_storage_account")
    assert account["https_traffic_only_enabled"] is encrypted


def test_sizes_are_handed_on_for_the_check_that_nothing_shrinks() -> None:
    sizes = _stack()["output"]["sizes_gib"]["value"]
    assert sizes == {disk.value: settings().disks.size_gib(disk) for disk in DataDisk} | {"chat-uploads": 100}
