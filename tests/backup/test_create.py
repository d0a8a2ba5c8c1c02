"""A backup set holds everything, of one moment, guarded; and a failure leaves the environment as it was."""

import pytest

from scripts.backup.create import Part
from scripts.backup.manifest import Manifest, parse
from scripts.core.azure import AzureError
from scripts.core.errors import OperatorError
from tests.support.backup.azure import group
from tests.support.backup.cluster import DIGEST, WRITING
from tests.support.backup.environment import FILE, Backed

SET = "20261130t030000z"
SNAPSHOTS = f"{group('llm-dev-disks-backup-sets')}/providers/Microsoft.Compute/snapshots"


def made(backed: Backed, *left_out: Part) -> Manifest:
    return backed.making(*left_out).run()


def test_a_set_names_everything_that_a_restore_needs() -> None:
    backed = Backed()
    one = made(backed)
    assert one.id == SET
    assert [(s.store, s.name, s.disk, s.size_gib) for s in one.snapshots] == [
        ("mysql", f"llm-dev-mysql-{SET}", "llm-dev-mysql", 32),
        ("clickhouse", f"llm-dev-clickhouse-{SET}", "llm-dev-clickhouse", 128),
        ("zookeeper", f"llm-dev-zookeeper-{SET}", "llm-dev-zookeeper", 16),
        ("minio", f"llm-dev-minio-{SET}", "llm-dev-minio", 64),
        ("redis", f"llm-dev-redis-{SET}", "llm-dev-redis", 16),
    ]
    assert one.database is not None
    assert one.database.server == "llm-dev-pg-46cy3"
    assert one.uploads is not None
    assert one.uploads.share == "chat-uploads"
    assert one.vault is not None
    assert [(s.name, s.version) for s in one.vault.secrets] == [
        ("database-chat-password", "first"),
        ("opik-mysql-password", "two"),
    ]
    assert [(r.namespace, r.name, r.chart, r.version, r.revision) for r in one.releases] == [
        ("opik", "opik", "opik", "2.1.23", 7)
    ]
    assert one.images == (f"docker.io/library/mysql:8.4.2@{DIGEST}",)
    assert one.code.settings == FILE
    assert {kind: (count.low, count.high) for kind, count in one.counts.items()} == {
        "traces": (1000, 1000),
        "spans": (5000, 5000),
        "projects": (4, 4),
        "datasets": (2, 2),
        "prompts": (1, 1),
        # Chat and LLM gateway went on: what the database held lies between two counts.
        "users": (10, 12),
        "chats": (40, 40),
    }


def test_snapshots_are_made_while_nobody_writes() -> None:
    backed = Backed()
    replicas: list[dict[str, int]] = []

    def look(call: tuple[str, ...]) -> None:
        if call[:2] == ("snapshot", "create") or call[2:3] == ("snapshot",):
            replicas.append(backed.kubectl.replicas)
            assert backed.stores.merges_stopped

    backed.azure.before = look
    one = made(backed)
    assert len(replicas) == 6
    assert all(found["opik-backend"] == found["opik-python-backend"] == 0 for found in replicas)
    assert backed.kubectl.replicas == WRITING
    assert one.quiesced_seconds > 0


def test_every_snapshot_bears_the_set_and_is_locked() -> None:
    backed = Backed()
    made(backed)
    assert {item["tags"]["backup-set"] for item in backed.azure.snapshots.values()} == {SET}
    assert {item["tags"]["environment"] for item in backed.azure.snapshots.values()} == {"dev"}
    assert backed.azure.locks == set(backed.azure.snapshots)
    assert len(backed.azure.locks) == 5
    for call in backed.azure.commands("snapshot", "create"):
        assert "DenyAll" in call, "nobody downloads a disk by its snapshot"


def test_the_manifest_holds_no_secret_value() -> None:
    backed = Backed()
    made(backed)
    (text,) = backed.azure.blobs[f"sets/{SET}.json"]
    for value in ("old value", "present value", "chat value"):
        assert value not in text
    assert not backed.azure.commands("keyvault", "secret", "show")
    assert not backed.azure.commands("keyvault", "secret", "download")


def test_what_is_written_is_what_is_read() -> None:
    backed = Backed()
    one = made(backed)
    assert backed.azure.store().read("latest") == one == backed.azure.store().read(SET)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"id": "x"}', '{"format": 2}'])
def test_something_else_is_no_manifest(text: str) -> None:
    with pytest.raises(OperatorError, match="is no manifest of a backup set"):
        parse(text, "x.json")


