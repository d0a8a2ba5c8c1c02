"""Plans shown, kept, and applied as they were reviewed, with the real Terraform on its built-in provider."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scripts.cli.deploy import diff as diff_command
from scripts.cli.deploy.diff import review_of
from scripts.cli.tools import Tools as CommandTools
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.schedule import Outcome
from scripts.core.targets import Targets
from scripts.core.workspace import ROOT, Workspace
from scripts.deployment.bring_up import bring_up, failure_code
from scripts.deployment.losses import allowed_losses, refuse
from scripts.deployment.ready_file import refuse_unready
from scripts.review.guard import named
from scripts.terraform import saved_plans
from scripts.terraform.outputs import read_outputs
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import PLAN_FILE
from stacks.settings import load_settings
from tests.support.cli.environment_folder import use_environments
from tests.support.cli.terraform_projects import rollout, write_project

pytestmark = pytest.mark.programs

AGREED = Consent("dev", yes=True)
SECRET = "correct-horse-battery"


@pytest.fixture(scope="module", autouse=True)
def _plain_terraform() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TF_CLI_CONFIG_FILE", raising=False)
        yield


@pytest.fixture(scope="module")
def deployed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("deployed")
    assert bring_up(rollout(write_project(base)), Targets("dev"), AGREED)
    return base


@pytest.fixture
def deployed(deployed_once: Path, tmp_path: Path) -> Workspace:
    """Return a project of which every stack is deployed."""
    shutil.copytree(deployed_once, tmp_path, dirs_exist_ok=True, symlinks=True)
    return Workspace("dev", tmp_path)


def value(workspace: Workspace, stack: str) -> Any:
    state = json.loads((workspace.base / "state" / "dev" / f"{stack}.tfstate").read_text())
    return state["outputs"]["value"]["value"]


def keep(workspace: Workspace, folder: Path, *names: str) -> None:
    """Plan and keep the plans, as `llmctl diff --out` does."""
    run = rollout(workspace, *names)
    run.plan()
    saved_plans.save(run, folder)
    run.discard_plans()


def apply_kept(workspace: Workspace, folder: Path, *names: str) -> tuple[Rollout, bool]:
    """Apply kept plans, as `llmctl deploy --plans` does."""
    run = rollout(workspace, *names)
    saved_plans.restore(folder, run)
    return run, bring_up(run, Targets("dev", names), AGREED)


def cli(base: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """Run `llmctl diff` on a written project instead of synthesizing one."""
    monkeypatch.setattr("scripts.terraform.prepare.synthesize", lambda _workspace, _processes: [])
    monkeypatch.setattr("scripts.terraform.prepare.CACHE", base / "cache")
    tools = CommandTools(workspace=lambda name: Workspace(name, base))
    return CliRunner().invoke(diff_command.app, ["dev", *arguments], obj=tools)


@pytest.mark.usefixtures("deployed")
def test_detailed_exit_codes_are_terraforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli(tmp_path, monkeypatch, "--detailed-exitcode").exit_code == ExitCode.OK
    write_project(tmp_path, {"platform": {"input": {"version": 2}}})
    assert cli(tmp_path, monkeypatch).exit_code == ExitCode.OK
    pending = cli(tmp_path, monkeypatch, "--detailed-exitcode")
    plan = ["terraform", "plan", "-input=false", "-detailed-exitcode"]
    terraform = subprocess.run(plan, cwd=tmp_path / "cdktf.out/dev/stacks/platform", capture_output=True, check=False)
    assert pending.exit_code == terraform.returncode == ExitCode.CHANGES
    write_project(tmp_path, {"platform": {"input": "${terraform_data.missing.id}"}})
    failed = cli(tmp_path, monkeypatch, "--detailed-exitcode")
    assert isinstance(failed.exception, OperatorError)
    assert failed.exception.code == ExitCode.FAILED


def test_a_wrong_command_line_is_not_taken_for_pending_changes() -> None:
    for wrong, code in (
        (["diff", "--unknown"], ExitCode.USAGE),
        (["diff", "nowhere"], ExitCode.SETTINGS),
        (["dfif"], ExitCode.USAGE),
    ):
        done = subprocess.run([str(ROOT / ".venv/bin/python"), "-m", "scripts.cli", *wrong], cwd=ROOT, check=False,
                              capture_output=True)  # fmt: skip
        assert done.returncode == code != ExitCode.CHANGES


@pytest.mark.usefixtures("deployed")
def test_one_call_shows_all_stacks_in_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path, {name: {"input": {"version": 7}} for name in ("identity", "platform")})
    found = json.loads(cli(tmp_path, monkeypatch, "--format", "json").stdout)
    assert found["pending"] is True
    assert {name: plan["update"] for name, plan in found["stacks"].items()} == {
        "identity": 1, "disks": 0, "network": 0, "aks": 0, "platform": 1,
    }  # fmt: skip
    text = cli(tmp_path, monkeypatch).stdout
    assert "input.version: 1 → 7" in text
    assert "input.version: 1 → 7" in cli(tmp_path, monkeypatch, "--format", "markdown").stdout


def test_no_output_of_diff_holds_a_sensitive_value(
    deployed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Terraform itself shows it: the provider hands it back in an attribute that is not marked.
    before = {"input": {"key": f'${{sensitive("{SECRET}")}}', "version": 1}}
    write_project(tmp_path, {"identity": before})
    assert bring_up(rollout(deployed, "identity"), Targets("dev", ("identity",)), AGREED)
    write_project(tmp_path, {"identity": {"input": before["input"] | {"version": 2}}})
    planned = cli(tmp_path, monkeypatch, "--out", str(tmp_path / "plans"))
    assert planned.exit_code == ExitCode.OK, planned.output
    for form in ("text", "markdown", "json"):
        shown = cli(tmp_path, monkeypatch, "--format", form, "--full")
        assert "input.version" in shown.output
        assert SECRET not in shown.output
    assert SECRET not in (tmp_path / "plans" / saved_plans.INDEX).read_text()


def test_a_secret_of_a_stack_that_does_not_change_is_masked_in_those_that_do(
    deployed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = {"identity": {"input": {"key": f'${{sensitive("{SECRET}")}}'}}}
    write_project(tmp_path, secret)
    assert bring_up(rollout(deployed, "identity", "aks"), Targets("dev", ("identity", "aks")), AGREED)
    write_project(tmp_path, secret | {"aks": {"input": {"version": 9}}})
    shown = cli(tmp_path, monkeypatch, "--format", "json")
    assert json.loads(shown.stdout)["stacks"]["identity"]["update"] == 0
    assert "input.identity" in shown.output
    assert SECRET not in shown.output


@pytest.mark.usefixtures("deployed")
def test_a_durable_loss_is_refused_unless_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path, {"disks": {"triggers_replace": ["other"]}, "platform": {"triggers_replace": ["other"]}})
    kept = tmp_path / "plans"
    refused = cli(tmp_path, monkeypatch, "--out", str(kept))
    assert isinstance(refused.exception, OperatorError)
    assert refused.exception.code == ExitCode.REFUSED
    assert "disks/terraform_data.it" in refused.exception.message
    assert "platform" not in refused.exception.message
    assert not kept.exists()
    allowed = cli(tmp_path, monkeypatch, "--out", str(kept), "--allow", "disks/terraform_data.it")
    assert allowed.exit_code == ExitCode.OK, allowed.output
    assert (kept / "disks.tfplan").exists()


@pytest.mark.usefixtures("deployed")
def test_the_file_of_the_environment_agrees_like_the_option(tmp_path: Path) -> None:
    losses = tmp_path / "environments" / "losses"
    losses.mkdir(parents=True)
    (losses / "dev.yaml").write_text("- {stack: disks, address: terraform_data.it, reason: drill, until: 2999-01-01}\n")
    write_project(tmp_path, {"disks": {"triggers_replace": ["other"]}})
    run = rollout(Workspace("dev", tmp_path))
    run.plan()
    refuse("dev", review_of(run, allowed_losses("dev", [], folder=losses), load_settings("dev")).refusals)
    with pytest.raises(OperatorError, match=r"would replace disks/terraform_data\.it"):
        refuse("dev", review_of(run, [named("disks/terraform_data.other")], load_settings("dev")).refusals)
    (losses / "dev.yaml").write_text("- {stack: disks}\n")
    with pytest.raises(OperatorError, match=r"losses/dev\.yaml, entry 1 has no address"):
        allowed_losses("dev", [], folder=losses)


def test_kept_plans_do_what_was_reviewed_and_nothing_that_came_later(deployed: Workspace, tmp_path: Path) -> None:
    write_project(tmp_path, {"platform": {"input": {"version": 2}}})
    kept = tmp_path / "plans"
    keep(deployed, kept)
    assert {path.stat().st_mode & 0o077 for path in kept.iterdir()} - {0o044} == {0}
    assert (kept / "platform.tfplan").stat().st_mode & 0o077 == 0
    assert list(deployed.output.rglob(PLAN_FILE)) == []
    run, ok = apply_kept(deployed, kept)
    assert ok
    assert value(deployed, "platform") == {"version": 2}
    assert {name for name, report in run.reports.items() if not report.changes.empty} == {"platform"}


def test_kept_plans_are_not_applied_to_another_configuration(deployed: Workspace, tmp_path: Path) -> None:
    write_project(tmp_path, {"platform": {"input": {"version": 2}}})
    keep(deployed, tmp_path / "plans")
    write_project(tmp_path, {"platform": {"input": {"version": 3}}})
    with pytest.raises(OperatorError, match="platform: the configuration is another one") as refusal:
        apply_kept(deployed, tmp_path / "plans")
    assert refusal.value.code == ExitCode.REFUSED
    assert value(deployed, "platform")["network"]


def test_a_chart_that_changed_is_another_configuration(deployed: Workspace, tmp_path: Path) -> None:
    asset = deployed.output / "stacks" / "platform" / "assets" / "chart" / "values.yaml"
    asset.parent.mkdir(parents=True)
    asset.write_text("a: 1\n")
    keep(deployed, tmp_path / "plans")
    asset.write_text("a: 2\n")
    with pytest.raises(OperatorError, match="platform: the configuration is another one"):
        apply_kept(deployed, tmp_path / "plans")


def test_a_stale_plan_is_refused_with_a_clear_sentence(
    deployed: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, {"disks": {"input": {"version": 2}}})
    keep(deployed, tmp_path / "plans", "disks")
    keep(deployed, tmp_path / "same", "disks")
    assert apply_kept(deployed, tmp_path / "plans", "disks")[1]
    run, ok = apply_kept(deployed, tmp_path / "same", "disks")
    assert not ok
    assert failure_code(run) == ExitCode.FAILED
    shown = " ".join(capsys.readouterr().err.split())
    assert "was changed after this plan was made" in shown
    assert "llmctl diff ENV --out FOLDER" in shown


def test_a_stack_whose_input_changed_is_not_applied_unless_it_still_does_the_same(
    deployed: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, {"disks": {"input": {"version": 2}}, "identity": {"input": {"version": 1}}})
    keep(deployed, tmp_path / "plans")
    run, ok = apply_kept(deployed, tmp_path / "plans")
    assert not ok
    assert value(deployed, "disks") == {"version": 2}
    assert run.reports["network"].outcome == Outcome.FAILED
    assert "outputs of disks changed" in run.reports["network"].unreviewed
    assert value(deployed, "network") == {"disks": {"version": 1}}
    assert failure_code(run) == ExitCode.REFUSED
    assert "have that reviewed" in capsys.readouterr().err


def test_a_stack_that_does_the_same_after_its_input_changed_is_applied(deployed: Workspace, tmp_path: Path) -> None:
    constant = {"input": {"own": 1}}
    write_project(tmp_path, {"network": constant})
    assert bring_up(rollout(deployed, "network"), Targets("dev", ("network",)), AGREED)
    write_project(tmp_path, {"disks": {"input": {"version": 2}}, "network": {"input": {"own": 2}}})
    keep(deployed, tmp_path / "plans", "disks", "network")
    assert apply_kept(deployed, tmp_path / "plans", "disks", "network")[1]
    assert value(deployed, "network") == {"own": 2}


def test_what_could_not_be_planned_in_the_review_is_not_deployed_after_it(tmp_path: Path) -> None:
    workspace = write_project(tmp_path)
    keep(workspace, tmp_path / "plans")
    run, ok = apply_kept(workspace, tmp_path / "plans")
    assert not ok
    assert run.reports["disks"].outcome == Outcome.DONE
    assert "could not be planned" in run.reports["network"].unreviewed
    assert not (tmp_path / "state" / "dev" / "network.tfstate").exists()


def test_plans_of_another_environment_or_none_are_refused(deployed: Workspace, tmp_path: Path) -> None:
    keep(deployed, tmp_path / "plans", "disks")
    with pytest.raises(OperatorError, match="are for dev, not for prod"):
        saved_plans.read_index(tmp_path / "plans", "prod")
    with pytest.raises(OperatorError, match="holds no plans"):
        saved_plans.read_index(tmp_path, "dev")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OperatorError, match="something else than plans"):
        saved_plans.save(rollout(deployed, "disks"), tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_the_images_that_plans_were_made_with_come_back(
    deployed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_environments(tmp_path, monkeypatch)
    lock = tmp_path / "dev.images.lock.json"
    lock.write_text('{"images": "then"}')
    keep(deployed, tmp_path / "plans", "disks")
    lock.write_text('{"images": "now"}')
    saved_plans.restore_images(tmp_path / "plans", deployed)
    assert lock.read_text() == '{"images": "then"}'


def test_the_same_error_of_several_stacks_is_shown_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = {"input": "${terraform_data.missing.id}"}
    workspace = write_project(tmp_path, {"disks": broken, "identity": broken})
    with pytest.raises(OperatorError, match="planning failed: identity, disks"):
        bring_up(rollout(workspace), Targets("dev"), AGREED)
    shown = capsys.readouterr().err
    assert shown.count("Reference to undeclared resource") == 1
    assert "identity: terraform plan failed" in shown
    assert "disks: terraform plan failed" in shown


def test_providers_that_cannot_be_fetched_are_one_error_for_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = write_project(tmp_path)
    for stack in ("disks", "identity"):
        path = workspace.output / "stacks" / stack / "cdk.tf.json"
        content = json.loads(path.read_text())
        content["terraform"]["required_providers"] = {"x": {"source": "example/absent", "version": "1.0.0"}}
        path.write_text(json.dumps(content))
    (tmp_path / "mirror").mkdir()
    (tmp_path / "rc").write_text(f'provider_installation {{ filesystem_mirror {{ path = "{tmp_path}/mirror" }} }}\n')
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "rc"))
    with pytest.raises(OperatorError, match="cannot read the outputs of identity, disks"):
        read_outputs("dev", rollout(workspace, "disks", "identity").runners)
    shown = capsys.readouterr().err
    assert shown.count("Failed to query available provider packages") == 1
    assert shown.count("check the network and the proxy") == 1


@pytest.mark.parametrize(
    "subscription", ["00000000-0000-0000-0000-000000000000", "11111111-2222-3333-4444-555555555555"]
)
def test_azure_is_not_asked_while_placeholders_stand_in(subscription: str, tmp_path: Path) -> None:
    text = (
        (ROOT / "environments" / "dev.yaml").read_text().replace("00000000-0000-0000-0000-000000000000", subscription)
    )
    if not subscription.startswith("0"):
        text = text.replace("example.com", "contoso.com")
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text(text)
    if subscription.startswith("0"):
        with pytest.raises(OperatorError, match=r"azure\.subscription_id(?s:.)*is a placeholder") as refusal:
            refuse_unready("dev", tmp_path)
        assert refusal.value.code == ExitCode.SETTINGS
    else:
        refuse_unready("dev", tmp_path)


def test_a_file_that_was_never_deployed_may_still_change_in_every_way(tmp_path: Path) -> None:
    text = (ROOT / "environments" / "dev.yaml").read_text()
    text = text.replace("00000000-0000-0000-0000-000000000000", "11111111-2222-3333-4444-555555555555")
    text = text.replace("example.com", "contoso.com")
    file = tmp_path / "environments" / "dev.yaml"
    file.parent.mkdir()
    file.write_text(text)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    file.write_text(text.replace("westeurope", "northeurope"))
    refuse_unready("dev", tmp_path)
    state = tmp_path / "state" / "dev" / "acr.tfstate"
    state.parent.mkdir(parents=True)
    state.write_text("{}")
    with pytest.raises(OperatorError, match=r"azure\.region"):
        refuse_unready("dev", tmp_path)


def test_a_disk_that_shrinks_is_refused_before_azure_is_asked(tmp_path: Path) -> None:
    text = (ROOT / "environments" / "dev.yaml").read_text()
    text = text.replace("00000000-0000-0000-0000-000000000000", "11111111-2222-3333-4444-555555555555")
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text(text.replace("example.com", "contoso.com"))
    state = tmp_path / "state" / "dev" / "disks.tfstate"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"outputs": {"sizes_gib": {"value": {"mysql": 512}}}}))
    with pytest.raises(OperatorError, match=r"disks\.mysql_gib"):
        refuse_unready("dev", tmp_path)
