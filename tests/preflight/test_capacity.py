"""Machines, quota, disks, PostgreSQL, Kubernetes: what the region does not have is said by its key, with a way out."""

import copy
from typing import Any

import pytest

from tests.support.preflight.azure_api import POSTGRESQL, SCOPE, AzureApi, account, disks, machine, usage
from tests.support.preflight.surroundings import T4, result, sound, surroundings

Azure = tuple[AzureApi, str]
D4, T4_SIZE = "Standard_D4ds_v5", "Standard_NC4as_T4_v3"


def sentences(name: str, azure: Azure, environment: Any = None, **more: Any) -> list[str]:
    found = result(name, surroundings(azure[1], environment, **more))
    assert not found.not_checked, found.not_checked
    return [f"{finding.outcome}: {finding.what} -> {finding.fix}" for finding in found.findings]


def offered(azure: Azure, *own: Any) -> None:
    there = {"Standard_D4ds_v5": machine(D4, "standardDDSv5Family", 4),
             T4_SIZE: machine(T4_SIZE, "standardNCASv3_T4Family", 4)}  # fmt: skip
    there |= {sku["name"]: sku for sku in own}
    azure[0].given("Microsoft.Compute/skus$", {"value": [*there.values(), *disks("Premium_ZRS")]})


def test_a_gpu_pool_is_told_the_zones_to_write(azure: Azure) -> None:
    offered(azure, machine(T4_SIZE, "standardNCASv3_T4Family", 4, zones=("3", "1")))
    assert sentences("machines", azure) == [
        (
            "failed: cluster.gpu_pools.t4.zones: Standard_NC4as_T4_v3 is available in westeurope in zones [1, 3], not"
            " in"
            " [2] -> write cluster.gpu_pools.t4.zones: [1, 3]"
        )
    ]
    assert sentences("machines", azure, sound(cluster={"gpu_pools": {"t4": {**T4, "zones": [3]}}})) == []


def test_a_zone_that_the_subscription_may_not_use_counts_as_missing(azure: Azure) -> None:
    sku = machine(T4_SIZE, "standardNCASv3_T4Family", 4)
    sku["restrictions"] = [
        {"type": "Zone", "reasonCode": "NotAvailableForSubscription", "restrictionInfo": {"zones": ["1"]}}
    ]
    offered(azure, sku)
    (line,) = sentences("machines", azure)
    assert line.endswith("write cluster.gpu_pools.t4.zones: [2, 3]")


def test_the_clusters_own_pools_need_another_size(azure: Azure) -> None:
    offered(azure, machine(D4, "standardDDSv5Family", 4, zones=("1", "2")))
    lines = sentences("machines", azure)
    assert len(lines) == 2
    assert lines[0] == (
        "failed: cluster.system_pool.vm_size: Standard_D4ds_v5 is available in westeurope in zones [1, 2], not in [3]"
        " -> choose another size in cluster.system_pool.vm_size, or write azure.zones: [1, 2]"
    )


def test_an_environment_without_zones_needs_none(azure: Azure) -> None:
    offered(azure, machine(D4, "standardDDSv5Family", 4, zones=()))
    flat = sound(azure={"region": "westeurope", "zones": []}, disks={"redundancy": "lrs"})
    assert sentences("machines", azure, flat) == []


def test_a_size_that_the_subscription_does_not_get(azure: Azure) -> None:
    sku = machine(T4_SIZE, "standardNCASv3_T4Family", 4)
    sku["restrictions"] = [{"type": "Location", "reasonCode": "NotAvailableForSubscription", "restrictionInfo": {}}]
    offered(azure, sku)
    (line,) = sentences("machines", azure)
    assert line.startswith(
        "failed: cluster.gpu_pools.t4.vm_size: Standard_NC4as_T4_v3 is restricted for this subscription"
        " (NotAvailableForSubscription) in westeurope -> choose another size or region (az vm list-skus --location"
    )
    azure[0].given("Microsoft.Compute/skus$", {"value": [machine(D4, "standardDDSv5Family", 4)]})
    (line,) = sentences("machines", azure)
    assert "Standard_NC4as_T4_v3 is not offered to this subscription in westeurope" in line


