"""Values that cannot go back: each key in both directions, and what lifts the rule."""

from typing import Any

import pytest

from stacks.common.one_way_record import check_change, deletions_on, every_mark, record_of, refused_on, whole_record_of
from stacks.settings.file.errors import dotted
from stacks.settings.one_way.marks import CanOnlyGrow, DecidedOnce, DeletesOlder, NoWayBack, OnlyAtCreation
from stacks.settings.one_way.steps import steps_back
from tests.support.stacks.written import KEY, SERVER, written

GROUP = "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e92"
OTHER_SERVER = f"{SERVER}-2"
GROWING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "disks.mysql_gib": ({"disks": {"mysql_gib": 32}}, {"disks": {"mysql_gib": 64}}),
    "disks.clickhouse_gib": ({"disks": {"clickhouse_gib": 128}}, {"disks": {"clickhouse_gib": 129}}),
    "disks.zookeeper_gib": ({"disks": {"zookeeper_gib": 9}}, {"disks": {"zookeeper_gib": 10}}),
    "disks.minio_gib": ({"disks": {"minio_gib": 64}}, {"disks": {"minio_gib": 128}}),
    "disks.redis_gib": ({"disks": {"redis_gib": 16}}, {"disks": {"redis_gib": 32}}),
    "disks.chat_uploads_gib": ({"disks": {"chat_uploads_gib": 100}}, {"disks": {"chat_uploads_gib": 200}}),
    "database.storage_gib": ({"database": {"storage_gib": 64}}, {"database": {"storage_gib": 128}}),
    "serving.ollama_store_gib": ({"serving": {"ollama_store_gib": 100}}, {"serving": {"ollama_store_gib": 1000}}),
    "serving.vllm_store_gib": ({"serving": {"vllm_store_gib": 99}}, {"serving": {"vllm_store_gib": 100}}),
    "monitoring.prometheus_disk_gib": (
        {"monitoring": {"prometheus_disk_gib": 64}},
        {"monitoring": {"prometheus_disk_gib": 128}},
    ),
    "disks.generations": ({}, {"disks": {"generations": {"redis": 2}}}),
    "database.generation": ({}, {"database": {"generation": 2}}),
    "database.version": ({"database": {"version": "16"}}, {"database": {"version": "18"}}),
    "secrets.versions": ({}, {"secrets": {"versions": {"chat-secret-key": 2}}}),
    "registry.tier": ({"registry": {"tier": "Basic"}}, {"registry": {"tier": "Premium"}}),
    "cluster.kubernetes_version": (
        {"cluster": {"kubernetes_version": "1.35"}},
        {"cluster": {"kubernetes_version": "1.36"}},
    ),
    "cluster.disk_encryption_set_id": ({}, {"cluster": {"disk_encryption_set_id": KEY}}),
    "identity.manage": ({"identity": {"manage": False}}, {"identity": {"manage": True}}),
    "identity.access_group_object_id": ({"identity": {"access_group_object_id": GROUP}}, {}),
    "opik.access_group_object_id": ({"opik": {"access_group_object_id": GROUP}}, {}),
    "opik.version": ({"opik": {"version": "2.1.23"}}, {"opik": {"version": "2.1.30"}}),
}
"""Key that goes one way: a file, and one that may follow it; never the other way round."""

