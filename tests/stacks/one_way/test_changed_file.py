"""A changed environment file: what exists follows, or does not."""

from typing import Any

import pytest

from stacks.common.one_way_record import check_change
from tests.support.stacks.written import KEY, SERVER, written

REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "name": ({}, {"name": "prod"}, "name: cannot change from dev"),
    "prefix": ({}, {"prefix": "ai"}, "prefix: cannot change from llm"),
    "subscription": (
        {},
        {"azure": {"subscription_id": "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e91"}},
        "azure.subscription_id: cannot change",
    ),
    "region": ({}, {"azure": {"region": "northeurope"}}, "azure.region: cannot change from westeurope"),
    "disk": ({"disks": {"mysql_gib": 64}}, {}, "disks.mysql_gib: cannot shrink from 64"),
    "share": ({"disks": {"chat_uploads_gib": 200}}, {}, "disks.chat_uploads_gib: cannot shrink from 200"),
    "disk-generation": (
        {"disks": {"generations": {"redis": 2}}},
        {},
        "disks.generations.redis: cannot go back from 2",
    ),
    "redundancy": ({}, {"disks": {"redundancy": "lrs", "lrs_zone": 1}}, "disks.redundancy: cannot change from zrs"),
    "disk-zone": (
        {"disks": {"redundancy": "lrs", "lrs_zone": 1}},
        {"disks": {"redundancy": "lrs", "lrs_zone": 2}},
        "disks.lrs_zone: cannot change from 1",
    ),
    "own-key": (
        {"cluster": {"disk_encryption_set_id": KEY}},
        {},
        f"cluster.disk_encryption_set_id: cannot go back from {KEY}",
    ),
    "storage": ({"database": {"storage_gib": 64}}, {}, "database.storage_gib: cannot shrink from 64"),
    "version": ({"database": {"version": "18"}}, {}, "database.version: cannot go back from 18"),
    "geo-redundancy": (
        {},
        {"database": {"geo_redundant_backup": True}},
        "database.geo_redundant_backup: cannot change from false",
    ),
    "server-zone": ({}, {"database": {"zone": 2}}, "database.zone: cannot change from 1"),
    "server-generation": ({"database": {"generation": 2}}, {}, "database.generation: cannot go back from 2"),
    "restore": (
        {},
        {"database": {"restore_from_server_id": SERVER}},
        "database.restore_from_server_id: has no effect any more: the server exists; raise database.generation",
    ),
    "soft-delete": ({}, {"vault": {"soft_delete_days": 30}}, "vault.soft_delete_days: cannot change from 90"),
    "registry-tier": ({"registry": {"tier": "Premium"}}, {}, "registry.tier: cannot go back from Premium"),
    "identity": ({}, {"identity": {"manage": False}}, "identity.manage: cannot go back from true"),
    "group": (
        {},
        {"identity": {"access_group_object_id": "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e91"}},
        "identity.access_group_object_id: cannot go back from nothing",
    ),
    "backend": (
        {},
        {"state": {"backend": "hcp", "hcp": {"organization": "acme"}}},
        "state.backend: points Terraform at another state",
    ),
    "organization": (
        {"state": {"backend": "hcp", "hcp": {"organization": "acme"}}},
        {"state": {"backend": "hcp", "hcp": {"organization": "other"}}},
        "state.hcp: points Terraform at another state",
    ),
    "secret-version": (
        {"secrets": {"versions": {"chat-secret-key": 3}}},
        {"secrets": {"versions": {"chat-secret-key": 2}}},
        "secrets.versions.chat-secret-key: cannot go back from 3",
    ),
    "secret-forgotten": (
        {"secrets": {"versions": {"chat-secret-key": 3}}},
        {},
        "secrets.versions.chat-secret-key: cannot go back from 3",
    ),
}

ALLOWED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "remote-runs": (
        {"state": {"backend": "hcp", "hcp": {"organization": "acme"}}},
        {
            "state": {
                "backend": "hcp",
                "hcp": {"organization": "acme", "teams": {"ops": "write"}},
            }
        },
    ),
    "larger": ({}, {"disks": {"mysql_gib": 64, "chat_uploads_gib": 200}, "database": {"storage_gib": 64}}),
    "newer": ({}, {"database": {"version": "18"}}),
    "disposable": ({}, {"network": {"pod_cidr": "10.245.0.0/16"}, "cluster": {"tier": "Standard"}}),
    "domain": ({}, {"domain": "ai.acme.io"}),
    "rotated": ({}, {"secrets": {"versions": {"chat-secret-key": 2}}}),
    "smaller-restored-disk": (
        {"disks": {"mysql_gib": 64}},
        {"disks": {"mysql_gib": 32, "generations": {"mysql": 2}}},
    ),
    "other-server": (
        {"database": {"storage_gib": 64, "version": "18"}},
        {
            "database": {
                "generation": 2,
                "geo_redundant_backup": True,
                "zone": 2,
                "restore_from_server_id": SERVER,
                "restore_time_utc": "2026-11-01T12:00:00Z",
            }
        },
    ),
    "failed-over-server": (
        {"database": {"high_availability": "zone-redundant", "zone": 1, "standby_zone": 2}},
        {"database": {"high_availability": "zone-redundant", "zone": 2, "standby_zone": 1}},
    ),
    "registry-without-zones": (
        {"azure": {"zones": []}, "registry": {"tier": "Basic"}},
        {"azure": {"zones": []}, "registry": {"tier": "Premium"}},
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_exists_does_not_follow(before: dict[str, Any], after: dict[str, Any], expected: str) -> None:
    (line,) = check_change(written(**before), written(**after))
    assert line.startswith(expected)


@pytest.mark.parametrize(("before", "after"), ALLOWED.values(), ids=ALLOWED.keys())
def test_what_exists_follows(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert check_change(written(**before), written(**after)) == []


ZEROS = "00000000-0000-0000-0000-000000000000"


def test_a_placeholder_that_gets_its_value_is_no_change() -> None:
    """The files that come with the project are edited as their comments ask, also after they were committed."""
    before = written(
        azure={"subscription_id": ZEROS},
        cluster={"disk_encryption_set_id": KEY.replace("4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90", ZEROS)},
    )
    assert check_change(before, written(cluster={"disk_encryption_set_id": KEY})) == []
    assert check_change(before, written()) == []  # the line of the key is removed, as its comment offers


def test_a_value_that_becomes_a_placeholder_is_a_change() -> None:
    assert check_change(written(), written(azure={"subscription_id": ZEROS})) == [
        (
            "azure.subscription_id: cannot change from 4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90: resources do not move"
            " between"
            " subscriptions; write a new environment"
        )
    ]
