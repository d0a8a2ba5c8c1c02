"""The fake Azure of one test."""

from collections.abc import Iterator

import pytest

from tests.support.preflight.azure_api import AzureApi, azure_api


@pytest.fixture
def azure() -> Iterator[tuple[AzureApi, str]]:
    """Give over what Azure answers, and its address."""
    with azure_api() as served:
        yield served
