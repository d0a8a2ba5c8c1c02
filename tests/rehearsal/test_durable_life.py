"""What happens to the durable stacks over the years, with the real Terraform on fake providers."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.mirror import prepare
from scripts.review.plan import read_plan
from stacks.common.base import EnvironmentStack
from stacks.database import DatabaseStack
from stacks.disks import DisksStack
from stacks.settings import Settings
from stacks.settings.data import DataDisk
from tests.support.stacks.durable import settings, synthesized

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform"),
]

OLD_SERVER = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/llm-dev-database"
    "/providers/Microsoft.DBforPostgreSQL/flexibleServers/llm-dev-pg-46cy3"
)
ADMINISTRATOR = "database-administrator-password"


@dataclass(frozen=True)
class Workplace:
    """A folder with one durable stack, its state, and the fake cloud that it is deployed to."""

    folder: Path
    environment: dict[str, str]

    def write(self, stack: type[EnvironmentStack], varied: Settings) -> dict[str, Any]:
        """Put the synthesized stack into the folder and return it."""
        parsed = synthesized(stack, varied)
        parsed["terraform"]["backend"] = {"local": {"path": "terraform.tfstate"}}
        (self.folder / "cdk.tf.json").write_text(json.dumps(parsed))
        if not (self.folder / ".terraform").is_dir():
            self.terraform("init", "-input=false")
        return parsed

    def terraform(self, *arguments: str, succeeds: bool = True) -> str:
        """Run Terraform; return what it prints."""
        run = subprocess.run(
            ["terraform", *arguments, *(["-no-color"] if arguments[0] != "state" else [])],
            cwd=self.folder,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode == 0) is succeeds, run.stdout + run.stderr
        return run.stdout + run.stderr

    def apply(self, *targets: str) -> str:
        """Apply, and assert that nothing is left to change afterwards unless only targets were applied."""
        text = self.terraform("apply", "-auto-approve", *(f"-target={target}" for target in targets))
        if not targets:
            self.terraform("plan", "-detailed-exitcode")
        return text

    def addresses(self) -> set[str]:
        """Return what the state holds."""
        return set(self.terraform("state", "list").split())

    def secret(self, holder: str, name: str) -> str:
        """Return the newest value that the fake cloud keeps."""
        kept = Cloud(self.folder / "cloud").secret(holder, name, None)
        assert kept
        return kept[1]


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path, prepare(tmp_path / "cloud"))


def _address(parsed: dict[str, Any], kind: str) -> str:
    (name,) = parsed["resource"][kind]
    return f"{kind}.{name}"


def test_first_run_that_was_interrupted_before_the_secrets_goes_on(workplace: Workplace) -> None:
    workplace.apply(_address(workplace.write(DatabaseStack, settings()), "azurerm_key_vault"))
    workplace.apply()


def test_rotated_administrator_password_reaches_the_server_with_the_same_deployment(workplace: Workplace) -> None:
    def passwords() -> tuple[str, str]:
        vault = workplace.terraform("output", "-raw", "vault_id")
        server = workplace.terraform("output", "-raw", "server_id")
        return workplace.secret(vault, ADMINISTRATOR), workplace.secret(server, "administrator_password_wo")

    workplace.write(DatabaseStack, settings())
    workplace.apply()
    in_vault, in_server = passwords()
    assert in_vault == in_server

    workplace.write(DatabaseStack, settings(secrets={"versions": {ADMINISTRATOR: 2}}))
    assert "0 to add, 2 to change, 0 to destroy" in workplace.apply()
    rotated_in_vault, rotated_in_server = passwords()
    assert rotated_in_vault == rotated_in_server != in_vault
    assert rotated_in_vault not in (workplace.folder / "terraform.tfstate").read_text()


def test_a_plan_that_only_reads_needs_nothing_of_the_vault(workplace: Workplace) -> None:
    """Every value is gone from the fake vault, so that opening any would fail, as for whoever may read none."""
    workplace.write(DatabaseStack, settings())
    workplace.apply()
    vault = workplace.folder / "cloud" / "vault.db"
    with closing(sqlite3.connect(vault)) as database, database:
        database.execute("DELETE FROM secrets")
    workplace.write(DatabaseStack, settings(secrets={"versions": {ADMINISTRATOR: 2}}))
    planned = workplace.terraform("plan", "-lock=false", "-refresh=false", "-out=plan")
    assert "0 to add, 2 to change, 0 to destroy" in planned
    # What takes the value is applied with it: the new one, which the same run has just written.
    workplace.terraform("apply", "plan")
    server = workplace.terraform("output", "-raw", "server_id")
    assert workplace.secret(server, "administrator_password_wo")


def test_a_secret_deleted_by_hand_is_told_and_nothing_is_written_over_it(workplace: Workplace) -> None:
    """PostgreSQL and the stores keep the old value; a new one would lock everybody out."""
    workplace.write(DatabaseStack, settings())
    workplace.apply()
    vault = workplace.terraform("output", "-raw", "vault_id")
    password = workplace.secret(vault, "database-chat-password")
    cloud = Cloud(workplace.folder / "cloud")
    (there,) = (
        found for found in cloud.objects("azurerm_key_vault_secret") if found.id.count("database-chat-password")
    )
    cloud.delete(there.key)
    workplace.terraform("plan", "-out=plan")
    plan = read_plan(json.loads(workplace.terraform("show", "-json", "plan")))
    assert len(plan.vanished) == 1
    assert "database-chat-password" in plan.vanished[0]
    assert plan.recovery == (
        f"az keyvault secret recover --name database-chat-password --vault-name {vault.rpartition('/')[2]}",
    )
    kept = (workplace.folder / "terraform.tfstate").read_bytes()
    refused = workplace.terraform("apply", "plan", succeeds=False)
    assert "ObjectIsDeletedButRecoverable" in refused
    assert workplace.secret(vault, "database-chat-password") == password

    cloud.create(there)  # az keyvault secret recover
    (workplace.folder / "terraform.tfstate").write_bytes(kept)
    workplace.terraform("plan", "-detailed-exitcode")


def test_restore_in_the_place_of_a_server_is_refused_until_terraform_has_forgotten_it(workplace: Workplace) -> None:
    workplace.write(DatabaseStack, settings())
    workplace.apply()
    parsed = workplace.write(
        DatabaseStack,
        settings(
            database={
                "generation": 2,
                "restore_from_server_id": OLD_SERVER,
                "restore_time_utc": "2026-11-01T12:00:00Z",
            }
        ),
    )
    assert "Instance cannot be destroyed" in workplace.terraform("plan", succeeds=False)

    old = [address for address in workplace.addresses() if address.startswith("azurerm_postgresql_")]
    workplace.terraform("state", "rm", *old)
    assert "0 to change, 0 to destroy" in workplace.apply()
    (server,) = parsed["resource"]["azurerm_postgresql_flexible_server"].values()
    assert workplace.terraform("output", "-raw", "server_name") == server["name"] == "llm-dev-pg2-46cy3"

    workplace.write(DatabaseStack, settings(database={"generation": 2}))
    # What it was restored from is told by the stack's record, which changes with the file; nothing else does.
    assert "without changing any real infrastructure" in workplace.terraform("plan")


def test_changed_backup_policy_takes_the_disks_over_without_a_gap(workplace: Workplace) -> None:
    workplace.write(DisksStack, settings())
    workplace.apply()
    parsed = workplace.write(DisksStack, settings(disks={"backup_retention_days": 30}))
    text = workplace.apply()
    policy = _address(parsed, "azurerm_data_protection_backup_policy_disk")
    created = text.index(f"{policy}: Creation complete")
    removed = text.index(": Destroying...")
    moved = [match.start() for match in re.finditer(r"instance_disk\.\S+: Modifications complete", text)]
    assert len(moved) == len(DataDisk)
    assert created < min(moved)
    assert max(moved) < removed


def test_disk_restored_from_a_backup_is_imported_and_the_old_one_left_alone(workplace: Workplace) -> None:
    parsed = workplace.write(DisksStack, settings())
    workplace.apply()
    (name,) = (
        key for key, disk in parsed["resource"]["azurerm_managed_disk"].items() if disk["name"] == "llm-dev-mysql"
    )
    restored = settings(disks={"generations": {"mysql": 2}})
    workplace.write(DisksStack, restored)
    assert "Instance cannot be destroyed" in workplace.terraform("plan", succeeds=False)

    forgotten = [address for address in workplace.addresses() if ".mysql_" in address or ".backup_mysql_" in address]
    assert f"azurerm_managed_disk.{name}" in forgotten
    assert len(forgotten) == 3
    workplace.terraform("state", "rm", *forgotten)
    assert "3 to add, 0 to change, 0 to destroy" in workplace.terraform("plan")
