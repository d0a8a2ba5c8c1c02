"""What a restore does is decided by the set and by what is there, before anything is done."""

import pytest

from scripts.backup.manifest import SecretVersion
from scripts.backup.restoring import (
    Journal,
    Move,
    RestorePart,
    chosen_disks,
    clear,
    free_generation,
    generation_of,
    plan,
    read,
    to_bring_back,
    write,
)
from scripts.core.errors import OperatorError
from stacks.settings.data import DataDisk
from tests.support.backup.environment import Backed

ALL = tuple(RestorePart)
NAMES = Backed().place.names


def test_clickhouse_goes_with_its_zookeeper() -> None:
    assert chosen_disks((), ALL) == tuple(DataDisk)
    assert chosen_disks((DataDisk.MYSQL,), ALL) == (DataDisk.MYSQL,)
    assert chosen_disks((DataDisk.ZOOKEEPER, DataDisk.CLICKHOUSE), ALL) == (DataDisk.CLICKHOUSE, DataDisk.ZOOKEEPER)
    for alone in (DataDisk.CLICKHOUSE, DataDisk.ZOOKEEPER):
        with pytest.raises(OperatorError, match="hold one state"):
            chosen_disks((alone, DataDisk.MYSQL), ALL)
    assert chosen_disks((), (RestorePart.DATABASE,)) == ()


def test_a_restored_disk_gets_the_next_number_that_no_disk_has() -> None:
    assert free_generation(NAMES, DataDisk.MYSQL, 1, ["llm-dev-mysql"]) == 2
    assert free_generation(NAMES, DataDisk.MYSQL, 1, ["llm-dev-mysql", "llm-dev-mysql-2", "llm-dev-mysql-3"]) == 4
    assert free_generation(NAMES, DataDisk.MYSQL, 3, []) == 4


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("llm-dev-mysql", (DataDisk.MYSQL, 1)),
        ("llm-dev-mysql-2", (DataDisk.MYSQL, 2)),
        ("llm-dev-clickhouse-12", (DataDisk.CLICKHOUSE, 12)),
        ("llm-dev-mysql-x", None),
        ("llm-dev-mysql-02", None),
        ("llm-prod-mysql", None),
        ("", None),
    ],
)
def test_names_of_disks_are_read(name: str, found: object) -> None:
    assert generation_of(NAMES, name) == found


def test_only_what_a_disk_expects_comes_back_unless_the_vault_is_asked_for() -> None:
    backed = Backed()
    manifest = backed.making().run()
    now = {"opik-mysql-password": "three", "database-chat-password": "second"}
    assert to_bring_back(manifest, now, all_of_them=False) == (
        SecretVersion(name="opik-mysql-password", version="two"),
    )
    assert {secret.name for secret in to_bring_back(manifest, now, all_of_them=True)} == set(now)
    assert to_bring_back(manifest, {"opik-mysql-password": "two"}, all_of_them=True) == ()


def test_the_plan_names_what_comes_and_what_stays() -> None:
    backed = Backed()
    manifest = backed.making().run()
    assert manifest.database
    assert manifest.uploads
    journal = Journal(set_id=manifest.id, parts=ALL, disks={DataDisk.MYSQL: Move(before=1, after=2)})
    lines = list(plan(manifest, journal, [SecretVersion(name="opik-mysql-password", version="two")], NAMES))
    assert lines == [
        "vault: opik-mysql-password gets its value of then, as a new version",
        f"disk mysql: llm-dev-mysql-{manifest.id} becomes llm-dev-mysql-2; llm-dev-mysql stays, locked",
        "Opik is stopped, the stacks disks and platform are deployed, Opik starts on the restored disks",
        f"database: llm-dev-pg-46cy3 as of {manifest.database.moment}, into a new server beside it",
        f"uploads: files that are missing come back from the snapshot of {manifest.uploads.moment}",
        "then what is there is counted and compared with the set",
    ]


def test_the_journal_is_kept_beside_the_manifests() -> None:
    store = Backed().azure.store()
    assert read(store) is None
    clear(store)
    journal = Journal(set_id="20261130t030000z", parts=(RestorePart.VAULT, RestorePart.DISKS))
    write(store, journal.finished(RestorePart.VAULT))
    found = read(store)
    assert found is not None
    assert (found.done, found.complete) == ((RestorePart.VAULT,), False)
    assert found.finished(RestorePart.DISKS).complete
    clear(store)
    assert read(store) is None


def test_a_journal_of_something_else_is_refused() -> None:
    store = Backed().azure.store()
    store.put("restores/current.json", "{}")
    with pytest.raises(OperatorError, match="no journal of a restore"):
        read(store)
