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


def _uploads(stack: Block) -> Block:
    account: Block = stack["resource"]["azurerm_storage_account"]["chat-uploads-account"]
    return account


def _manifests(stack: Block) -> Block:
    (account,) = (a for a in of_type(stack, "azurerm_storage_account") if a["account_kind"] == "StorageV2")
    return account


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
    assigned = stack["resource"]["azurerm_role_assignment"]
    roles = {f"azurerm_role_assignment.{name}" for name in assigned if name.startswith("backup_")}
    assert len(roles) == 3
    for instance in of_type(stack, "azurerm_data_protection_backup_instance_disk"):
        assert roles <= set(instance["depends_on"])
    granted = {role["role_definition_name"] for name, role in assigned.items() if name.startswith("backup_")}
    assert granted == {"Disk Backup Reader", "Disk Snapshot Contributor", "Disk Restore Operator"}


def test_backup_vault_gets_no_right_over_the_keys_of_the_storage_account() -> None:
    """The role Disk Snapshot Contributor contains listing the keys of storage accounts."""
    stack = _stack()
    account = _uploads(stack)
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
    account = _uploads(_stack())
    assert account["public_network_access_enabled"] is False
    assert account["network_rules"]["default_action"] == "Deny"
    assert account["shared_access_key_enabled"] is False
    assert account["local_user_enabled"] is False
    share = only(_stack(), "azurerm_storage_share")
    assert (share["enabled_protocol"], share["quota"]) == ("NFS", 100)
    assert "storage_account_name" not in share, "shares named by account need the storage account's own API"


@pytest.mark.parametrize("encrypted", [True, False])
def test_unencrypted_mounts_are_refused_unless_allowed(encrypted: bool) -> None:
    account = _uploads(_stack(settings(disks={"chat_uploads_encrypted_mount": encrypted})))
    assert account["https_traffic_only_enabled"] is encrypted


def test_sizes_are_handed_on_for_the_check_that_nothing_shrinks() -> None:
    sizes = _stack()["output"]["sizes_gib"]["value"]
    assert sizes == {disk.value: settings().disks.size_gib(disk) for disk in DataDisk} | {"chat-uploads": 100}


def test_manifests_of_backup_sets_keep_every_version_and_have_no_key() -> None:
    account = _manifests(_stack(settings(disks={"backup_retention_days": 21})))
    assert account["blob_properties"] == {
        "versioning_enabled": True,
        "delete_retention_policy": {"days": 21},
        "container_delete_retention_policy": {"days": 21},
    }
    assert account["shared_access_key_enabled"] is False
    assert account["allow_nested_items_to_be_public"] is False
    container = only(_stack(), "azurerm_storage_container")
    assert (container["name"], container["container_access_type"]) == ("backup-sets", "private")
    assert container["lifecycle"]["prevent_destroy"] is True


@pytest.mark.parametrize(
    ("ranges", "action", "rules"),
    [
        ([], "Allow", []),
        (["203.0.113.0/24"], "Deny", ["203.0.113.0/24"]),
        (["198.51.100.7/32", "10.0.0.0/8"], "Deny", ["198.51.100.7"]),
        (["198.51.100.6/31"], "Deny", ["198.51.100.6", "198.51.100.7"]),
        (["10.0.0.0/8"], "Deny", []),
    ],
    ids=["none", "range", "single-and-private", "pair", "private-alone"],
)
def test_manifests_are_reached_from_the_operators_ranges(ranges: list[str], action: str, rules: list[str]) -> None:
    """Storage accounts refuse lengths of 31 and 32, and private addresses."""
    network = _manifests(_stack(settings(operators={"ip_ranges": ranges})))["network_rules"]
    assert (network["default_action"], network["ip_rules"]) == (action, rules)
    # azurerm reads nothing back of rules that are Azure's own default, and would add them in every plan.
    default = {"default_action": "Allow", "bypass": ["AzureServices"], "ip_rules": []}
    assert {key: network[key] for key in default} != default


def test_manifests_that_are_closed_have_no_way_in_but_a_private_endpoint() -> None:
    closed = settings(backups={"public_access": False}, operators={"ip_ranges": ["203.0.113.0/24"]})
    account = _manifests(_stack(closed))
    assert account["public_network_access_enabled"] is False
    assert (account["network_rules"]["default_action"], account["network_rules"]["ip_rules"]) == ("Deny", [])
    assert _manifests(_stack())["public_network_access_enabled"] is True


def test_whoever_operates_may_write_manifests() -> None:
    def writers(stack: Block) -> list[Block]:
        return [
            role
            for role in of_type(stack, "azurerm_role_assignment")
            if role["role_definition_name"] == "Storage Blob Data Contributor"
        ]

    group = "0d3f6a1e-3c57-4f0a-9d6b-1f2a7c9e4b10"
    assert [role["principal_id"] for role in writers(_stack(settings(operators={"object_ids": [group]})))] == [group]
    (deployer,) = writers(_stack())
    assert deployer["principal_id"] == "${data.azurerm_client_config.backup-sets_deployer_C17839BC.object_id}"


def test_snapshots_of_backup_sets_lie_apart_from_those_that_azure_backup_removes() -> None:
    stack = _stack()
    groups = {name: group["name"] for name, group in stack["resource"]["azurerm_resource_group"].items()}
    assert groups["backup-sets-group"] == "llm-dev-disks-backup-sets"
    instances = of_type(stack, "azurerm_data_protection_backup_instance_disk")
    (taken,) = {instance["snapshot_resource_group_name"] for instance in instances}
    assert taken == "${azurerm_resource_group.snapshots-group.name}"
