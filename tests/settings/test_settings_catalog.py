"""What the rules know of Azure's sizes."""

import pytest

from stacks.settings.azure_catalog import regions
from stacks.settings.azure_catalog.sizes import (
    GPU_SIZES,
    POSTGRESQL_SIZES,
    RETIRED_SIZES,
    parse_vm_size,
    postgresql_user_connections,
    retired_in_favour_of,
    sold_as,
)


@pytest.mark.parametrize(
    ("sku", "connections"),
    [
        ("B_Standard_B1ms", 35),
        ("B_Standard_B2s", 414),
        ("B_Standard_B2ms", 844),
        ("GP_Standard_D2s_v3", 844),
        ("GP_Standard_D4ds_v5", 1703),
        ("GP_Standard_D8ads_v5", 3422),
        ("GP_Standard_D96ds_v5", 4985),
        ("MO_Standard_E2ds_v4", 1703),
        ("MO_Standard_E8ds_v5", 4985),
        ("B_Standard_B3s", None),
        ("GP_Standard_D3ds_v5", None),
        ("GP_Standard_E2ds_v5", None),
        ("MO_Standard_D2ds_v5", None),
    ],
)
def test_connections_follow_the_published_table(sku: str, connections: int | None) -> None:
    assert postgresql_user_connections(sku) == connections


def test_every_suggested_postgresql_size_is_known() -> None:
    assert all(postgresql_user_connections(sku) for sku in POSTGRESQL_SIZES)


@pytest.mark.parametrize(
    ("name", "vcpus", "arm", "local_disk"),
    [
        ("Standard_D4ds_v5", 4, False, 150),
        ("Standard_D8ads_v5", 8, False, 300),
        ("Standard_D4s_v5", 4, False, 0),
        ("Standard_D4s_v3", 4, False, 100),
        ("Standard_D4pds_v5", 4, True, 150),
        ("Standard_D4ds_v6", 4, False, None),
        ("Standard_E4-2ds_v5", 2, False, 75),
        ("Standard_F8s_v2", 8, False, None),
        ("Standard_B2s", 2, False, None),
    ],
)
def test_names_of_vm_sizes_are_read_by_azures_convention(
    name: str, vcpus: int, arm: bool, local_disk: float | None
) -> None:
    parsed = parse_vm_size(name)
    assert parsed is not None
    assert (parsed.vcpus, parsed.arm, parsed.local_disk_gib) == (vcpus, arm, local_disk)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Standard_D3ds_v5", "Standard_D2ds_v5"),
        ("Standard_E33s_v5", "Standard_E32s_v5"),
        ("Standard_D4ds_v5", None),
        ("Standard_D3_v2", None),
        ("Standard_E20ds_v5", None),
        ("Standard_F72s_v2", None),
        ("Standard_M416ms_v2", None),
    ],
)
def test_a_number_of_processors_that_no_size_has_is_noticed(name: str, near: str | None) -> None:
    assert sold_as(name) == near


def test_other_names_are_left_alone() -> None:
    assert parse_vm_size("Standard_NC4as_T4_v3") is None


def test_no_gpu_size_is_sold_and_retired_at_once_and_successors_are_sold() -> None:
    assert not [name for name in GPU_SIZES if retired_in_favour_of(name)]
    assert {*RETIRED_SIZES.values()} <= GPU_SIZES.keys()
    assert retired_in_favour_of("Standard_NC6s_v3") == "Standard_NC24ads_A100_v4"
    assert retired_in_favour_of("Standard_NC12s_v3") == "Standard_NC24ads_A100_v4"


def test_a_region_is_of_one_kind() -> None:
    kinds = [regions.WITH_ZONES_AND_PAIR, regions.WITH_ZONES_WITHOUT_PAIR, regions.WITHOUT_ZONES]
    assert sum(map(len, kinds)) == len(regions.KNOWN)
