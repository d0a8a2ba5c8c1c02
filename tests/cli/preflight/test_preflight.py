"""`llmctl preflight`: findings on standard output, a sentence on standard error, an exit code for pipelines."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scripts.cli.preflight.commands import app
from scripts.cli.tools import Tools
from scripts.core.errors import ExitCode
from scripts.core.workspace import Workspace
from scripts.preflight.catalogue import CHECKS
from scripts.preflight.findings import Finding, warning
from scripts.preflight.run import Report, Result, Told
from stacks.settings import Settings, load_settings

DISPOSABLE = ("network", "aks", "platform")
DURABLE = ("identity", "disks", "acr", "database", "address")


def found(name: str, *findings: Finding, **more: Any) -> Result:
    return Result(next(check for check in CHECKS if check.name == name), findings, **more)


BAD = Finding("quota cores in westeurope is too small", "AKS refuses nodes", "az quota update")
ODD = warning("it is odd", why="it limps", fix="mend it")
NOBODY = Finding("nobody is logged in to Azure", "every stack fails with its first request", "az login")


def invoke(folder: Path, *arguments: str, results: Collection[Result] = (), loaded: Any = None) -> Any:
    seen: list[Any] = []

    def preflight(settings: Settings, stacks: Collection[str], told: Told, *, undeployed: Collection[str]) -> Report:
        told([])
        seen.append((settings.name, tuple(stacks), tuple(undeployed)))
        return Report(settings.name, tuple(stacks), tuple(results))

    tools = Tools(preflight=preflight, load=loaded or load_settings, workspace=lambda name: Workspace(name, folder))
    shown = CliRunner().invoke(app, list(arguments), obj=tools)
    return shown, seen


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([found("quota")], ExitCode.OK),
        ([found("quota", ODD)], ExitCode.OK),
        ([found("quota", not_checked="this login may not read it (AuthorizationFailed)")], ExitCode.OK),
        ([found("quota", BAD)], ExitCode.FAILED),
        ([found("login", NOBODY), found("quota", not_checked="nobody", needs_login=True)], ExitCode.NOT_READY),
    ],
    ids=["passed", "warning", "not checked", "failed", "no login"],
)
def test_the_exit_code_tells_a_pipeline(results: list[Result], code: ExitCode, tmp_path: Path) -> None:
    shown, _ = invoke(tmp_path, "dev", results=results)
    assert shown.exit_code == code, shown.output


def test_a_finding_has_its_reason_and_its_command(tmp_path: Path) -> None:
    shown, _ = invoke(tmp_path, "dev", results=[found("quota", BAD), found("names")])
    assert shown.stdout == (
        "FAILED quota: quota cores in westeurope is too small\n  why: AKS refuses nodes\n  fix: az quota update\n"
    )
    assert "Preflight of dev: 1 of 2 checks passed, 1 failed." in shown.stderr


def test_without_a_login_one_sentence_says_so(tmp_path: Path) -> None:
    waiting = [found(name, not_checked="nobody", needs_login=True) for name in ("permissions", "quota")]
    shown, _ = invoke(tmp_path, "dev", results=[found("login", NOBODY), *waiting])
    assert shown.stdout == (
        "FAILED login: nobody is logged in to Azure\n  why: every stack fails with its first request\n  fix: az login\n"
        "Not checked without a login: permissions, quota\n"
    )


def test_stacks_that_are_named_are_checked_alone(tmp_path: Path) -> None:
    _, seen = invoke(tmp_path, "dev", "aks", "acr")
    assert [(name, stacks) for name, stacks, _ in seen] == [("dev", ("acr", "aks"))]


def test_what_a_local_state_holds_is_deployed(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "dev"
    folder.mkdir(parents=True)
    (folder / "acr.tfstate").write_text("{}", "utf-8")
    _, seen = invoke(tmp_path, "dev")
    assert seen == [("dev", DURABLE + DISPOSABLE, ("identity", "disks", "database", "address", *DISPOSABLE))]


def test_where_the_state_is_remote_nothing_is_known_of_it(tmp_path: Path) -> None:
    def remote(name: str) -> Settings:
        given = load_settings(name).model_dump()
        state = {"backend": "azurerm", "azurerm": {"resource_group": "tf", "storage_account": "tfstate1"}}
        return Settings.model_validate(given | {"state": state})

    _, seen = invoke(tmp_path, "dev", loaded=remote)
    assert seen[0][2] == ()


def test_json_is_all_of_standard_output(tmp_path: Path) -> None:
    shown, _ = invoke(tmp_path, "dev", "--json", results=[found("quota", BAD)])
    assert shown.exit_code == ExitCode.FAILED
    document = json.loads(shown.stdout)
    assert document["ok"] is False
    assert document["checks"][0]["findings"][0]["fix"] == "az quota update"
