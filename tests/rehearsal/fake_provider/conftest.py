"""A fake azurerm with one resource group."""

from pathlib import Path

import pytest

from tests.support.rehearsal.fake_providers import LOCATION, Provider, provider


@pytest.fixture
def azure(tmp_path: Path) -> Provider:
    found = provider("azurerm", tmp_path)
    found.create("azurerm_resource_group", name="one", location=LOCATION)
    return found