@pytest.mark.parametrize(
    ("abilities", "environment", "sentence"),
    [
        (
            {"LowPriorityCapable": "False"}, {},
            ("cluster.gpu_pools.t4.priority: Standard_NC4as_T4_v3 cannot be a spot machine -> write"
            " cluster.gpu_pools.t4.priority: regular"),
        ),
        (
            {"EncryptionAtHostSupported": "False"}, {"host_encryption": True},
            ("cluster.gpu_pools.t4.vm_size: Standard_NC4as_T4_v3 cannot encrypt at the host, which"
            " cluster.host_encryption asks for -> choose another size, or write cluster.host_encryption: false"),
        ),
        (
            {"CpuArchitectureType": "Arm64"}, {},
            "cluster.gpu_pools.t4.vm_size: Standard_NC4as_T4_v3 has Arm processors -> choose an x64 size",
        ),
        (
            {"CachedDiskBytes": str(100 * 1024**3), "MaxResourceVolumeMB": "102400"},
            {"gpu_pools": {"t4": {**T4, "ephemeral_os_disk": True, "os_disk_gib": 128}}},
            ("cluster.gpu_pools.t4.ephemeral_os_disk: Standard_NC4as_T4_v3 has 100 GiB of its own, os_disk_gib is 128"
            " -> write cluster.gpu_pools.t4.ephemeral_os_disk: false, or os_disk_gib: 100 at most"),
        ),
        (
            {"CachedDiskBytes": "", "MaxResourceVolumeMB": "", "EphemeralOSDiskSupported": "False"},
            {"gpu_pools": {"t4": {**T4, "ephemeral_os_disk": True}}},
            ("cluster.gpu_pools.t4.ephemeral_os_disk: Standard_NC4as_T4_v3 has no disk of its own, os_disk_gib is 128"
            " -> write cluster.gpu_pools.t4.ephemeral_os_disk: false"),
        ),
    ],
)  # fmt: skip
def test_a_size_that_cannot_do_what_the_file_asks(
    abilities: dict[str, str], environment: dict[str, Any], sentence: str, azure: Azure
) -> None:
    offered(azure, machine(T4_SIZE, "standardNCASv3_T4Family", 4, zones=("1", "2", "3"), **abilities))
    assert sentences("machines", azure, sound(cluster=environment)) == [f"failed: {sentence}"]


# --- quota -----------------------------------------------------------------------------------------------------------


def quota(azure: Azure, **limits: tuple[int, int]) -> None:
    given = {"cores": (100, 0), "standardDDSv5Family": (100, 0), "standardNCASv3_T4Family": (0, 0),
             "lowPriorityCores": (100, 0)} | limits  # fmt: skip
    azure[0].given("/usages$", {"value": [usage(name, *numbers) for name, numbers in given.items()]})


def test_spot_machines_take_the_quota_of_all_spot_machines(azure: Azure) -> None:
    quota(azure, lowPriorityCores=(3, 0))
    (line,) = sentences("quota", azure)
    assert line == (
        "failed: quota lowPriorityCores in westeurope: 3 of 3 vCPU are free, the pools take 12 at their largest"
        " (cluster.gpu_pools.t4 3 x Standard_NC4as_T4_v3 of 4), 4 at least -> az quota update --resource-name"
        f" lowPriorityCores --scope {SCOPE}/providers/Microsoft.Compute/locations/westeurope --limit-object value=12"
        " limit-object-type=LimitValue --resource-type lowPriority; or lower max_nodes"
    )


def test_room_for_one_node_is_a_warning(azure: Azure) -> None:
    quota(azure, lowPriorityCores=(20, 14))
    (line,) = sentences("quota", azure)
    assert line.startswith("warning: quota lowPriorityCores in westeurope: 6 of 20 vCPU are free, the pools take 12")
    assert "value=26 " in line


def test_regular_machines_take_that_of_their_family_and_of_the_region(azure: Azure) -> None:
    regular = sound(cluster={"gpu_pools": {"t4": {**T4, "priority": "regular", "max_nodes": 4}}})
    quota(azure, standardNCASv3_T4Family=(8, 0), cores=(40, 0))
    lines = sentences("quota", azure, regular)
    # 3 system and 4 workload nodes, and 4 GPU nodes, of 4 vCPU each.
    assert [line.partition(" at their")[0] for line in lines] == [
        "warning: quota cores in westeurope: 40 of 40 vCPU are free, the pools take 44",
        "warning: quota standardNCASv3_T4Family in westeurope: 8 of 8 vCPU are free, the pools take 16",
    ]
    assert all("--resource-type dedicated" in line for line in lines)


def test_a_quota_that_is_taken_by_others_is_not_free(azure: Azure) -> None:
    quota(azure, standardDDSv5Family=(100, 99))
    (line,) = sentences("quota", azure)
    assert line.startswith("failed: quota standardDDSv5Family in westeurope: 1 of 100 vCPU are free")


def test_what_the_own_cluster_takes_counts_as_free(azure: Azure) -> None:
    quota(azure, standardDDSv5Family=(28, 28), lowPriorityCores=(12, 12))
    azure[0].given(
        "/agentPools$",
        {
            "value": [
                {"name": "system", "properties": {"count": 3, "vmSize": D4, "scaleSetPriority": None}},
                {"name": "workload", "properties": {"count": 4, "vmSize": D4}},
                {"name": "t4", "properties": {"count": 3, "vmSize": T4_SIZE, "scaleSetPriority": "Spot"}},
            ]
        },
    )
    assert sentences("quota", azure) == []


def test_a_quota_that_azure_does_not_name_is_not_known(azure: Azure) -> None:
    azure[0].given("/usages$", {"value": [usage("cores", 100), usage("lowPriorityCores", 100)]})
    found = result("quota", surroundings(azure[1]))
    assert found.not_checked == "Azure names no quota for standardDDSv5Family"


