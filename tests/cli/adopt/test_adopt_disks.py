"""`llmctl adopt disks`: which disk a store gets, what leaves the state for it, and that a disk with data stays."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.adopt import commands as adopt
from scripts.cli.adopt.disks import named_disks
from scripts.cli.tools import Tools as CommandTools
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings, load_settings
from stacks.settings.data import DataDisk
from tests.applications.adoption.test_disks import AZ, GROUP, calls, disk
from tests.support.cli.terminals import Nobody, answering


class Runner:
    """The stack `disks` with its state."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.stack = SimpleNamespace(folder=folder)
        group = settings.azure_names.resource_group("disks")
        place = f"/subscriptions/{settings.azure.subscription_id}/resourceGroups/{group}"
        self.state: dict[str, dict[str, Any]] = {}
        for one in DataDisk:
            name = settings.azure_names.data_disk(one.value, 1)
            id_ = f"{place}/providers/Microsoft.Compute/disks/{name}"
            self.state[f"azurerm_managed_disk.{one.value}_disk_1"] = {"id": id_, "name": name}
            self.state[f"azurerm_management_lock.{one.value}_lock_1"] = {"id": "l", "scope": id_}
        names = [address.partition(".")[2] for address in self.state if address.startswith("azurerm_managed_disk")]
        text = json.dumps({"resource": {"azurerm_managed_disk": {key: {} for key in names}}})
        (folder / "cdk.tf.json").write_text(text)
        self.done: list[tuple[str, ...]] = []

    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        return dict(self.state)

    def forget(self, addresses: list[str]) -> None:
        self.done.append(("forget", *addresses))
        for address in addresses:
            del self.state[address]

    def adopt(self, address: str, resource_id: str) -> None:
        self.done.append(("adopt", address, resource_id.rsplit("/", 1)[-1]))
        self.state[address] = {"id": resource_id, "name": resource_id.rsplit("/", 1)[-1]}


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable} -IS\nFOLDER = {str(tmp_path)!r}\n{AZ}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    settings = load_settings("dev")
    found = [disk("opik-mysql-data-1", location=settings.azure.region, diskSizeGB=8)]
    (tmp_path / "disks.json").write_text(json.dumps(found))
    return tmp_path


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(load_settings("dev"), tmp_path)


def run(runner: Runner, *words: str, terminal: Terminal | None = None) -> Result:
    rollout = SimpleNamespace(runner=lambda _stack: runner)
    tools = CommandTools(terminal=terminal or Nobody(), rollout=lambda _job: nullcontext(rollout))  # type: ignore[arg-type]
    return CliRunner().invoke(adopt.app, ["disks", "dev", "--resource-group", "opik-rg", *words], obj=tools)


def test_a_dry_run_shows_what_becomes_of_each_disk_and_makes_nothing(azure: Path, runner: Runner) -> None:
    result = run(runner, "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["disks"]["mysql"]["name"], report["disks"]["mysql"]["becomes"]) == (
        "opik-mysql-data-1",
        "llm-dev-mysql-2",
    )
    assert report["problems"] == []
    assert runner.done == []
    assert not [call for call in calls(azure) if call[1] == "create"]


def test_without_the_environments_name_nothing_is_made(azure: Path, runner: Runner) -> None:
    result = run(runner, terminal=answering("yes"))
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code == ExitCode.REFUSED
    assert runner.done == []
    assert not [call for call in calls(azure) if call[1] == "create"]


def test_an_attached_disk_is_refused_before_anything_is_asked(azure: Path, runner: Runner) -> None:
    found = [disk("opik-mysql-data-1", location=load_settings("dev").azure.region, managedBy="/vm/node-1")]
    (azure / "disks.json").write_text(json.dumps(found))
    result = run(runner, "--confirm", "dev")
    assert isinstance(result.exception, OperatorError)
    assert "is attached to node-1" in result.exception.message
    assert runner.done == []


def test_an_own_disk_that_was_in_use_is_put_aside_only_where_it_is_named(azure: Path, runner: Runner) -> None:
    used = {"name": "llm-dev-mysql", "lastOwnershipUpdateTime": "2026-01-01T00:00:00+00:00"}
    (azure / "disk-llm-dev-mysql").write_text(json.dumps(used))
    result = run(runner, "--dry-run")
    assert isinstance(result.exception, OperatorError)
    assert "has been in use and may hold data" in result.exception.message
    assert run(runner, "--dry-run", "--beside", "mysql").exit_code == 0


def test_a_take_over_of_a_disk_with_another_name_is_refused(azure: Path, runner: Runner) -> None:
    assert azure
    result = run(runner, "--take-over", "--confirm", "dev")
    assert isinstance(result.exception, OperatorError)
    assert "Azure renames no disk: copy it" in result.exception.message
    assert runner.done == []


def test_an_environment_without_disks_is_told_to_deploy_them(azure: Path, runner: Runner) -> None:
    assert azure
    runner.state.clear()
    result = run(runner, "--dry-run")
    assert isinstance(result.exception, OperatorError)
    assert result.exception.fix == "llmctl deploy dev disks"


def test_a_named_disk_needs_its_store() -> None:
    assert named_disks(["redis=a"]) == {DataDisk.REDIS: "a"}
    for word in ("redis", "redis=", "postgres=a"):
        with pytest.raises(OperatorError, match=r"is no STORE=NAME"):
            named_disks([word])


def test_the_disks_of_the_other_installation_are_never_asked_for_more_than_a_list(azure: Path, runner: Runner) -> None:
    run(runner, "--dry-run")
    assert [call[:2] for call in calls(azure) if GROUP in " ".join(call)] == []
