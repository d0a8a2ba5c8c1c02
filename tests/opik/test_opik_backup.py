"""Disks are backed up before anything is changed, and a backup that fails stops everything."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.opik.disk_backup import RULE, Vault, back_up, disks_of
from stacks.settings.data import DataDisk
from tests.support.cli.fake_tools import Tools, install
from tests.support.stacks.synthesis import Synthesized

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/llm-dev-disks/providers"
VAULT_ID = f"{GROUP}/Microsoft.DataProtection/backupVaults/llm-dev-backup"
OUTPUTS = {f"{disk}_disk_id": f"{GROUP}/Microsoft.Compute/disks/llm-dev-{disk}" for disk in DataDisk}
DISKS = {disk.value: f"llm-dev-{disk}" for disk in DataDisk}


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    return install(tmp_path / "tools", monkeypatch)


def run(**options: float) -> list[str]:
    said: list[str] = []
    back_up(Vault.of(VAULT_ID), disks_of(OUTPUTS), said.append, poll_s=0, **options)
    return said


def test_every_disk_gets_a_backup_of_its_own_and_its_end_is_waited_for(tools: Tools) -> None:
    tools.write("job-of-llm-dev-clickhouse", "InProgress InProgress Completed")
    said = run()
    started = [call for call in tools.calls if "adhoc-backup" in call]
    assert sorted(call[call.index("--backup-instance-name") + 1] for call in started) == sorted(DISKS.values())
    assert len(started) == 5
    for call in started:
        assert call[call.index("--rule-name") + 1] == RULE
        assert call[call.index("--subscription") + 1] == SUBSCRIPTION
        assert call[call.index("--resource-group") + 1] == "llm-dev-disks"
        assert call[call.index("--vault-name") + 1] == "llm-dev-backup"
    assert sum("job-of-llm-dev-clickhouse" in call for call in tools.calls) == 3
    assert "clickhouse: backup is completed" in said


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "None"])
def test_a_backup_that_ends_badly_is_named(tools: Tools, status: str) -> None:
    tools.write("job-of-llm-dev-zookeeper", f"InProgress {status}")
    with pytest.raises(OperatorError, match=f"nothing was changed: zookeeper: backup is {status}") as refusal:
        run()
    assert "--skip-backup" in refusal.value.fix


def test_a_backup_that_cannot_begin_is_named_in_azures_words_beside_the_others(tools: Tools) -> None:
    tools.write("refuse-llm-dev-mysql", "")
    tools.write("job-of-llm-dev-redis", "Failed")
    with pytest.raises(OperatorError, match="llm-dev-mysql is not there") as refusal:
        run()
    assert "redis: backup is Failed" in refusal.value.message


def test_a_backup_that_does_not_end_is_not_waited_for_for_ever(tools: Tools) -> None:
    tools.write("job-of-llm-dev-minio", "InProgress")
    with pytest.raises(OperatorError, match="minio: backup has not ended in time"):
        run(patience_s=0)


def test_a_machine_without_the_azure_cli_makes_no_backup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OperatorError, match="`az` is not installed") as refusal:
        run()
    assert refusal.value.code == ExitCode.FAILED


@pytest.mark.parametrize("wrong", ["", "/subscriptions/1", VAULT_ID.replace("backupVaults", "vaults")])
def test_another_resource_is_not_taken_for_a_backup_vault(wrong: str) -> None:
    with pytest.raises(ValueError, match="no id of a Backup vault"):
        Vault.of(wrong)


def test_backups_bear_the_names_of_the_disks_as_the_stack_gives_them(
    environment: Callable[[str], Synthesized],
) -> None:
    instances = environment("dev").resources("disks", "azurerm_data_protection_backup_instance_disk").values()
    assert sorted(instance["name"] for instance in instances) == sorted(disks_of(OUTPUTS).values())
