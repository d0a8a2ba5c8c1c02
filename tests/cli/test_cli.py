"""The command line itself: what it teaches, what it refuses, and how its errors look."""

import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from scripts.cli import app as cli
from scripts.cli.state import commands as state
from scripts.cli.state.storage import bootstrap_commands
from scripts.cli.tools import Tools
from scripts.core.consent import Consent
from scripts.core.environment_check import verdict_of
from scripts.core.environment_lock import environment_lock
from scripts.core.errors import EXIT_CODES, ExitCode, OperatorError
from scripts.core.targets import Targets, complete_targets, load_environment, parse_targets
from scripts.core.workspace import Workspace
from scripts.gates.source_checks import shell_scripts
from scripts.lab.rehearsal.follow import first_error
from stacks.settings import load_settings
from tests.support.cli.terminals import Nobody, answering
from tests.support.stacks.synthesis import STATES, with_state

ROOT = Path(__file__).parents[2]
IN_AZURE = Tools(load=lambda name: with_state(name, STATES["azurerm"]))
MAIN = str(ROOT / "scripts" / "cli" / "__main__.py")


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line from another folder, with nobody at the terminal."""
    environment = {name: value for name, value in os.environ.items() if name != "PLATFORM_ENV"} | variables
    return subprocess.run(
        [sys.executable, MAIN, *arguments],
        cwd="/",
        env=environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_help_names_every_command_and_every_exit_code() -> None:
    shown = run("--help")
    assert shown.returncode == ExitCode.OK
    assert [name for name in cli.COMMANDS if f" {name} " not in shown.stdout] == []
    assert [code for code in ExitCode if f"{code.value} {EXIT_CODES[code]}" not in " ".join(shown.stdout.split())] == []


def test_help_imports_no_command_and_no_binding() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from scripts.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'cdktf', 'constructs', 'pydantic', 'ruamel', 'grpc',"
        " 'scripts.cli.deploy.deploy', 'scripts.cli.env.commands'}\n"
        "print('loaded', sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program, str(ROOT)], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "loaded []"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_loads_and_explains_itself(name: str) -> None:
    shown = CliRunner().invoke(cli.app, [name, "--help"])
    assert shown.exit_code == ExitCode.OK, shown.output
    entry = cli.COMMANDS[name]
    command = typer.main.get_command(getattr(import_module(entry.module), entry.attribute))
    assert entry.group == hasattr(command, "commands")
    assert command.help


def test_a_mistyped_command_is_answered_with_the_right_one() -> None:
    shown = run("deplyo")
    assert shown.returncode == ExitCode.USAGE
    assert "Did you mean 'deploy'" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["deploy", "nowhere"], ExitCode.SETTINGS, "nowhere is neither an environment (dev"),
        (["deploy", "platfrom"], ExitCode.USAGE, "did you mean platform?"),
        (["deploy", "Prod"], ExitCode.SETTINGS, "did you mean prod?"),
        (["deploy", "dev", "clsuter"], ExitCode.USAGE, "no such stack: clsuter"),
        (["deploy", "dev", "netwrok"], ExitCode.USAGE, "did you mean network?"),
        (["destroy", "dev", "network"], ExitCode.USAGE, "aks, platform would be left without what it stands on"),
        (["synth", "nowhere"], ExitCode.SETTINGS, "llmctl env new nowhere"),
    ],
)
def test_a_wrong_target_is_one_message_with_its_fix(
    arguments: list[str],
    code: ExitCode,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("PLATFORM_ENV", raising=False)
    with pytest.raises(SystemExit) as leaving:
        cli.main(arguments)
    assert leaving.value.code == code
    shown = capsys.readouterr()
    assert message in " ".join(shown.err.split())
    assert "Fix:" in shown.err
    assert shown.out == ""


def test_a_missing_terraform_is_said_before_anything_is_done(tmp_path: Path) -> None:
    shown = run("deploy", "dev", "--yes", PATH=str(tmp_path))
    assert shown.returncode == ExitCode.NOT_READY
    assert "no `terraform` on PATH" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_version_names_release_commit_and_pins() -> None:
    shown = run("--version")
    assert shown.returncode == ExitCode.OK
    assert re.fullmatch(r"llmctl \d+\.\d+\.\d+.* \((commit \S+|no commit)\)\ncdktf \S+, azurerm \S+\n", shown.stdout)


@pytest.mark.parametrize("command", [["env", "check"], ["models", "list"], ["health"], ["synth"], ["webui", "status"]])
def test_an_empty_environment_is_no_default(command: list[str]) -> None:
    shown = CliRunner().invoke(cli.app, [*command, ""])
    code = shown.exception.code if isinstance(shown.exception, OperatorError) else shown.exit_code
    # The parser's own 2 is turned into 64 by `main`.
    assert code in {2, ExitCode.USAGE}
    assert "is empty" in f"{shown.output}{shown.exception}"


def test_a_commit_that_git_does_not_know_is_no_comparison() -> None:
    verdict = verdict_of("dev", ROOT, "nosuchrevision")
    assert ["'nosuchrevision', which git does not know" in str(error) for error in verdict.errors] == [True]
    assert verdict_of("dev", ROOT, "HEAD").errors == ()


def test_a_team_has_a_name_and_a_model_exists_before_terraform_is_asked() -> None:
    for command in (["gateway", "team", ""], ["gateway", "team", " a"]):
        assert "printable" in CliRunner().invoke(cli.app, command).output
    asked = CliRunner().invoke(cli.app, ["vllm", "logs", "dev", "--model", "nosuch"]).exception
    assert isinstance(asked, OperatorError)
    assert (asked.message, asked.code) == ("no such model: nosuch", ExitCode.USAGE)


def test_verbose_shows_where_an_error_comes_from() -> None:
    assert "Traceback" in run("--verbose", "deploy", "nowhere").stderr


@pytest.mark.slow
def test_synth_writes_an_environment_and_says_so_to_programs() -> None:
    shown = run("synth", "--json")
    assert shown.returncode == ExitCode.OK, shown.stderr
    answer = json.loads(shown.stdout)
    assert answer["environment"] == "dev"
    assert answer["stacks"]["aks"]["folder"] == str(ROOT / "cdktf.out" / "dev" / "stacks" / "aks")
    assert (ROOT / "cdktf.out" / "dev" / "stacks" / "aks" / "cdk.tf.json").exists()


def test_a_faulty_environment_file_has_an_exit_code_of_its_own() -> None:
    with pytest.raises(OperatorError, match=r"environments/nowhere\.yaml") as fault:
        load_environment("nowhere")
    assert fault.value.code == ExitCode.SETTINGS


@pytest.mark.parametrize(
    ("words", "targets"),
    [
        ([], Targets("dev")),
        (["prod"], Targets("prod")),
        (["platform"], Targets("dev", ("platform",))),
        (["prod", "aks", "platform"], Targets("prod", ("aks", "platform"))),
    ],
)
def test_the_first_word_is_the_environment_unless_it_is_a_stack(
    words: list[str], targets: Targets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLATFORM_ENV", raising=False)
    assert parse_targets(words) == targets


def test_platform_env_is_the_default_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_ENV", "prod")
    assert parse_targets(["aks"]) == Targets("prod", ("aks",))


def test_completion_offers_environments_and_stacks() -> None:
    assert complete_targets("d") == ["dev", "disks", "database"]


@pytest.mark.parametrize(
    ("consent", "lost", "answer", "question"),
    [
        (Consent("dev"), {}, "y", "Go? [y/N]"),
        (Consent("dev", allow_destroy=True), {"aks": ("a",)}, "y", "Go? [y/N]"),
        (Consent("dev"), {"aks": ("a", "b")}, "dev", "2 resources would be destroyed or replaced. Type"),
        (Consent("dev", yes=True), {"aks": ("a",)}, "dev", "1 resource would be destroyed or replaced. Type"),
    ],
)
def test_each_change_asks_for_the_consent_it_needs(
    consent: Consent, lost: dict[str, tuple[str, ...]], answer: str, question: str
) -> None:
    person = answering(answer)
    replace(consent, terminal=person).obtain("Go?", lost)
    assert len(person.asked) == 1
    assert person.asked[0].startswith(question)
    for refusal in ("", "n", "prod"):
        with pytest.raises(OperatorError, match="not confirmed"):
            replace(consent, terminal=answering(refusal)).obtain("Go?", lost)


def test_consent_given_beforehand_asks_nothing() -> None:
    Consent("dev", yes=True, terminal=Nobody()).obtain("Go?", {})
    Consent("dev", yes=True, allow_destroy=True, terminal=Nobody()).obtain("Go?", {"aks": ("a",)})


def test_an_environment_is_worked_on_by_one_command_at_a_time(tmp_path: Path) -> None:
    with environment_lock(tmp_path, "dev", "deploy"):
        with pytest.raises(OperatorError, match=r"dev is in use by `llmctl deploy` \(process \d+\)") as refusal:
            environment_lock(tmp_path, "dev", "destroy").__enter__()
        assert refusal.value.code == ExitCode.NOT_READY
        with environment_lock(tmp_path, "prod", "deploy"):
            pass
    with environment_lock(tmp_path, "dev", "destroy"):
        pass


def test_terraform_shares_its_plugin_cache_with_cdktf_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)
    assert Workspace("dev").process_environment()["TF_PLUGIN_CACHE_DIR"] == str(
        Path.home() / ".terraform.d" / "plugin-cache"
    )
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", "/elsewhere")
    assert Workspace("dev").process_environment()["TF_PLUGIN_CACHE_DIR"] == "/elsewhere"


def test_the_state_storage_is_closed_versioned_and_locked() -> None:
    commands = [" ".join(command) for command in bootstrap_commands(with_state("dev", STATES["azurerm"]), "me")]
    account = next(command for command in commands if "storage account create" in command)
    for argument in ("shared-key-access false", "blob-public-access false", "min-tls-version TLS1_2", "Standard_ZRS"):
        assert argument in account
    assert any("--enable-versioning true" in command for command in commands)
    assert any("--assignee-object-id me" in command and "Blob Data Contributor" in command for command in commands)
    assert "CanNotDelete" in commands[-1]
    subscription = str(load_settings("dev").azure.subscription_id)
    assert all(subscription in command for command in commands)


def test_state_bootstrap_runs_what_its_dry_run_shows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    az = tmp_path / "az"
    az.write_text(_logged_in_az(calls, "user"))
    az.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    shown = CliRunner().invoke(state.app, ["bootstrap", "dev", "--dry-run"], obj=IN_AZURE)
    assert not calls.exists()
    assert CliRunner().invoke(state.app, ["bootstrap", "dev"], obj=IN_AZURE).exit_code == ExitCode.OK
    ran = calls.read_text().splitlines()[2:]
    plain = shown.stdout.replace("'", "").replace(
        "$(az ad signed-in-user show --query id --output tsv)", "my-object-id"
    )
    assert ran == plain.splitlines()


def test_a_service_principal_gets_the_state_by_its_own_object_id(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It may often not ask the directory who it is; its token says so."""
    calls = tmp_path / "calls"
    az = tmp_path / "az"
    az.write_text(_logged_in_az(calls, "servicePrincipal"))
    az.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert CliRunner().invoke(state.app, ["bootstrap", "dev"], obj=IN_AZURE).exit_code == ExitCode.OK
    (role,) = (line for line in calls.read_text().splitlines() if "role assignment create" in line)
    assert "--assignee-object-id my-object-id --assignee-principal-type ServicePrincipal" in role
    assert "az ad " not in calls.read_text()


