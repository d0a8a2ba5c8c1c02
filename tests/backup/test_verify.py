"""A set counts as whole only while Azure still has every part of it."""

from collections.abc import Callable

import pytest

from scripts.backup.verify import checks
from tests.support.backup.environment import Backed


def problems(backed: Backed) -> dict[str, str]:
    one = backed.azure.store().read("latest")
    found = checks(one, backed.place, backed.azure.azure(), backed.time.clock().utc())
    return {check.name: check.problem for check in found}


def backed_up(more: str = "") -> Backed:
    backed = Backed(more)
    backed.making().run()
    return backed


def snapshot(backed: Backed, store: str = "mysql") -> dict[str, object]:
    (found,) = (item for key, item in backed.azure.snapshots.items() if f"-{store}-" in key and "europe" not in key)
    return found


def test_a_whole_set_has_no_problem() -> None:
    assert problems(backed_up("backups: {copy_to_region: northeurope}\n")) == dict.fromkeys(
        [
            *(f"disk {store}" for store in ("mysql", "clickhouse", "zookeeper", "minio", "redis")),
            *(f"copy of {store}" for store in ("mysql", "clickhouse", "zookeeper", "minio", "redis")),
            "database",
            "uploads",
            "vault",
        ],
        "",
    )


def _gone(backed: Backed) -> None:
    backed.azure.snapshots.pop(str(snapshot(backed)["id"]).lower())


def _unlocked(backed: Backed) -> None:
    backed.azure.locks.discard(str(snapshot(backed)["id"]).lower())


def _of_another_set(backed: Backed) -> None:
    snapshot(backed)["tags"]["backup-set"] = "20261129t030000z"  # type: ignore[index]


def _of_another_disk(backed: Backed) -> None:
    snapshot(backed)["creationData"]["sourceResourceId"] = "/disks/llm-dev-redis"  # type: ignore[index]


def _unfinished(backed: Backed) -> None:
    snapshot(backed)["provisioningState"] = "Failed"


def _too_old(backed: Backed) -> None:
    backed.azure.earliest = "2026-11-30T03:05:00+00:00"


def _share_snapshot_gone(backed: Backed) -> None:
    backed.azure.share_snapshots.clear()


def _version_lost(backed: Backed) -> None:
    backed.azure.secrets["opik-mysql-password"] = [("other", "x", True)]


def _version_disabled(backed: Backed) -> None:
    backed.azure.secrets["opik-mysql-password"] = [("one", "x", True), ("two", "y", False)]


@pytest.mark.parametrize(
    ("harm", "part", "said"),
    [
        (_gone, "disk mysql", "is not there"),
        (_unlocked, "disk mysql", "is not locked"),
        (_of_another_set, "disk mysql", "belongs to another set"),
        (_of_another_disk, "disk mysql", "was made of llm-dev-redis, not of llm-dev-mysql"),
        (_unfinished, "disk mysql", "is Failed"),
        (_too_old, "database", "can be restored from 2026-11-30T03:05:00+00:00 on only"),
        (_share_snapshot_gone, "uploads", "no snapshot of"),
        (_version_lost, "vault", "opik-mysql-password has lost its version two"),
        (_version_disabled, "vault", "opik-mysql-password: version two… is disabled"),
    ],
)
def test_each_part_that_is_lost_is_told(harm: Callable[[Backed], None], part: str, said: str) -> None:
    backed = backed_up()
    harm(backed)
    found = {name: problem for name, problem in problems(backed).items() if problem}
    assert list(found) == [part]
    assert said in found[part]


def test_a_copy_that_is_on_its_way_is_not_there_yet() -> None:
    backed = Backed("backups: {copy_to_region: northeurope}\n")
    backed.azure.copied_percent = 99
    backed.making().run()
    assert problems(backed)["copy of mysql"] == "99 % copied"


def test_a_secret_rotated_since_is_no_loss() -> None:
    backed = backed_up()
    backed.azure.secrets["opik-mysql-password"].append(("three", "z", True))
    assert not any(problems(backed).values())
