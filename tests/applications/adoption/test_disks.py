"""Opik's disks of another installation: found by name and tag, and refused where a copy would be none."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.applications.adoption.disk_copy import DesiredDisk, DiskCopy, desired, problems, was_used
from scripts.applications.adoption.found_disks import FoundDisk, choose, find, store_of
from scripts.azure.cli import Cli
from scripts.azure.compute import Compute, NewDisk
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import load_settings
from stacks.settings.data import DataDisk

GROUP = "/subscriptions/0/resourceGroups/opik-rg/providers/Microsoft.Compute/disks"
AZ = r"""
import json, pathlib, sys
folder = pathlib.Path(FOLDER)
words = sys.argv[1:]
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps(words) + "\n")
option = lambda name: words[words.index(name) + 1] if name in words else None
kind, action = words[:2]
path = folder / f"{kind}-{option('--name')}"
place = f"/subscriptions/{option('--subscription')}/resourceGroups/{option('--resource-group')}"
if (folder / f"fail-{kind}-{action}").exists():
    (folder / f"fail-{kind}-{action}").unlink()
    sys.exit("ERROR: (InternalServerError) try later")
if action == "list":
    print((folder / "disks.json").read_text())
elif action == "show":
    if not path.exists():
        sys.exit("ERROR: (ResourceNotFound) The Resource was not found.")
    print(path.read_text())
elif action == "create":
    made = {
        "id": f"{place}/providers/Microsoft.Compute/{kind}s/{option('--name')}", "name": option("--name"),
        "creationData": {"sourceResourceId": option("--source")}, "diskState": "Unattached",
        "diskSizeGB": int(option("--size-gb") or 0), "sku": {"name": option("--sku")},
        "zones": [option("--zone")] if option("--zone") else None,
    }
    path.write_text(json.dumps(made))
    print(json.dumps(made))
