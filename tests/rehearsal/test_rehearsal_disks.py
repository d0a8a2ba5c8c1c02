"""`llmctl restore` of disks with the real Terraform on fake providers: there, interrupted at each step, and back."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.backup.counts import Counted
from scripts.backup.manifest import Code, Manifest, RecoveryPoint, SecretVersion, Snapshot, VaultState
from scripts.backup.restoring import RestorePart
from scripts.cli.adopt import commands as adopt
from scripts.cli.restore.reach import Reach
from scripts.cli.restore.set_restore import SetRestore
from scripts.core.azure import AzureError
from scripts.core.consent import Consent
from scripts.core.errors import OperatorError
from scripts.core.tiers import DURABLE, STACKS
from stacks.settings.data import DataDisk
from tests.support.cli.environment_folder import use_environments
from tests.support.rehearsal.disks_drill import FILE, DisksDrill

pytestmark = pytest.mark.rehearsal

MOVED = {DataDisk.MYSQL: 2, DataDisk.CLICKHOUSE: 2, DataDisk.ZOOKEEPER: 2}
FAULTS = """\
- {resource: "azurerm_data_protection_backup_instance_disk.backup_mysql*", on: create, effect: fail, times: 1}
- {resource: "kubernetes_persistent_volume_v1.*zookeeper*", on: create, effect: fail, times: 1}
"""


@pytest.fixture
def durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DisksDrill:
    """An environment without its cluster."""
    drill = DisksDrill(tmp_path)
    use_environments(tmp_path / "environments", monkeypatch)
    drill.synthesize()
    assert drill.rehearsal.rollout().apply(DURABLE, any_loss=False)
    return drill


@pytest.fixture
def drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deployed_environments: Path) -> DisksDrill:
    drill = DisksDrill(tmp_path)
    use_environments(tmp_path / "environments", monkeypatch)
    drill.deploy_once(deployed_environments)
    return drill


def test_disks_are_switched_through_two_failures_and_back_again(drill: DisksDrill) -> None:
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


OLD_GROUP = "/subscriptions/00000000-5eed-4000-8000-000000000001/resourceGroups/opik-rg/providers/Microsoft.Compute"


def _old_installation(drill: DisksDrill) -> None:
    """Let disks lie in a group of their own that the original scripts made, smaller and not zone-redundant."""
    for disk in DataDisk:
        name = f"opik-{disk}-data-1756776933"
        drill.az.others[f"{OLD_GROUP}/disks/{name}".lower()] = {
            "id": f"{OLD_GROUP}/disks/{name}", "name": name, "location": "westeurope", "diskSizeGb": 8,
            "sku": {"name": "Standard_LRS"}, "diskState": "Unattached", "zones": None, "tags": {},
        }  # fmt: skip


def _adopt(drill: DisksDrill, *words: str) -> Result:
    command = ["disks", "dev", "--resource-group", "opik-rg", "--confirm", "dev", *words]
    return CliRunner().invoke(adopt.app, command, obj=drill.tools)


def test_disks_of_another_installation_are_copied_take_their_places_and_the_old_ones_stay(durable: DisksDrill) -> None:
    _old_installation(durable)
    before, theirs = {found.id.rsplit("/", 1)[-1] for found in durable.disks()}, dict(durable.az.others)
    copies = {f"llm-dev-{disk}-2" for disk in DataDisk}

    def third(call: tuple[str, ...]) -> None:
        made = [one for one in durable.az.calls if one[:2] == ("disk", "create")]
        if call[:2] == ("disk", "create") and len(made) == 3:
            raise AzureError("az failed: throttled")

    durable.az.before = third
    stopped = _adopt(durable)
    assert isinstance(stopped.exception, OperatorError)
    assert durable.in_state() == before, "nothing is switched before every copy is there"
    assert durable.file.read_text("utf-8") == FILE
    durable.az.before = lambda _call: None
    done = _adopt(durable)
    assert done.exit_code == 0, done.exception
    assert durable.in_state() == copies
    assert {found.id.rsplit("/", 1)[-1] for found in durable.disks()} == before | copies
    assert durable.az.others == theirs
    sources = {one.state["source_resource_id"] for one in durable.cloud.objects("azurerm_snapshot")}
    assert sources == {one["id"] for one in theirs.values()}

    durable.synthesize()
    assert durable.rehearsal.rollout("disks").apply(["disks"], any_loss=False)
    assert durable.locked() >= copies | before, "the environment's own disks of before stay, locked"
    assert durable.protected() == before | copies
    run = durable.rehearsal.rollout("disks")
    run.plan()
    assert {str(plan.changes) for plan in run.plans.values()} == {"no changes"}
    again = _adopt(durable)
    assert again.exit_code == 0, again.exception
    assert durable.in_state() == copies
    assert not [
        event
        for event in durable.cloud.journal()
        if event.operation == "delete" and event.type == "azurerm_managed_disk"
    ]


FAULTS_ELSEWHERE = """\
- {resource: "azurerm_data_protection_backup_instance_disk.backup_redis*", on: create, effect: fail, times: 1}
- {resource: azurerm_postgresql_flexible_server, on: create, effect: lose-answer, times: 1}
"""
PROD = "/subscriptions/00000000-5eed-4000-8000-000000000002/resourceGroups"
MOMENT = "2026-11-30T03:00:03Z"
SERVER = f"{PROD}/llm-prod-database/providers/Microsoft.DBforPostgreSQL/flexibleServers/llm-prod-pg-abcde"


def _set_of_prod(drill: DisksDrill) -> Manifest:
    snapshots = []
    for disk in DataDisk:
        name = f"llm-prod-{disk}-20261130t030000z"
        id_ = f"{PROD}/llm-prod-disks-backup-sets/providers/Microsoft.Compute/snapshots/{name}"
        drill.az.others[id_.lower()] = {"id": id_, "name": name, "location": "westeurope", "diskSizeGb": 16}
        snapshots.append(Snapshot(store=disk, name=name, id=id_, disk=f"llm-prod-{disk}", disk_id="d", size_gib=16))
    drill.az.secrets = {
        "llm-prod-abcde": {
            "opik-mysql-password": ["prod"],
            "database-administrator-password": ["prod"],
            "opik-redis-password": ["prod"],
        },
        drill.rehearsal.outputs("database")["vault_name"]: {
            "opik-mysql-password": ["own"],
            "database-administrator-password": ["own"],
            "opik-redis-password": ["own"],
        },
    }
    names = ("opik-mysql-password", "database-administrator-password", "opik-redis-password")
    return Manifest(
        id="20261130t030000z",
        environment="prod",
        subscription_id=PROD.split("/")[2],
        region="westeurope",
        quiesced_seconds=60,
        snapshots=tuple(snapshots),
        database=RecoveryPoint(server="llm-prod-pg-abcde", server_id=SERVER, moment=MOMENT, earliest=MOMENT),
        vault=VaultState(vault="llm-prod-abcde", secrets=tuple(SecretVersion(name=n, version="0") for n in names)),
        code=Code(revision="", changed=False, settings=""),
    )


def _into(drill: DisksDrill) -> SetRestore:
    def database(moment: str, server: str, geo: bool) -> Any:
        return drill.database(MOMENT).run(moment, from_=server, geo_redundant=geo)

    def unused() -> Any:
        raise AssertionError("no uploads are restored")

    reach = Reach(
        opened=drill.opened(),
        load=drill.settings,
        switch=lambda _ids: drill.switch(),
        database=database,
        database_back=lambda server: drill.database(MOMENT).abort(from_=server),
        counted=Counted,
        chat=unused,
        chat_of=lambda _name: unused(),
        azure_of=drill.az.azure,
        refresh=lambda: None,
    )
    return SetRestore(reach=reach, consent=Consent("dev", yes=True))


def test_a_set_of_another_environment_is_restored_through_two_failures_and_taken_back(drill: DisksDrill) -> None:
    of, before, parts = _set_of_prod(drill), drill.in_state(), (RestorePart.DISKS, RestorePart.DATABASE)
    vault = drill.az.secrets[drill.rehearsal.outputs("database")["vault_name"]]
    (own,) = drill.cloud.objects("azurerm_postgresql_flexible_server")
    (drill.rehearsal.folder / "faults.yaml").write_text(FAULTS_ELSEWHERE, "utf-8")
    with pytest.raises(OperatorError, match="disks does not use them yet"):
        _into(drill).run("latest", parts, (), of=of)
    with pytest.raises(OperatorError, match="the new server is not there yet"):
        _into(drill).run("latest", (), ())
    assert _into(drill).run("latest", (), ()) == []

    restored = {f"llm-dev-{disk}-2" for disk in DataDisk}
    assert drill.in_state() == restored
    assert drill.volumes() == set(DataDisk)
    servers = {one.id.rsplit("/", 1)[-1]: one for one in drill.cloud.objects("azurerm_postgresql_flexible_server")}
    (new,) = servers.keys() - {own.state["name"]}
    assert (servers[new].state["create_mode"], servers[new].state["source_server_id"]) == ("PointInTimeRestore", SERVER)
    assert drill.rehearsal.outputs("database")["server_name"] == new
    assert {name: values[-1] for name, values in vault.items()} == {
        "opik-mysql-password": "prod",
        "database-administrator-password": "prod",
        "opik-redis-password": "own",
    }

    stays = _into(drill).abort()
    assert drill.in_state() == before
    assert drill.rehearsal.outputs("database")["server_name"] == own.state["name"]
    assert {values[-1] for values in vault.values()} == {"own"}
    assert len(stays) == len(DataDisk)
    assert {found.id.rsplit("/", 1)[-1] for found in drill.disks()} == before | restored
    assert drill.az.blobs == {}
    drill.synthesize()
    again = drill.rehearsal.rollout("disks", "database")
    again.plan()
    assert {str(plan.changes) for plan in again.plans.values()} == {"no changes"}
