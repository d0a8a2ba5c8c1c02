"""The storage account of the `azurerm` backend, as open as the environment file says and no further."""

from typing import Any

import pytest

from scripts.cli.state.storage import bootstrap_commands
from stacks.settings.azure import AzurermStateSettings, StateBackend, StateSettings
from tests.support.stacks.synthesis import with_state

HUB = "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/hub"
SUBNET = f"{HUB}/providers/Microsoft.Network/virtualNetworks/hub/subnets/state"


def commands(**access: Any) -> list[str]:
    azurerm = AzurermStateSettings(resource_group="tfstate", storage_account="tfstate0001", **access)
    kept = StateSettings(backend=StateBackend.AZURERM, azurerm=azurerm)
    return [" ".join(command) for command in bootstrap_commands(with_state("dev", kept), "me")]


@pytest.mark.parametrize(
    ("access", "account", "further"),
    [
        ({}, "--public-network-access Enabled --default-action Allow", []),
        (
            {"ip_ranges": ["203.0.113.0/24", "198.51.100.7/32"]},
            "--public-network-access Enabled --default-action Deny",
            ["network-rule add", "--ip-address 203.0.113.0/24", "--ip-address 198.51.100.7"],
        ),
        (
            {"private_endpoint_subnet_id": SUBNET},
            "--public-network-access Disabled --default-action Deny",
            ["private-endpoint create", f"--group-id blob --subnet {SUBNET}"],
        ),
    ],
    ids=["internet", "ranges", "private"],
)
def test_the_account_is_as_open_as_the_file_says(access: dict[str, Any], account: str, further: list[str]) -> None:
    found = commands(**access)
    assert account in next(command for command in found if "storage account create" in command)
    for part in further:
        assert any(part in command for command in found), part
    opened = [command for command in found if "network-rule" in command or "private-endpoint" in command]
    assert bool(opened) is bool(access)
    assert not [command for command in opened if "/32" in command]


def test_the_lock_comes_last_so_that_all_before_can_be_made() -> None:
    assert commands(private_endpoint_subnet_id=SUBNET)[-1].startswith("az lock create")