DECIDED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "name": ({}, {"name": "prod"}),
    "prefix": ({}, {"prefix": "ai"}),
    "azure.subscription_id": ({}, {"azure": {"subscription_id": GROUP}}),
    "azure.region": ({}, {"azure": {"region": "northeurope"}}),
    "network.nodes_subnet": ({}, {"network": {"nodes_subnet": "10.40.32.0/20"}}),
    "network.gateway_subnet": ({}, {"network": {"gateway_subnet": "10.40.18.0/24"}}),
    "network.endpoints_subnet": ({}, {"network": {"endpoints_subnet": "10.40.19.0/26"}}),
    "network.pod_cidr": ({}, {"network": {"pod_cidr": "10.245.0.0/16"}}),
    "network.service_cidr": ({}, {"network": {"service_cidr": "10.97.0.0/16"}}),
    "disks.redundancy": ({}, {"disks": {"redundancy": "lrs", "lrs_zone": 1}}),
    "disks.lrs_zone": (
        {"disks": {"redundancy": "lrs", "lrs_zone": 1}},
        {"disks": {"redundancy": "lrs", "lrs_zone": 2}},
    ),
    "database.zone": ({}, {"database": {"zone": 2}}),
    "database.geo_redundant_backup": ({}, {"database": {"geo_redundant_backup": True}}),
    "vault.soft_delete_days": ({}, {"vault": {"soft_delete_days": 30}}),
    "chat.embeddings.model": (
        {"chat": {"embeddings": {"model": "one", "dimensions": 768}}},
        {"chat": {"embeddings": {"model": "two", "dimensions": 768}}},
    ),
    "chat.embeddings.dimensions": (
        {"chat": {"embeddings": {"model": "one", "dimensions": 768}}},
        {"chat": {"embeddings": {"model": "one", "dimensions": 1024}}},
    ),
    "database.restore_from_server_id": (
        {"database": {"restore_from_server_id": SERVER}},
        {"database": {"restore_from_server_id": OTHER_SERVER}},
    ),
    "database.restore_geo_redundant": (
        {"database": {"restore_geo_redundant": True}},
        {"database": {"restore_geo_redundant": False}},
    ),
    "database.restore_time_utc": (
        {"database": {"restore_time_utc": "2026-11-01T12:00:00Z"}},
        {"database": {"restore_time_utc": "2026-11-01T13:00:00Z"}},
    ),
}
"""Key that is decided once: two files, of which neither may follow the other."""

DELETING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "opik.retention_days": ({"opik": {"retention_days": 60}}, {}),
    "gateway.spend_log_days": ({"gateway": {"spend_log_days": 9}}, {"gateway": {"spend_log_days": 10}}),
    "monitoring.retention_days": ({"monitoring": {"retention_days": 9}}, {"monitoring": {"retention_days": 15}}),
    "cluster.log_analytics_retention_days": ({}, {"cluster": {"log_analytics_retention_days": 90}}),
    "disks.backup_retention_days": ({"disks": {"backup_retention_days": 9}}, {"disks": {"backup_retention_days": 14}}),
    "database.backup_retention_days": ({}, {"database": {"backup_retention_days": 35}}),
    "registry.untagged_retention_days": (
        {"registry": {"tier": "Premium", "untagged_retention_days": 9}},
        {"registry": {"tier": "Premium", "untagged_retention_days": 30}},
    ),
}
"""Time that something is kept for: a file, and one that keeps it longer; the other way round deletes what is older."""

PINNED = {"versions.open-webui": ("v0.12.4", "v0.12.10"), "versions.litellm": ("v1.99.0", "v1.101.0-stable.1")}
"""What no setting chooses: a version, and one that may follow it."""


