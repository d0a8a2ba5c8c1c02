"""The network that all programs of this folder share."""

import os
from collections.abc import Iterator

import pytest

from tests.support import pod_network
from tests.support.pod_network import Names


@pytest.fixture(scope="package")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Names]:
    """Enter a network of the tests' own; names are added to it as programs are started."""
    if not pod_network.available() and os.environ.get("CI") != "true":
        pytest.skip("only root on Linux can make a network of its own")
    with pod_network.pod_network(tmp_path_factory.mktemp("network"), {}) as names:
        yield names
