"""Values that cannot go back: each key in both directions, and what lifts the rule."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from stacks.common.one_way_record import check_change, deletions_on, every_mark, record_of, refused_on, whole_record_of
from stacks.settings import Settings
from stacks.settings.docstrings import meanings
from stacks.settings.errors import dotted
from stacks.settings.one_way import CanOnlyGrow, DecidedOnce, DeletesOlder, NoWayBack, OneWay, OnlyAtCreation
from stacks.settings.one_way_steps import steps_back
from stacks.settings.types import Model

SERVER = (
    "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/llm-dev-database"
    "/providers/Microsoft.DBforPostgreSQL/flexibleServers/llm-dev-pg"
)
KEY = (
    "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/keys"
    "/providers/Microsoft.Compute/diskEncryptionSets/disks"
)
LEAST: dict[str, Any] = {
    "name": "dev",
    "azure": {"subscription_id": "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90", "region": "westeurope"},
    "domain": "llm.acme.io",
    "ingress": {"acme_email": "platform@acme.io"},
}


def written(**sections: Any) -> Settings:
    """Return the settings of a small file with these keys of these sections."""
    return Settings.model_validate(
        LEAST
        | {
            name: LEAST[name] | keys if name in LEAST and isinstance(keys, dict) else keys
            for name, keys in sections.items()
        }
    )


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


def test_every_time_that_something_is_kept_for_is_marked() -> None:
    """Found by its name; the others delete nothing by themselves."""
    asks_itself = {"backups.keep_daily", "backups.keep_weekly", "backups.keep_monthly", "images.keep_versions"}
    kept = {key for key in keys_of(Settings) if re.search(r"retention|keep_|(^|_)days$", key.rpartition(".")[2])}
    # Of the days of the week one, decided once the other, the life of a certificate the last.
    weekly = {"serving.warm_hours.days", "cluster.off_hours.days"}
    no_such_time = {*weekly, "vault.soft_delete_days", "private_access.leaf_days"}
    assert kept - asks_itself - no_such_time == DELETING.keys()
    assert asks_itself < kept


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


def test_every_mark_names_a_stack_that_exists() -> None:
    stacks = {"identity", "disks", "acr", "database", "address", "network", "aks", "platform"}
    marks = [marked.mark for marked in every_mark()]
    assert {mark.stack for mark in marks} <= stacks
    assert {mark.effect for mark in marks} == {"", "platform"}


SAYS_SO = re.compile(
    r"only grows?\b|never (shrink|lower)|decided once|cannot (be )?(chang|shrink|go back|lower)|no way back"
    r"|fixe[sd] (it )?(at|when)|stays as it was|once (it is )?(deployed|created)",
    re.IGNORECASE,
)
"""How a text says that a value goes one way."""


def test_what_is_documented_as_going_one_way_is_marked_and_the_mark_says_so() -> None:
    """A text of its own would be a second rule, which nothing checks."""
    by_hand = [
        f"{model.__name__}.{name}: {text}"
        for model in models()
        for name, text in [("", model.__doc__ or ""), *meanings(model).items()]
        if SAYS_SO.search(text)
    ]
    assert by_hand == []
    assert SAYS_SO.search("Disk of Redis; can only grow.")
    assert SAYS_SO.search("Decided once: Azure cannot change it.")


def keys_of(model: type[Model], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{above}{name}"
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, Model):
                yield from keys_of(inner, f"{above}{name}.")


def models() -> list[type[Model]]:
    found: list[type[Model]] = [Model]
    for model in found:
        found += model.__subclasses__()
    return found


def test_no_mark_hides_in_a_list_or_a_mapping_of_sections() -> None:
    """Their entries come and go, so that no key of theirs could be recorded."""
    marked = {dotted(it.key).rpartition(".")[2] for it in every_mark()}
    fields = {
        name
        for model in models()
        for name, field in model.model_fields.items()
        if any(isinstance(m, OneWay) for m in field.metadata)
    }
    assert fields <= marked


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
