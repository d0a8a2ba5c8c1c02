"""`llmctl cleanup`: what a mode lists, what it asks for, and what takes the protection off."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.azure.cli import Cli
from scripts.azure.resources import Azure
from scripts.cli.cleanup.cleanup import kept_with, lies_in
from scripts.cli.cleanup.commands import app
from scripts.cli.tools import Tools
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.tiers import STACKS
from scripts.core.workspace import ROOT
from scripts.deployment.leaving.inventory import inventory
from scripts.deployment.leaving.modes import SCOPES, Mode, chosen
from scripts.deployment.leaving.recent_backup import require_recent_backup
from scripts.terraform.prepare import Job
from stacks.common.given_up import released
from stacks.disks import DisksStack
from stacks.settings import load_settings
from tests.support.cli.terminals import Nobody, answering
from tests.support.stacks.durable import settings, synthesized

DEV = load_settings("dev")
UPLOADS = DEV.azure_names.storage_account("fil")
SETS, VAULT = DEV.azure_names.resource_group("disks-backup-sets"), "/a/vault"
STATES: dict[str, dict[str, dict[str, Any]]] = {
    "disks": {
        "azurerm_resource_group.sets": {"name": SETS, "id": f"/groups/{SETS}"},
        "azurerm_managed_disk.mysql": {"name": "llm-dev-mysql", "disk_size_gb": 32},
        "azurerm_storage_account.uploads": {"name": UPLOADS, "id": "/a/uploads"},
        "azurerm_storage_share.uploads": {"name": "chat-uploads", "quota": 64, "storage_account_id": "/a/uploads"},
        "azurerm_storage_account.models": {"name": DEV.azure_names.storage_account("mdl"), "id": "/a/models"},
        "azurerm_storage_share.models": {"name": "vllm-models", "quota": 100, "storage_account_id": "/a/models"},
        "azurerm_data_protection_backup_instance_disk.mysql": {"name": "llm-dev-mysql"},
        "azurerm_data_protection_backup_vault.it": {"name": "llm-dev-backup"},
    },
    "database": {
        "azurerm_postgresql_flexible_server.it": {"name": "llm-dev-pg", "id": "/pg", "storage_mb": 32768},
        "azurerm_postgresql_flexible_server_configuration.tls": {"name": "tls"},
        "azurerm_key_vault.it": {"name": "llm-dev-vault"},
    },
    "aks": {"azurerm_kubernetes_cluster.it": {"name": "llm-dev", "kubernetes_version": "1.36"}},
}


class FakeRun:
    """A run that knows what the states hold; whoever wants to change anything fails."""

    stacks = dict.fromkeys(STACKS)

    def __init__(self, name: str = "") -> None:
        self._name = name

    def runner(self, name: str) -> Any:
        return FakeRun(name)

    def resources(self) -> dict[str, dict[str, Any]]:
        return STATES.get(self._name, {})


def snapshot(set_id: str, disk: str) -> dict[str, Any]:
    tags = {"purpose": "backup-set", "backup-set": set_id}
    return {"id": f"/{set_id}/{disk}", "name": disk, "diskSizeGb": 128, "location": "westeurope", "tags": tags}


def invoke(
    *words: str, terminal: Terminal | None = None, snapshots: Sequence[Mapping[str, Any]] = ()
) -> tuple[Result, list[str]]:
    began: list[str] = []

    def ask_list(*arguments: str) -> list[Any]:
        assert arguments == ("snapshot", "list", "--subscription", DEV.azure.subscription_id, "--resource-group", SETS)
        return list(snapshots)

    azure = Azure(Cli(subscription=DEV.azure.subscription_id, ask_list=ask_list))

    @contextmanager
    def rollout(job: Job) -> Iterator[Any]:
        if job.destroy:
            began.append(job.action)
            raise OperatorError("began")
        yield FakeRun()

    tools = Tools(rollout=rollout, terminal=terminal or Nobody(), azure_of=lambda _subscription: azure)
    return CliRunner().invoke(app, list(words), obj=tools), began


def test_a_dry_run_lists_with_sizes_what_goes_and_what_stays_and_ends() -> None:
    result, began = invoke("uploads", "dev", "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    items = {item["name"]: (item["size"], item["goes"]) for item in json.loads(result.stdout)["items"]}
    assert items == {
        "llm-dev-mysql": ("32 GiB", False),
        "chat-uploads": ("64 GiB", True),
        "vllm-models": ("100 GiB", False),
        "llm-dev-backup": ("backups of the disks", False),
        "llm-dev-pg": ("32 GiB", False),
        "llm-dev-vault": ("secrets", False),
        "llm-dev": ("1.36", True),
    }
    assert began == []


@pytest.mark.parametrize("mode", [mode for mode in Mode if SCOPES[mode].data])
@pytest.mark.parametrize("words", [["--yes"], ["--yes", "--confirm", "dev"], ["--confirm", "prod everything"]])
def test_nothing_but_environment_and_mode_by_name_agrees_to_deleting_data(mode: Mode, words: list[str]) -> None:
    result, began = invoke(mode.value, "dev", "--without-backup", *words)
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code is ExitCode.REFUSED
    assert began == []


@pytest.mark.parametrize(
    ("words", "terminal"),
    [
        (["traces", "dev", "--confirm", "dev traces"], Nobody()),
        (["traces", "dev"], answering("dev traces")),
        (["cluster", "dev", "--yes"], Nobody()),
        (["platform", "dev"], answering("dev")),
    ],
)
def test_what_was_agreed_to_begins(words: list[str], terminal: Terminal) -> None:
    _, began = invoke(*words, terminal=terminal)
    assert began == [f"cleanup {words[0]}"]


def test_backup_sets_are_listed_with_sizes_and_prices_and_asked_about_by_name() -> None:
    there = [snapshot("20261129t030000z", "mysql"), snapshot("20261130t030000z", "mysql")]
    agreed = ["--confirm", "dev traces"]
    listed, _ = invoke("traces", "dev", "--dry-run", snapshots=there)
    goes, _, stays = listed.stdout.partition("Stays:")
    assert "backup set 20261129t030000z  1 snapshots, 128 GiB of disks" in goes
    assert "together  256 GiB of disks, at most 12.80 USD a month (list prices of this release" in goes
    assert "backup set 2026" not in stays
    kept, _ = invoke("traces", "dev", "--dry-run", "--keep-backups", snapshots=there)
    assert "backup set 20261130t030000z" in kept.stdout.partition("Stays:")[2]

    refused, began = invoke("traces", "dev", *agreed, snapshots=there)
    assert isinstance(refused.exception, OperatorError)
    assert (refused.exception.code, began) == (ExitCode.REFUSED, [])
    for more in (["--confirm-backups", "dev backups"], ["--keep-backups"]):
        assert invoke("traces", "dev", *agreed, *more, snapshots=there)[1] == ["cleanup traces"]
    sets = json.loads(invoke("everything", "dev", "--dry-run", "--json", snapshots=there)[0].stdout)["backup_sets"]
    assert [(one["id"], one["snapshots"], one["size_gib"], one["goes"]) for one in sets] == [
        ("20261129t030000z", 1, 128, True),
        ("20261130t030000z", 1, 128, True),
    ]


def test_what_belongs_to_the_group_of_backup_sets_is_known_by_its_id_or_by_what_it_is_about() -> None:
    group = "/subscriptions/s/resourceGroups/llm-dev-disks-backup-sets"
    assert lies_in(group, {"id": group.upper()})
    assert lies_in(group, {"id": f"{group}/providers/Microsoft.Storage/storageAccounts/a"})
    assert lies_in(group, {"id": "/role", "scope": group})
    assert not lies_in(group, {"id": f"{group}-of-others"})
    assert not lies_in(group, {"id": "/role", "scope": f"{group}-of-others"})
    guard = {"id": "/assignment", "resource_group_id": group, "policy_definition_id": "/policies/KEEP"}
    policies = {"p.mine": {"id": "/policies/keep"}, "p.other": {"id": "/policies/other"}}
    assert kept_with(group, {"a.guard": guard, **policies}) == ["a.guard", "p.mine"]


def test_each_mode_deletes_what_its_name_says() -> None:
    def goes(mode: Mode) -> set[str]:
        return {item.name for item in inventory(mode, DEV.azure_names, STATES) if item.goes}

    assert goes(Mode.PLATFORM) == set()
    assert goes(Mode.CLUSTER) == {"llm-dev"}
    assert goes(Mode.TRACES) == {"llm-dev", "llm-dev-mysql"}
    assert goes(Mode.DATABASES) == {"llm-dev", "llm-dev-pg"}
    assert goes(Mode.EVERYTHING) == {item.name for item in inventory(Mode.EVERYTHING, DEV.azure_names, STATES)}
    assert chosen(Mode.UPLOADS, DEV.azure_names, STATES["disks"]) == ["azurerm_storage_account.uploads"]
    assert chosen(Mode.TRACES, DEV.azure_names, STATES["disks"]) == [
        "azurerm_managed_disk.mysql",
        "azurerm_data_protection_backup_instance_disk.mysql",
    ]


def test_protection_and_promised_backups_are_taken_off_and_nothing_else() -> None:
    before = synthesized(DisksStack, settings())
    after = released(before)
    (vault,) = after["resource"]["azurerm_data_protection_backup_vault"].values()
    assert (vault.pop("immutability"), vault.pop("soft_delete")) == ("Disabled", "Off")
    (kept,) = before["resource"]["azurerm_data_protection_backup_vault"].values()
    assert (kept.pop("immutability"), kept.pop("soft_delete")) == ("Unlocked", "On")
    text = json.dumps(after)
    assert '"prevent_destroy": true' not in text
    assert json.loads(text.replace('"prevent_destroy": false', '"prevent_destroy": true')) == before


def test_only_cleanup_takes_the_protection_off_and_only_a_first_deployment_recovers_secrets() -> None:
    """No setting and no variable does it, so that nothing can stay unprotected."""
    users: dict[str, set[str]] = {"stacks.common.given_up": set(), "stacks.common.fresh_secrets": set()}
    for folder in ("scripts", "stacks", "constructs"):
        for path in (ROOT / folder).rglob("*.py"):
            for name, found in users.items():
                parent, _, last = name.rpartition(".")
                if f"{name} import" in (text := path.read_text("utf-8")) or f"from {parent} import {last}" in text:
                    found.add(path.relative_to(ROOT).as_posix())
    assert users == {
        "stacks.common.given_up": {"scripts/cli/cleanup/cleanup.py"},
        "stacks.common.fresh_secrets": {"scripts/deployment/bring_up.py"},
    }


@pytest.mark.parametrize(
    ("made", "found"),
    [([], "there is none"), (["2026-11-28T23:59:00Z"], "2026-11-28 23:59 UTC"), (["2026-11-20T00:00:00Z"], "11-20")],
)
def test_a_database_without_a_recent_backup_is_not_deleted(made: list[str], found: str) -> None:
    def ask(*arguments: str) -> dict[str, Any]:
        assert arguments[-1] == "/pg/backups?api-version=2024-08-01"
        return {"value": [{"properties": {"completedTime": moment}} for moment in made]}

    now = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    with pytest.raises(OperatorError, match=found) as refused:
        require_recent_backup("/pg", now, ask)
    assert refused.value.code is ExitCode.REFUSED
    made.append("2026-11-29T00:00:00Z")
    assert require_recent_backup("/pg", now, ask) == datetime(2026, 11, 29, tzinfo=UTC)