def _logged_in_az(calls: Path, kind: str) -> str:
    """Return a fake az with a login of this kind, whose token names it."""
    payload = base64.urlsafe_b64encode(b'{"oid":"my-object-id"}').decode().rstrip("=")
    return (
        f'#!/bin/sh\necho "az $*" >> {calls}\ncase "$*" in\n'
        f'"account show"*) echo \'"{kind}"\';;\n"account get-access-token"*) echo \'"head.{payload}.sign"\';;\nesac\n'
    )


def test_a_failing_az_is_one_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\necho 'ERROR: Please run az login' >&2\nexit 1\n")
    az.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    failed = CliRunner().invoke(state.app, ["bootstrap", "dev"], obj=IN_AZURE)
    assert isinstance(failed.exception, OperatorError)
    assert "Please run az login" in failed.exception.message


def test_shellcheck_sees_every_shell_script() -> None:
    found = shell_scripts()
    assert {"scripts/check", ".ci/run"} <= set(found)
    assert "scripts/llmctl" not in found
    assert [name for name in found if name.endswith(".py")] == []


def test_the_error_of_a_stack_is_cut_out_of_cdktfs_output() -> None:
    output = (
        "\x1b[2K0 Stacks deploying\nnetwork  ╷\n         │ Error: creating Subnet\n         │ \n"
        "         │   with azurerm_subnet.nodes,\n         ╵\n1 Stack deploying\n"
    )
    assert first_error(output).startswith("Error: creating Subnet")