"""


def disk(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "id": f"{GROUP}/{name}", "location": "swedencentral", "diskSizeGB": 32, "zones": None,
        "sku": {"name": "Standard_LRS"}, "diskState": "Unattached", "managedBy": None, "tags": {},
        "timeCreated": "2026-01-02T03:04:05.678+00:00", **more,
    }  # fmt: skip


def one(name: str = "opik-mysql-data-1756776933", **more: Any) -> FoundDisk:
    found = FoundDisk.of(disk(name, **more))
    assert found
    return found


TARGET = DesiredDisk(
    store=DataDisk.MYSQL,
    subscription="0",
    snapshots_group="llm-dev-disks-snapshots",
    new=NewDisk(
        name="llm-dev-mysql-2", group="llm-dev-disks", region="swedencentral", sku="Premium_ZRS", size_gib=32,
        zone=None, encryption_set=None, tags={},
    ),
)  # fmt: skip
COMPUTE = Compute(Cli(subscription="0"))


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable} -IS\nFOLDER = {str(tmp_path)!r}\n{AZ}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def calls(azure: Path) -> list[list[str]]:
    return [json.loads(line) for line in (azure / "calls").read_text().splitlines()]


def silent(_text: str) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "tags", "store"),
    [
        ("opik-mysql-data-1756776933", {}, DataDisk.MYSQL),
        ("prod-opik-clickhouse-data", {}, DataDisk.CLICKHOUSE),
        ("opik-zookeeper-data-1", {}, DataDisk.ZOOKEEPER),
        ("opik-minio-data-1", {}, DataDisk.MINIO),
        ("opik-redis-data-1", {}, DataDisk.REDIS),
        ("pvc-0c6d", {"kubernetes.io-created-for-pvc-name": "data-opik-zookeeper-0"}, DataDisk.ZOOKEEPER),
        ("pvc-0c6e", {"kubernetes.io-created-for-pvc-name": "redis-data-opik-redis-master-0"}, DataDisk.REDIS),
        # What only resembles one.
        ("opik-mysql-data-1", {"kubernetes.io-created-for-pvc-name": "data-other-mysql-0"}, None),
        ("mysql-data-1", {}, None),
        ("opik-mysqldump-data-1", {}, None),
        ("opik-mysql-redis-data", {}, None),
        ("opik-mysql-osdisk", {}, None),
    ],
)
def test_a_disk_is_known_by_its_claim_or_its_name(name: str, tags: Mapping[str, str], store: DataDisk | None) -> None:
    assert store_of(name, tags) == store


def test_found_disks_are_shown_with_size_zone_and_use(azure: Path) -> None:
    old = disk("opik-mysql-data-1", managedBy="/x/virtualMachines/node-1", diskState="Attached", zones=["2"])
    (azure / "disks.json").write_text(json.dumps([disk("os"), old]))
    assert [str(found) for found in find(COMPUTE, "opik-rg")] == [
        "mysql: opik-mysql-data-1, 32 GiB Standard_LRS, zone 2, attached to node-1, made 2026-01-02T03:04:05"
    ]


def test_of_several_disks_one_has_to_be_named() -> None:
    both = [one("opik-mysql-data-1"), one("opik-mysql-data-2")]
    with pytest.raises(OperatorError, match="2 disks look like mysql's") as caught:
        choose(both, {})
    assert caught.value.fix == "name the right one: --disk mysql=opik-mysql-data-2"
    assert choose(both, {DataDisk.MYSQL: "opik-mysql-data-1"})[DataDisk.MYSQL].name == "opik-mysql-data-1"
    with pytest.raises(OperatorError, match="no disk other"):
        choose(both, {DataDisk.MYSQL: "other"})


def test_clickhouse_comes_only_with_its_zookeeper() -> None:
    with pytest.raises(OperatorError, match="none of ZooKeeper"):
        choose([one("opik-clickhouse-data-1")], {})


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"managedBy": "/vm/node-1", "diskState": "Attached"}, "is attached to node-1: stop Opik there"),
        ({"diskState": "ActiveSAS"}, "is activesas"),
        ({"location": "westeurope"}, "lies in westeurope, the environment in swedencentral"),
        ({"diskSizeGB": 64}, "set disks.mysql_gib to that or more, not 32"),
    ],
)
def test_what_cannot_be_copied_is_said(more: Mapping[str, Any], sentence: str) -> None:
    (text,) = problems(one(**more), TARGET, take_over=False)
    assert sentence in text


def test_a_smaller_disk_of_another_type_and_zone_can_be_copied() -> None:
    assert problems(one(diskSizeGB=8, zones=["3"]), TARGET, take_over=False) == []


def test_a_take_over_asks_for_name_size_type_and_zone() -> None:
    said = " ".join(problems(one(diskSizeGB=8, zones=["3"]), TARGET, take_over=True))
    for part in ("Azure renames no disk", "has 8 GiB of 32", "is Standard_LRS", "is in zone 3, not in none"):
        assert part in said
    fits = FoundDisk(
        DataDisk.MYSQL, TARGET.name, TARGET.id.upper(), 32, "Premium_ZRS", "swedencentral", (), "Unattached", "", ""
    )
    assert problems(fits, TARGET, take_over=True) == []


def test_a_copy_goes_by_a_snapshot_and_is_as_the_stack_makes_it(azure: Path) -> None:
    DiskCopy(one(), TARGET, COMPUTE).run(silent)
    snapshot, made = [call for call in calls(azure) if call[1] == "create"]
    assert snapshot[:2] == ["snapshot", "create"]
    assert ["--source", f"{GROUP}/opik-mysql-data-1756776933"] == snapshot[snapshot.index("--source") :][:2]
    assert snapshot[snapshot.index("--resource-group") :][:2] == ["--resource-group", "llm-dev-disks-snapshots"]
    for words in (["--sku", "Premium_ZRS"], ["--size-gb", "32"], ["--name", "llm-dev-mysql-2"]):
        assert words == made[made.index(words[0]) :][:2]
    assert "--zone" not in made
    # Nothing is ever asked of the old disk but its snapshot.
    assert not [call for call in calls(azure) if call[1] in ("delete", "update", "grant-access")]


def test_a_copy_is_taken_up_where_it_ended(azure: Path) -> None:
    (azure / "fail-disk-create").write_text("")
    with pytest.raises(OperatorError, match="try later"):
        DiskCopy(one(), TARGET, COMPUTE).run(silent)
    id_ = DiskCopy(one(), TARGET, COMPUTE).run(silent)
    assert id_ == TARGET.id
    assert DiskCopy(one(), TARGET, COMPUTE).run(silent) == TARGET.id
    made = [call[:2] for call in calls(azure) if call[1] == "create"]
    assert made == [["snapshot", "create"], ["disk", "create"], ["disk", "create"]]


def test_a_disk_that_is_no_copy_is_never_written_over(azure: Path) -> None:
    (azure / f"disk-{TARGET.name}").write_text(json.dumps({"id": TARGET.id, "creationData": {"createOption": "Empty"}}))
    with pytest.raises(OperatorError, match="is no copy of opik-mysql-data-1756776933") as caught:
        DiskCopy(one(), TARGET, COMPUTE).run(silent)
    assert caught.value.code == ExitCode.REFUSED
    assert not [call for call in calls(azure) if call[1] == "create"]


def test_a_snapshot_of_another_disk_is_never_used(azure: Path) -> None:
    other = {"id": "s", "creationData": {"sourceResourceId": f"{GROUP}/opik-mysql-data-9"}}
    (azure / f"snapshot-{TARGET.snapshot}").write_text(json.dumps(other))
    with pytest.raises(OperatorError, match="is of another disk"):
        DiskCopy(one(), TARGET, COMPUTE).run(silent)
    assert not [call for call in calls(azure) if call[1] == "create"]


def test_what_the_environment_wants_is_what_its_stack_makes() -> None:
    settings = load_settings("dev")
    found = desired(settings, DataDisk.CLICKHOUSE, 2)
    assert (found.name, found.new.group) == ("llm-dev-clickhouse-2", settings.azure_names.resource_group("disks"))
    assert found.new.sku == f"{settings.disks.tier}_{settings.disks.redundancy.upper()}"


@pytest.mark.usefixtures("azure")
def test_a_disk_that_was_never_attached_holds_nothing() -> None:
    assert COMPUTE.disk(TARGET.name, TARGET.new.group) is None
    assert not was_used({"diskState": "Unattached"})
    assert was_used({"lastOwnershipUpdateTime": "2026-01-01T00:00:00+00:00"})
    assert was_used({"managedBy": "/vm"})
