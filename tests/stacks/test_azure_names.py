"""Azure names keep Azure's limits for every prefix and environment that the settings accept."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.common.azure_names import AzureNames

SHORT = st.from_regex(r"[a-z][a-z0-9]{1,7}", fullmatch=True)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"

LIMITS = {
    "key_vault": r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "container_registry": r"[a-zA-Z0-9]{5,50}",
    "dns_label": r"[a-z][a-z0-9-]{1,61}[a-z0-9]",
}


def _names(prefix: str = "llm", environment: str = "dev", subscription: str = SUBSCRIPTION) -> AzureNames:
    return AzureNames(prefix=prefix, environment=environment, subscription_id=subscription)


@given(prefix=SHORT, environment=SHORT, generation=st.integers(1, 99))
def test_names_keep_the_limits_of_length_and_alphabet(prefix: str, environment: str, generation: int) -> None:
    names = _names(prefix, environment)
    for attribute, pattern in LIMITS.items():
        assert re.fullmatch(pattern, getattr(names, attribute)), attribute
    assert re.fullmatch(r"[a-z0-9]{3,24}", names.storage_account("abc"))
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", names.postgresql_server(generation))
    assert len(names.data_disk("clickhouse", generation)) <= 80
    assert len(names.resource_group("platform")) <= 90


def test_restored_server_and_disk_get_names_of_their_own() -> None:
    names = _names()
    assert len({names.postgresql_server(generation) for generation in range(1, 100)}) == 99
    assert len({names.data_disk("mysql", generation) for generation in range(1, 100)}) == 99


def test_names_are_the_same_in_every_run() -> None:
    assert _names().container_registry == "llmdev46cy3"


@pytest.mark.parametrize(
    "other",
    [
        _names(prefix="llx"),
        _names(environment="prod"),
        _names(subscription="11111111-0000-0000-0000-000000000000"),
    ],
)
def test_globally_unique_names_differ_between_subscriptions_and_environments(other: AzureNames) -> None:
    ours = _names()
    assert ours.unique_suffix != other.unique_suffix
    assert ours.key_vault != other.key_vault