# --- storage, PostgreSQL, Kubernetes ---------------------------------------------------------------------------------


def test_redundant_disks_and_shares_have_to_be_there(azure: Azure) -> None:
    azure[0].given("Microsoft.Compute/skus$", {"value": disks("Premium_LRS")})
    azure[0].given("Microsoft.Storage/skus$", {"value": [account("StorageV2", "Standard_ZRS")]})
    lines = sentences("storage", azure)
    assert [line.partition(" ->")[0] for line in lines] == [
        "failed: disks.redundancy: westeurope has no disks of the kind Premium_ZRS",
        "failed: disks.redundancy: westeurope has no premium file shares of the kind Premium_ZRS",
    ]
    assert all(line.endswith("or write disks.redundancy: lrs and disks.lrs_zone") for line in lines)


def postgresql(azure: Azure, **changed: Any) -> None:
    azure[0].given("/capabilities$", {"value": [copy.deepcopy(POSTGRESQL) | changed]})


def test_a_subscription_that_gets_no_postgresql_there(azure: Azure) -> None:
    postgresql(azure, restricted="Enabled", reason="Provisioning is restricted in this region.")
    (line,) = sentences("PostgreSQL", azure)
    assert line.startswith(
        "failed: this subscription may not make PostgreSQL servers in westeurope (Provisioning is restricted in this"
        " region.) -> ask for it: https://aka.ms/postgres-request-quota-increase"
    )


@pytest.mark.parametrize(
    ("database", "sentence"),
    [
        (
            {"sku": "GP_Standard_D96ds_v5"},
            "database.sku: GP_Standard_D96ds_v5 is not offered in westeurope -> write one of GP_Standard_D2ds_v5",
        ),
        (
            {"sku": "MO_Standard_E2ds_v5"},
            "database.sku: MO_Standard_E2ds_v5 is not offered in westeurope -> write one of another tier",
        ),
        (
            {"sku": "GP_Standard_D2ds_v5", "zone": 3},
            "database.zone: GP_Standard_D2ds_v5 is not offered in zone 3 of westeurope -> write one of [1, 2]",
        ),
        (
            {"sku": "GP_Standard_D2ds_v5", "high_availability": "zone-redundant"},
            (
                "database.high_availability: GP_Standard_D2ds_v5 has no zone-redundant standby in westeurope -> write"
                " one of off, same-zone"
            ),
        ),
        (
            {"version": "18"},
            "database.version: PostgreSQL 18 is not offered in westeurope -> write one of 16, 17",
        ),
    ],
)
def test_a_server_that_the_region_does_not_offer(database: dict[str, Any], sentence: str, azure: Azure) -> None:
    assert sentences("PostgreSQL", azure, sound(database=database)) == [f"failed: {sentence}"]


def test_backups_in_the_paired_region_have_to_be_offered(azure: Azure) -> None:
    postgresql(azure, geoBackupSupported="Disabled")
    (line,) = sentences("PostgreSQL", azure, sound(database={"geo_redundant_backup": True}))
    assert line.startswith("failed: database.geo_redundant_backup: westeurope does not offer it ->")


def test_an_empty_answer_about_postgresql_is_not_known(azure: Azure) -> None:
    azure[0].given("/capabilities$", {"value": []})
    found = result("PostgreSQL", surroundings(azure[1]))
    assert found.not_checked == "Azure says nothing about PostgreSQL in westeurope"


@pytest.mark.parametrize(
    ("cluster", "sentence"),
    [
        (
            {"kubernetes_version": "1.34", "allow_untested_kubernetes_version": True},
            "cluster.kubernetes_version: AKS does not offer 1.34 in westeurope -> write one of 1.35, 1.36",
        ),
        (
            {"kubernetes_version": "1.36.9"},
            "cluster.kubernetes_version: AKS does not offer 1.36.9 in westeurope -> write one of 1.36.3",
        ),
        (
            {"long_term_support": True, "tier": "Premium"},
            (
                "cluster.kubernetes_version: AKS offers 1.36 in westeurope without the support plan AKSLongTermSupport"
                " ->"
                " write one of 1.35, or change cluster.long_term_support"
            ),
        ),
    ],
)
def test_a_kubernetes_version_that_aks_does_not_offer(cluster: dict[str, Any], sentence: str, azure: Azure) -> None:
    assert sentences("Kubernetes version", azure, sound(cluster=cluster)) == [f"failed: {sentence}"]


def test_a_preview_is_a_warning(azure: Azure) -> None:
    plans = {"supportPlan": ["KubernetesOfficial"]}
    azure[0].given(
        "/kubernetesVersions$",
        {"values": [{"version": "1.35", "capabilities": plans},
                    {"version": "1.36", "isPreview": True, "capabilities": plans}]},
    )  # fmt: skip
    assert sentences("Kubernetes version", azure) == [
        "warning: cluster.kubernetes_version: 1.36 is a preview in westeurope -> write one of 1.35"
    ]