def test_the_database_is_fixed_to_a_whole_second_between_its_counts() -> None:
    backed = Backed()
    one = made(backed)
    assert one.database is not None
    counted = [index for index, call in enumerate(backed.azure.calls) if call[0] == "postgres"]
    assert len(counted) == 1
    assert one.database.moment.endswith("Z")
    assert "." not in one.database.moment
    # The last snapshot was made before, the second count was taken after that second.
    assert one.database.moment > "2026-11-30T03:00:00Z"


def test_copies_go_to_the_other_region_and_are_locked_too() -> None:
    backed = Backed("backups: {copy_to_region: northeurope}\n")
    one = made(backed)
    copies = [call for call in backed.azure.commands("snapshot", "create") if "--copy-start" in call]
    assert {call[call.index("--location") + 1] for call in copies} == {"northeurope"}
    assert len(copies) == 5
    assert {s.copy_id for s in one.snapshots} == {f"{s.id}-northeurope" for s in one.snapshots}
    assert len(backed.azure.locks) == 10
    assert backed.kubectl.replicas == WRITING


def test_a_copy_begins_when_opik_takes_writes_again() -> None:
    backed = Backed("backups: {copy_to_region: northeurope}\n")

    def look(call: tuple[str, ...]) -> None:
        if "--copy-start" in call:
            assert backed.kubectl.replicas == WRITING

    backed.azure.before = look
    made(backed)


@pytest.mark.parametrize("part", list(Part))
def test_parts_can_be_left_out_and_the_manifest_says_so(part: Part) -> None:
    one = made(Backed(), part)
    assert one.left_out == (part,)
    empty = {"database": one.database, "uploads": one.uploads, "vault": one.vault, "counts": one.counts or None}
    assert empty.pop(part) is None
    assert all(empty.values())


def test_whatever_azure_refuses_opik_takes_writes_again() -> None:
    """Every command in turn: first those that only read, then the snapshots, then what guards them."""
    total = len(_calls_of_a_whole_run())
    assert total == 17
    for at in range(total):
        backed = Backed()

        def refuse(_call: tuple[str, ...], at: int = at, backed: Backed = backed) -> None:
            if len(backed.azure.calls) == at + 1:
                raise AzureError("az failed: throttled")

        backed.azure.before = refuse
        with pytest.raises(OperatorError, match="throttled"):
            made(backed)
        assert (backed.kubectl.replicas, backed.kubectl.marks) == (WRITING, {}), at
        assert not backed.stores.merges_stopped
        assert backed.azure.blobs == {}, "a set that is not whole has no manifest"
        backed.azure.before = lambda _call: None
        # The environment is as it was: the next attempt succeeds.
        assert made(backed).counts["traces"].low == 1000


def _calls_of_a_whole_run() -> list[tuple[str, ...]]:
    backed = Backed()
    made(backed)
    return backed.azure.calls


def test_what_may_fail_without_harm_is_asked_before_anything_stops() -> None:
    backed = Backed()

    def refuse(call: tuple[str, ...]) -> None:
        if call[:3] == ("storage", "blob", "list"):
            raise AzureError("az storage failed: AuthorizationPermissionMismatch")

    backed.azure.before = refuse
    with pytest.raises(OperatorError, match="AuthorizationPermissionMismatch") as refused:
        made(backed)
    assert "Storage Blob Data Contributor" in refused.value.fix
    assert not [call for call in backed.kubectl.calls if call[0] == "patch"]
    assert backed.azure.snapshots == {}


def test_broken_tables_are_not_backed_up_for_good() -> None:
    backed = Backed()
    backed.stores.read_only = "opik.traces\nopik.spans\n"
    with pytest.raises(OperatorError, match="2 tables of ClickHouse lost their ZooKeeper"):
        made(backed)
    assert backed.azure.calls == []
    assert backed.kubectl.replicas == WRITING


def test_monitoring_sees_the_newest_set_by_a_job_that_never_runs() -> None:
    backed = Backed()
    made(backed)
    job = backed.kubectl.jobs["newest-backup-set"]
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"] == {"platform/backup-set": SET}
    made(backed)
    deleted = [call for call in backed.kubectl.calls if call[:2] == ("delete", "job")]
    assert len(deleted) == 2, "only a new object has a new time of creation"


def test_a_run_first_repairs_what_a_killed_one_left() -> None:
    backed = Backed()
    backed.quiescence._stop("20261130t010000z")
    for found in backed.kubectl.deployments.values():
        if "annotations" in found["metadata"]:
            found["metadata"]["annotations"]["platform/backup-owner"] = "another-machine/1"
    made(backed)
    assert backed.kubectl.replicas == WRITING
