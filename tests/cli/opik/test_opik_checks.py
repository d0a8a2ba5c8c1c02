"""`llmctl opik health` and the end of a deployment: what the databases have migrated, what works."""

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from scripts.cli.deploy import deploy
from scripts.core.checks import Check, print_checks
from scripts.core.errors import ExitCode
from scripts.core.targets import load_environment
from scripts.opik import migrations as opik_migrations
from tests.support.cli.operated_environment import Operated
from tests.support.opik.frontend import frontend
from tests.support.opik.operated import LEDGER, refused, run, runs

pytestmark = pytest.mark.programs


def test_health_names_a_migration_that_was_passed_over(operated: Operated) -> None:
    runs(operated, "2.1.30")
    operated.file.write_text(operated.text + "opik:\n  version: 2.1.30\n")
    with frontend(operated.tools, version="2.1.30"):
        assert "all 3 migrations" in run(operated, "health", "dev", "--inside", "--json").stdout
        operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.23"])
        result = run(operated, "health", "dev", "--inside", "--json")
    assert result.exit_code == ExitCode.FAILED
    assert "MySQL 000002_b" in result.stdout


def migrated(operated: Operated) -> bool:
    tools = operated.command_tools
    settings = load_environment("dev")
    return opik_migrations.after_deployment(settings.name, settings.opik, tools.kubectl_of, tools.changelogs)


def test_a_deployment_is_compared_and_says_what_is_missing(
    operated: Operated, capsys: pytest.CaptureFixture[str]
) -> None:
    assert migrated(operated)
    assert "all 2 migrations have been executed" in capsys.readouterr().err
    operated.tools.write("exec-opik-mysql-0", "me\tanother\n")
    assert not migrated(operated)
    assert "MySQL 000001_a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("executed", "code"), [("me\tanother\n", ExitCode.FAILED), (LEDGER["2.1.23"], ExitCode.OK)], ids=["lacks", "holds"]
)
def test_llmctl_deploy_ends_with_what_the_databases_hold(
    executed: str, code: ExitCode, operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "refuse_unready", lambda name, _checkout: load_environment(name))
    operated.tools.write("exec-opik-mysql-0", executed)
    result = CliRunner().invoke(deploy.app, ["dev", "platform", "--yes"], obj=operated.command_tools)
    assert result.exit_code == code, result.output


def test_databases_without_a_history_are_no_success(operated: Operated, capsys: pytest.CaptureFixture[str]) -> None:
    (operated.tools.folder / "exec-opik-mysql-0").unlink()
    assert not migrated(operated)
    assert "cannot be read" in capsys.readouterr().err


def test_a_cluster_that_cannot_be_asked_is_said_with_the_command_that_asks_again(
    operated: Operated, capsys: pytest.CaptureFixture[str]
) -> None:
    (operated.tools.folder / "kubeconfig.json").unlink()
    assert migrated(operated)
    said = capsys.readouterr().err
    assert "were not compared" in said
    assert "llmctl opik health dev" in said


def test_an_environment_without_opik_is_told_so(operated: Operated) -> None:
    operated.file.write_text(operated.text + "opik: {enabled: false}\n")
    assert "runs no Opik" in refused(operated, "upgrade", "2.1.30", "dev", "--yes").message


def test_health_compares_file_cluster_and_server(operated: Operated) -> None:
    with frontend(operated.tools):
        result = run(operated, "health", "dev", "--inside", "--json", "--sdk", "2.1.20")
        assert result.exit_code == ExitCode.OK, result.output
        assert json.loads(result.stdout)["ok"] is True
        operated.file.write_text(operated.text + "opik:\n  version: 2.1.30\n")
        result = run(operated, "health", "dev", "--inside", "--json", "--sdk", "2.1.24")
    problems = {check["name"]: check["problem"] for check in json.loads(result.stdout)["checks"] if check["problem"]}
    assert result.exit_code == ExitCode.FAILED
    assert problems["deployed 2.1.23"] == "environments/dev.yaml asks for 2.1.30"
    assert "newer than server" in problems["SDK 2.1.24"]


def test_health_compares_how_long_traces_are_kept(operated: Operated) -> None:
    with frontend(operated.tools, kept="short_14d"):
        result = run(operated, "health", "dev", "--inside", "--json")
        assert result.exit_code == ExitCode.FAILED
        assert "the file asks for unlimited: run `llmctl opik retention dev`" in result.stdout
        operated.file.write_text(operated.text + "opik:\n  retention_days: 14\n")
        assert run(operated, "health", "dev", "--inside", "--json").exit_code == ExitCode.OK


def test_llmctl_deploy_says_that_traces_are_kept_for_another_time(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "refuse_unready", lambda name, _checkout: load_environment(name))
    operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.23"])
    operated.file.write_text(operated.text + "opik:\n  retention_days: 14\n")
    with frontend(operated.tools):
        result = CliRunner().invoke(deploy.app, ["dev", "platform", "--yes"], obj=operated.command_tools)
    assert result.exit_code == ExitCode.OK, result.output
    assert "retention unlimited: the file asks for short_14d" in " ".join(result.stderr.split())


def test_checks_are_shown_with_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    show: Callable[[list[Check]], None] = print_checks
    show([Check("page", ""), Check("backend", "answers 503 [bold]")])
    assert capsys.readouterr().err.splitlines() == ["✓ page", "✗ backend: answers 503 [bold]"]