def refused(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the keys of a file that cannot follow what was deployed with another one, stack by stack."""
    stacks = {marked.mark.stack for marked in every_mark()}
    deployed = {stack: record_of(written(**before), stack) for stack in stacks}
    return {dotted(finding.key) for finding in refused_on(deployed, written(**after))}


def test_every_key_that_goes_one_way_has_both_directions_here() -> None:
    assert {dotted(marked.key) for marked in every_mark()} == (
        GROWING.keys() | DECIDED.keys() | PINNED.keys() | DELETING.keys()
    )
    kinds = {dotted(marked.key): type(marked.mark) for marked in every_mark()}
    assert {kinds[key] for key in GROWING.keys() | PINNED.keys()} == {CanOnlyGrow, NoWayBack}
    assert {kinds[key] for key in DECIDED} == {DecidedOnce, OnlyAtCreation}
    assert {kinds[key] for key in DELETING} == {DeletesOlder}


@pytest.mark.parametrize("key", GROWING)
def test_a_value_that_goes_one_way_follows_forward_and_never_back(key: str) -> None:
    before, after = GROWING[key]
    assert refused(before, after) == set()
    assert {found.removesuffix(".redis").removesuffix(".chat-secret-key") for found in refused(after, before)} == {key}


@pytest.mark.parametrize("key", DELETING)
def test_a_shorter_time_is_asked_about_by_a_plan_and_warned_about_in_a_file(key: str) -> None:
    shorter, longer = DELETING[key]

    def steps(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, bool]]:
        old, new = whole_record_of(written(**before)), whole_record_of(written(**after))
        return [(step.key, step.mark.agreeable) for step in steps_back(old, new, every_mark())]

    assert steps(shorter, longer) == []
    assert steps(longer, shorter) == [(key, True)]
    assert refused(longer, shorter) == set(), "whoever means it can write it"
    assert check_change(written(**longer), written(**shorter)) == []
    stacks = {marked.mark.stack for marked in every_mark()}
    deployed = {stack: record_of(written(**longer), stack) for stack in stacks}
    (warned,) = deletions_on(deployed, written(**shorter))
    assert dotted(warned.key) == key
    assert " days: " in warned.message
    assert "deleted" in warned.message or "deletes" in warned.message


@pytest.mark.parametrize("key", DECIDED)
def test_a_value_that_is_decided_once_follows_in_no_direction(key: str) -> None:
    before, after = DECIDED[key]
    assert key in refused(before, after)
    assert key in refused(after, before)


@pytest.mark.parametrize("key", PINNED)
def test_a_pinned_version_whose_database_is_migrated_never_goes_back(key: str) -> None:
    record = whole_record_of(written())
    older, newer = ({**record, key: version} for version in PINNED[key])
    assert list(steps_back(older, newer, every_mark())) == []
    (found,) = steps_back(newer, older, every_mark())
    assert (found.key, found.before, found.after) == (key, *reversed(PINNED[key]))
    assert "nothing takes a migration back" in found.message


RESTORED: dict[str, dict[str, Any]] = {
    "database.generation": {"database": {"generation": 2}},
    "disks.generations.mysql": {"disks": {"generations": {"mysql": 2}}},
}


def test_a_new_generation_is_bound_by_nothing_of_the_old_one() -> None:
    record = {**whole_record_of(written()), "versions.litellm": "v99.0.0", "disks.mysql_gib": "4096"}
    record |= {"opik.version": "99.0.0", "database.version": "18", "chat.embeddings.dimensions": "768"}

    def keys(file: dict[str, Any]) -> set[str]:
        return {step.key for step in steps_back(record, whole_record_of(written(**file)), every_mark())}

    of_database = {"versions.litellm", "database.version", "chat.embeddings.dimensions"}
    of_disks = {"opik.version", "disks.mysql_gib"}
    assert keys({}) == of_database | of_disks
    assert keys(RESTORED["database.generation"]) == of_disks
    assert keys(RESTORED["disks.generations.mysql"]) == of_database


def test_what_is_switched_off_is_bound_by_no_version() -> None:
    record = {**whole_record_of(written()), "versions.open-webui": "v99.0.0", "opik.version": "99.0.0"}
    off = written(chat={"enabled": False}, opik={"enabled": False})
    assert list(steps_back(record, whole_record_of(off), every_mark())) == []


def test_what_was_never_recorded_binds_nobody() -> None:
    assert list(steps_back({}, whole_record_of(written()), every_mark())) == []


def test_disks_alone_hold_an_environment_in_its_region_and_subscription() -> None:
    deployed = {"disks": record_of(written(), "disks")}
    moved = written(azure={"region": "northeurope", "subscription_id": GROUP})
    assert {dotted(finding.key) for finding in refused_on(deployed, moved)} >= {"azure.region", "azure.subscription_id"}
