"""Opik upgraded and rolled back from the command line, with the real Terraform, and what happens when a step fails."""

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.applications.ingress import Check, print_checks
from scripts.cli.deploy import deploy
from scripts.cli.opik import change as opik_change
from scripts.cli.opik import commands as opik
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import load_environment
from scripts.deployment import image_step
from scripts.opik import migrations as opik_migrations
from scripts.opik import source
from scripts.opik.changelog import changelog
from stacks.platform.common import catalogue
from stacks.platform.common.catalogue import Chart
from stacks.platform.components.opik import version as opik_version
from tests.support.cli.fake_tools import Tools, install, workload
from tests.support.cli.helm_history import revision
from tests.support.cli.operated_environment import OUTPUTS, Operated, deploy_once, operate, upstream

from .test_opik_cluster import frontend

ADDS = "ALTER TABLE a ADD COLUMN b INT;\n--rollback ALTER TABLE a DROP COLUMN b;"
DROPS = "ALTER TABLE a DROP COLUMN b;\n--rollback empty"
RELEASES = {
    "2.1.23": {"000001_a": "CREATE TABLE a (c INT);"},
    "2.1.30": {"000002_b": ADDS},
    "2.1.31": {"000003_c": DROPS},
}
LEDGER = {
    "2.1.23": "me\t000001_a\n",
    "2.1.30": "me\t000001_a\nme\t000002_b\n",
    "2.1.31": "me\t000001_a\nme\t000002_b\nme\t000003_c\n",
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return upstream(tmp_path_factory.mktemp("git") / "opik", RELEASES)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return deploy_once(tmp_path_factory.mktemp("deployed"), monkeypatch)


@pytest.fixture
def operated(deployed: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Operated:
    found = operate(deployed, tmp_path / "checkout", monkeypatch)
    pin = {"opik": Chart(repository="https://example.org", name="opik", version="2.1.23")}
    for module in (catalogue, opik_version):
        monkeypatch.setattr(module, "charts", lambda: pin)
    monkeypatch.setattr(source, "repository", lambda: url)
    monkeypatch.setattr(opik_migrations, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(opik_change, "rollout", found.rollout)
    monkeypatch.setattr(opik_change, "HEALTH_PATIENCE_S", 0)
    monkeypatch.setattr(opik_change, "Workspace", lambda name: opik_workspace(name, found.folder))
    found.tools.opik(workload("opik-backend"))
    found.tools.items("pods")
    runs(found, "2.1.23")
    return found


def opik_workspace(name: str, base: Path) -> Any:
    from scripts.core.workspace import Workspace

    return Workspace(name, base)


def runs(operated: Operated, *versions: str, failed: str = "") -> None:
    """Let the cluster say that these versions were deployed in this order."""
    entries = [revision(number, version, "superseded") for number, version in enumerate(versions[:-1], 1)]
    if failed:
        entries.append(revision(98, failed, "failed"))
    operated.tools.items("secrets", *entries, revision(99, versions[-1], "deployed"))
    operated.tools.write("exec-opik-mysql-0", LEDGER[max(*versions, failed or versions[-1])])
    operated.tools.write("exec-chi-opik-clickhouse-cluster-0-0-0", "you\tx\n")


@pytest.fixture(autouse=True)
def _analytics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository of the tests has changesets of MySQL only."""
    real = changelog

    def with_analytics(files: Any) -> Any:
        return real({**files, "db-app-analytics/x.sql": "--changeset you:x\nCREATE TABLE x (y String);"})

    monkeypatch.setattr(source, "changelog", with_analytics)


def run(*words: str) -> Result:
    return CliRunner().invoke(opik.app, words)


def refused(*words: str) -> OperatorError:
    result = run(*words)
    assert isinstance(result.exception, OperatorError), result.output
    return result.exception


def backups(tools: Tools) -> int:
    return sum("adhoc-backup" in call for call in tools.calls)


def upgraded(operated: Operated, version: str, *options: str) -> Result:
    operated.tools.write("exec-opik-mysql-0", LEDGER[version])
    with frontend(operated.tools, version=version):
        return run("upgrade", version, "dev", "--yes", *options)


def test_an_upgrade_backs_up_deploys_and_leaves_the_version_in_the_file(operated: Operated) -> None:
    before = operated.text
    result = upgraded(operated, "2.1.30")
    assert result.exit_code == ExitCode.OK, result.output
    assert backups(operated.tools) == 5
    assert operated.text == before + "\nopik:\n  version: 2.1.30\n"
    assert "version: 2.1.30" in operated.deployed("platform")
    assert "2.1.30" not in operated.deployed("identity")
    assert "pip install opik==2.1.30" in result.stdout


def test_the_backup_comes_before_anything_else_and_its_failure_stops_all(operated: Operated) -> None:
    before, state = operated.text, operated.deployed("platform")
    operated.tools.write("refuse-llm-dev-mysql", "")
    error = refused("upgrade", "2.1.30", "dev", "--yes")
    assert "not every disk could be backed up" in error.message
    assert (operated.text, operated.deployed("platform")) == (before, state)


def test_an_operator_may_go_on_without_a_backup(operated: Operated) -> None:
    assert upgraded(operated, "2.1.30", "--skip-backup").exit_code == ExitCode.OK
    assert backups(operated.tools) == 0


def test_without_anybody_to_ask_not_even_a_backup_is_made(operated: Operated) -> None:
    error = refused("upgrade", "2.1.30", "dev")
    assert error.code == ExitCode.REFUSED
    assert backups(operated.tools) == 0


@pytest.mark.parametrize(
    ("version", "code"), [("2.1.22", ExitCode.REFUSED), ("1.9.0", ExitCode.REFUSED), ("latest", ExitCode.USAGE)]
)
def test_a_version_that_cannot_follow_is_refused_before_anything(
    operated: Operated, version: str, code: ExitCode
) -> None:
    assert refused("upgrade", version, "dev", "--yes").code == code
    assert backups(operated.tools) == 0


def test_a_plan_that_fails_leaves_file_and_lock_as_they_were(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    operated.lock.write_text("{}")
    before = operated.text
    monkeypatch.setattr(image_step, "pending", lambda _name: ["opik/backend"])

    def bring(*_arguments: object) -> bool:
        operated.lock.write_text('{"new": true}')
        return True

    monkeypatch.setattr(image_step, "bring_images", bring)
    operated.broken = {"input": "${terraform_data.missing.id}"}
    assert "planning failed: platform" in refused("upgrade", "2.1.30", "dev", "--yes").message
    assert operated.text == before
    assert operated.lock.read_text() == "{}"


def test_a_deployment_that_fails_keeps_the_version_and_says_how_to_go_back(operated: Operated) -> None:
    operated.broken = {
        "lifecycle": {"postcondition": [{"condition": "${self.output == timestamp()}", "error_message": "no"}]}
    }
    error = refused("upgrade", "2.1.30", "dev", "--yes")
    assert "Opik 2.1.30 is not deployed" in error.message
    assert "llmctl opik rollback dev" in error.fix
    assert "version: 2.1.30" in operated.text


def test_a_plan_that_loses_something_is_no_upgrade(operated: Operated) -> None:
    before = operated.text
    operated.broken = {"triggers_replace": ["x"]}
    error = refused("upgrade", "2.1.30", "dev", "--yes")
    assert "destroyed or replaced" in error.message
    assert operated.text == before


def test_a_server_that_does_not_become_healthy_fails_the_upgrade_with_the_way_back(operated: Operated) -> None:
    operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.30"])
    with frontend(operated.tools, version="2.1.23"):
        error = refused("upgrade", "2.1.30", "dev", "--yes")
    assert "deployed but not healthy" in error.message
    assert "llmctl opik rollback dev" in error.fix


def test_a_migration_that_was_passed_over_fails_the_upgrade_though_all_is_healthy(operated: Operated) -> None:
    """Upstream's script ends well when MySQL's migrations fail, and the server starts on half a schema."""
    runs(operated, "2.1.30")
    operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.30"])
    with frontend(operated.tools, version="2.1.31"):
        error = refused("upgrade", "2.1.31", "dev", "--yes")
    assert "Opik 2.1.31 runs on a schema that lacks 1 of its migrations\n  MySQL 000003_c" in error.message
    assert "-c backend-migrations" in error.fix
    assert "llmctl opik rollback dev" in error.fix


def test_a_migration_of_clickhouse_that_was_passed_over_is_named_too(operated: Operated) -> None:
    operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.30"])
    operated.tools.write("exec-chi-opik-clickhouse-cluster-0-0-0", "other\tthing\n")
    with frontend(operated.tools, version="2.1.30"):
        assert "ClickHouse x" in refused("upgrade", "2.1.30", "dev", "--yes").message


def test_health_names_a_migration_that_was_passed_over(operated: Operated) -> None:
    runs(operated, "2.1.30")
    operated.file.write_text(operated.text + "opik:\n  version: 2.1.30\n")
    with frontend(operated.tools, version="2.1.30"):
        assert "all 3 migrations" in run("health", "dev", "--inside", "--json").stdout
        operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.23"])
        result = run("health", "dev", "--inside", "--json")
    assert result.exit_code == ExitCode.FAILED
    assert "MySQL 000002_b" in result.stdout


def test_a_deployment_is_compared_and_says_what_is_missing(
    operated: Operated, capsys: pytest.CaptureFixture[str]
) -> None:
    assert opik_migrations.after_deployment("dev")
    assert "all 2 migrations have been executed" in capsys.readouterr().err
    operated.tools.write("exec-opik-mysql-0", "me\tanother\n")
    assert not opik_migrations.after_deployment("dev")
    assert "MySQL 000001_a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ledger", "code"), [("me\tanother\n", ExitCode.FAILED), (LEDGER["2.1.23"], ExitCode.OK)], ids=["lacks", "holds"]
)
def test_llmctl_deploy_ends_with_what_the_databases_hold(
    ledger: str, code: ExitCode, operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "rollout", operated.rollout)
    monkeypatch.setattr(deploy, "refuse_unready", load_environment)
    monkeypatch.setattr(deploy, "Workspace", lambda name: opik_workspace(name, operated.folder))
    operated.tools.write("exec-opik-mysql-0", ledger)
    result = CliRunner().invoke(deploy.app, ["dev", "platform", "--yes"])
    assert result.exit_code == code, result.output


def test_databases_without_a_history_are_no_success(operated: Operated, capsys: pytest.CaptureFixture[str]) -> None:
    (operated.tools.folder / "exec-opik-mysql-0").unlink()
    assert not opik_migrations.after_deployment("dev")
    assert "cannot be read" in capsys.readouterr().err


def test_a_cluster_that_cannot_be_asked_is_said_with_the_command_that_asks_again(
    operated: Operated, capsys: pytest.CaptureFixture[str]
) -> None:
    (operated.tools.folder / "kubeconfig.json").unlink()
    assert opik_migrations.after_deployment("dev")
    said = capsys.readouterr().err
    assert "were not compared" in said
    assert "llmctl opik health dev" in said


def test_a_rollback_goes_to_the_version_before_where_everything_since_only_added(operated: Operated) -> None:
    assert upgraded(operated, "2.1.30").exit_code == ExitCode.OK
    runs(operated, "2.1.23", "2.1.30")
    with frontend(operated.tools, version="2.1.23"):
        result = run("rollback", "dev", "--yes")
    assert result.exit_code == ExitCode.OK, result.output
    assert "version: 2.1.23" in operated.text
    assert "version: 2.1.23" in operated.deployed("platform")
    assert backups(operated.tools) == 10


def test_a_rollback_over_a_migration_that_cannot_be_undone_is_refused_with_what_to_restore(operated: Operated) -> None:
    runs(operated, "2.1.30", "2.1.31")
    before = operated.text
    error = refused("rollback", "dev", "--yes")
    assert error.code == ExitCode.REFUSED
    assert "MySQL 000003_c: it does more than add: ALTER TABLE a DROP COLUMN b" in error.message
    assert "restore all five disks" in error.fix
    assert "opik.version: 2.1.30" in error.fix
    assert operated.text == before
    assert backups(operated.tools) == 0


def test_a_migration_that_never_ran_is_no_obstacle(operated: Operated) -> None:
    runs(operated, "2.1.30", "2.1.31")
    operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.30"])
    with frontend(operated.tools, version="2.1.30"):
        assert run("rollback", "dev", "--yes").exit_code == ExitCode.OK


def test_without_the_databases_the_worst_is_assumed(operated: Operated) -> None:
    runs(operated, "2.1.23", "2.1.31")
    (operated.tools.folder / "exec-opik-mysql-0").unlink()
    assert "000003_c" in refused("rollback", "dev", "--yes").message
    runs(operated, "2.1.23", "2.1.30")
    (operated.tools.folder / "exec-opik-mysql-0").unlink()
    with frontend(operated.tools, version="2.1.23"):
        error = refused("rollback", "dev", "--yes")
    # It went back, and says that nobody knows yet whether the schema is whole.
    assert "version: 2.1.23" in operated.deployed("platform")
    assert "have migrated cannot be read" in error.message


def test_without_the_source_nothing_is_known_and_nothing_is_done(
    operated: Operated, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs(operated, "2.1.23", "2.1.30")
    monkeypatch.setattr(source, "repository", lambda: f"file://{tmp_path / 'gone'}")
    assert refused("rollback", "dev", "--yes").code == ExitCode.NOT_READY
    assert backups(operated.tools) == 0


def test_after_an_upgrade_that_helm_took_back_the_file_follows_what_runs(operated: Operated) -> None:
    operated.file.write_text(operated.text + "opik:\n  version: 2.1.30\n")
    runs(operated, "2.1.23", failed="2.1.30")
    with frontend(operated.tools, version="2.1.23"):
        assert run("rollback", "dev", "--yes").exit_code == ExitCode.OK
    assert "version: 2.1.23" in operated.text


@pytest.mark.usefixtures("operated")
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "knows no version before"),
        (("--to", "2.1.20"), "oldest"),
        (("--to", "2.1.31"), "not older"),
    ],
)
def test_a_rollback_to_nowhere_is_refused(options: tuple[str, ...], why: str) -> None:
    assert why in refused("rollback", "dev", "--yes", *options).message


def test_an_environment_without_opik_is_told_so(operated: Operated) -> None:
    operated.file.write_text(operated.text + "opik: {enabled: false}\n")
    assert "runs no Opik" in refused("upgrade", "2.1.30", "dev", "--yes").message


def test_health_compares_file_cluster_and_server(operated: Operated) -> None:
    with frontend(operated.tools):
        result = run("health", "dev", "--inside", "--json", "--sdk", "2.1.20")
        assert result.exit_code == ExitCode.OK, result.output
        assert json.loads(result.stdout)["ok"] is True
        operated.file.write_text(operated.text + "opik:\n  version: 2.1.30\n")
        result = run("health", "dev", "--inside", "--json", "--sdk", "2.1.24")
    problems = {check["name"]: check["problem"] for check in json.loads(result.stdout)["checks"] if check["problem"]}
    assert result.exit_code == ExitCode.FAILED
    assert problems["deployed 2.1.23"] == "environments/dev.yaml asks for 2.1.30"
    assert "newer than server" in problems["SDK 2.1.24"]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    monkeypatch.setattr("scripts.terraform.outputs.outputs_of", lambda _name, *names: {n: OUTPUTS[n] for n in names})
    return install(tmp_path / "tools", monkeypatch)


def test_a_token_is_printed_alone_and_passed_on_by_no_argument(tools: Tools) -> None:
    tools.write("token", "ey.abc.def")
    result = run("token", "dev")
    assert (result.stdout, result.stderr) == ("ey.abc.def\n", "")
    assert tools.calls == [
        ["az", "account", "get-access-token", "--scope", OUTPUTS["identity"]["api_scope"], "--output", "json"]
    ]


@pytest.mark.usefixtures("tools")
def test_without_a_login_the_command_that_logs_in_is_given() -> None:
    error = refused("token", "dev")
    assert error.message == "az account get-access-token failed: Please run 'az login' to setup account."
    assert error.fix == f"az login --scope {OUTPUTS['identity']['api_scope']}"
    assert error.code == ExitCode.NOT_READY


def shell(lines: str, *names: str, path: Path | None = None) -> list[str]:
    """Return the variables after a POSIX shell has evaluated `lines`."""
    script = f"eval {shlex.quote(lines)}\n" + "".join(f'printf "%s\\n" "${name}"\n' for name in names)
    found = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True, cwd=path).stdout
    return found.splitlines()


def test_the_sdks_variables_hold_no_token_until_a_shell_asks_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "a checkout"
    (root / "scripts").mkdir(parents=True)
    (root / "scripts" / "llmctl").write_text('#!/bin/sh\n[ "$*" = "opik token dev" ] && echo ey.abc.def\n')
    (root / "scripts" / "llmctl").chmod(0o755)
    monkeypatch.setattr(opik, "ROOT", root)
    lines = run("env", "dev").stdout
    assert "ey.abc.def" not in lines
    names = (
        "OPIK_URL_OVERRIDE",
        "OPIK_WORKSPACE",
        "OPIK_API_KEY",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",
    )
    assert shell(lines, *names) == [
        "https://opik.llm-dev.example.com/api/",
        "default",
        "Bearer ey.abc.def",
        "https://opik.llm-dev.example.com/api/v1/private/otel",
        "Comet-Workspace=default,Authorization=Bearer%20ey.abc.def",
    ]


def test_a_shell_notices_when_there_is_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "llmctl").write_text("#!/bin/sh\nexit 5\n")
    (tmp_path / "scripts" / "llmctl").chmod(0o755)
    monkeypatch.setattr(opik, "ROOT", tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        shell(run("env", "dev").stdout, "OPIK_API_KEY")


def test_a_forwarded_port_needs_no_key() -> None:
    lines = run("env", "dev", "--local", "5173").stdout
    assert "token" not in lines
    assert shell(lines, "OPIK_URL_OVERRIDE") == ["http://127.0.0.1:5173/api/"]
    assert json.loads(run("env", "dev", "--json").stdout)["OPIK_WORKSPACE"] == "default"


def test_checks_are_shown_with_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    show: Callable[[list[Check]], None] = print_checks
    show([Check("page", ""), Check("backend", "answers 503 [bold]")])
    assert capsys.readouterr().err.splitlines() == ["✓ page", "✗ backend: answers 503 [bold]"]
