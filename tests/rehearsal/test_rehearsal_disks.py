"""`llmctl restore` of disks with the real Terraform on fake providers: there, interrupted at each step, and back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.cli.restore.disk_switch import DiskSwitch
from scripts.cli.tools import Tools as CommandTools
from scripts.core.errors import OperatorError
from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.lab.rehearsal.cloud import Cloud, CloudObject
from stacks.settings.data import DataDisk
from tests.support.backup.cluster import FakeKubectl
from tests.support.cli.environment_folder import use_environments
from tests.support.rehearsal.file_drill import FileDrill

pytestmark = pytest.mark.rehearsal

FILE = """\
name: dev
azure:
  subscription_id: 00000000-5eed-4000-8000-000000000001
  region: westeurope
domain: llm-dev.example.com
ingress: {acme_email: platform@example.com}
chat: {enabled: false}
gateway: {enabled: false}
disks: # with a comment that stays
  backup_time: "04:00"
"""
DISK = "azurerm_managed_disk"
MOVED = {DataDisk.MYSQL: 2, DataDisk.CLICKHOUSE: 2, DataDisk.ZOOKEEPER: 2}
FAULTS = """\
- {resource: "azurerm_data_protection_backup_instance_disk.backup_mysql*", on: create, effect: fail, times: 1}
- {resource: "kubernetes_persistent_volume_v1.*zookeeper*", on: create, effect: fail, times: 1}
"""


class Drill(FileDrill):
    """An environment in a folder, deployed, whose disks are restored."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FILE)
        self.cloud = Cloud(self.rehearsal.folder)
        self.kubectl = FakeKubectl()
        self.stopped: list[str] = []

    def restored_in_azure(self, store: str) -> None:
        """Let Azure hold a disk made of a snapshot, as `az disk create` leaves it."""
        (old,) = (found for found in self.disks() if found.id.endswith(f"llm-dev-{store}"))
        new = f"{old.id}-2"
        state = {**old.state, "id": new, "name": f"llm-dev-{store}-2", "create_option": "Copy"}
        self.cloud.create(replace(old, key=old.key.replace(old.id, new).replace(old.id.lower(), new.lower()), id=new,
                                  state=state, address="", stack=""))  # fmt: skip

    def disks(self) -> list[CloudObject]:
        return self.cloud.objects(DISK)

    def switch(self) -> DiskSwitch:
        ids = {found.id.rsplit("/", 1)[-1]: found.id for found in self.disks()}
        (vault,) = self.cloud.objects("azurerm_data_protection_backup_vault")
        return DiskSwitch(
            environment="dev",
            tools=CommandTools(rollout=self.rollout, kubectl_of=lambda _name: self.kubectl),
            disk_ids=ids,
            vault_id=vault.id,
            stop=lambda _kubectl, workload: self.stopped.append(workload),
            start=lambda _kubectl, _workload: None,
            detached=lambda _kubectl, _volume: None,
        )

    def in_state(self) -> set[str]:
        """Return the names of the disks that Terraform manages."""
        run = self.rehearsal.rollout("disks")
        return {v["name"] for a, v in run.runner("disks").resources().items() if a.startswith(f"{DISK}.")}

    def locked(self) -> set[str]:
        return {found.id.rsplit("/", 5)[-5] for found in self.cloud.objects("azurerm_management_lock")}

    def protected(self) -> set[str]:
        instances = self.cloud.objects("azurerm_data_protection_backup_instance_disk")
        return {found.id.rsplit("/", 1)[-1] for found in instances}

    def volumes(self) -> set[Any]:
        platform = self.rehearsal.state_file("platform").read_text("utf-8")
        return {disk.value for disk in DataDisk if f"disks/llm-dev-{disk}-2" in platform}


@pytest.fixture
def drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drill:
    use_environments(tmp_path / "environments", monkeypatch)
    drill = Drill(tmp_path)
    drill.synthesize()
    first = drill.rehearsal.rollout()
    assert first.apply(DURABLE, any_loss=False)
    assert first.apply(DISPOSABLE, any_loss=False)
    return drill


def test_disks_are_switched_through_two_failures_and_back_again(drill: Drill) -> None:
    before = {found.id.rsplit("/", 1)[-1] for found in drill.disks()}
    for disk in MOVED:
        drill.restored_in_azure(disk.value)
    new = {f"llm-dev-{disk}-2" for disk in MOVED}
    assert {found.id.rsplit("/", 1)[-1] for found in drill.disks()} == before | new
    (drill.rehearsal.folder / "faults.yaml").write_text(FAULTS, "utf-8")

    with pytest.raises(OperatorError, match="disks does not use them yet") as first:
        drill.switch().run(MOVED)
    assert "--abort back" in first.value.fix
    assert drill.stopped == [
        "deployment/opik-backend",
        "deployment/opik-python-backend",
        "statefulset/opik-mysql",
        "statefulset/chi-opik-clickhouse-cluster-0-0",
        "statefulset/opik-zookeeper",
    ]
    with pytest.raises(OperatorError, match="platform does not use them yet"):
        drill.switch().run(MOVED)
    drill.switch().run(MOVED)

    others = {"llm-dev-minio", "llm-dev-redis"}
    assert drill.in_state() == new | others
    assert drill.locked() == before | new, "the old ones stay locked"
    assert drill.protected() == before | new
    assert drill.volumes() == set(MOVED)
    text = drill.file.read_text("utf-8")
    assert text.startswith(FILE.rstrip())
    assert "  generations:\n    mysql: 2\n    clickhouse: 2\n    zookeeper: 2\n" in text
    lost = {event.type for event in drill.cloud.journal() if event.operation == "delete"}
    assert "kubernetes_persistent_volume_v1" in lost
    assert lost <= {"kubernetes_persistent_volume_v1", "kubernetes_persistent_volume_claim_v1"}
    again = drill.rehearsal.rollout()
    again.plan()
    assert {name: str(plan.changes) for name, plan in again.plans.items()} == dict.fromkeys(STACKS, "no changes")

    drill.switch().run(dict.fromkeys(MOVED, 1))
    assert drill.in_state() == before
    assert drill.volumes() == set()
    assert {found.id.rsplit("/", 1)[-1] for found in drill.disks()} == before | new
    drill.synthesize()
    again = drill.rehearsal.rollout()
    again.plan()
    assert {name: str(plan.changes) for name, plan in again.plans.items()} == dict.fromkeys(STACKS, "no changes")
