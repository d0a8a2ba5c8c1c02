"""Planning, asking, applying and destroying, with the real Terraform on its built-in provider."""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.schedule import Outcome
from scripts.core.targets import Targets
from scripts.core.workspace import Workspace
from scripts.deployment.bring_up import bring_up, failure_code
from scripts.deployment.taking_down import take_down
from scripts.terraform.outputs import MASK, read_outputs
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import PLAN_FILE
from tests.support.cli.terminals import answering
from tests.support.cli.terraform_projects import DISPOSABLE, rollout, write_project

pytestmark = pytest.mark.programs

AGREED = Consent("dev", yes=True)
PROTECTED = {"lifecycle": {"prevent_destroy": True}}
REPLACED = {"triggers_replace": ["other"]}


@pytest.fixture(scope="module", autouse=True)
def _plain_terraform() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TF_CLI_CONFIG_FILE", raising=False)
        yield


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Return stacks that were never deployed."""
    return write_project(tmp_path)


@pytest.fixture(scope="module")
def deployed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("deployed")
    deploy(write_project(base))
    return base


@pytest.fixture
def deployed(deployed_once: Path, tmp_path: Path) -> Workspace:
    """Return stacks that were all deployed."""
    shutil.copytree(deployed_once, tmp_path, dirs_exist_ok=True, symlinks=True)
    return Workspace("dev", tmp_path)


def deploy(workspace: Workspace, consent: Consent = AGREED, *names: str) -> Rollout:
    run = rollout(workspace, *names)
    assert bring_up(run, Targets("dev", names), consent)
    return run


def state(workspace: Workspace, stack: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((workspace.base / "state" / "dev" / f"{stack}.tfstate").read_text())
    return found


def instance(workspace: Workspace, stack: str) -> dict[str, Any]:
    """Return the one resource of a stack as its state has it."""
    (resource,) = (it for it in state(workspace, stack)["resources"] if it["mode"] == "managed")
    (found,) = resource["instances"]
    return dict(found)


def states(workspace: Workspace) -> set[str]:
    return {path.stem for path in (workspace.base / "state").rglob("*.tfstate")}


def test_one_deployment_brings_up_every_stack_with_what_it_reads(project: Workspace) -> None:
    run = deploy(project)
    assert {name: report.outcome for name, report in run.reports.items()} == dict.fromkeys(run.stacks, Outcome.DONE)
    assert state(project, "platform")["outputs"]["value"]["value"]["aks"]["identity"] == {"version": 1}


def test_a_second_deployment_changes_nothing(project: Workspace) -> None:
    deploy(project)
    run = deploy(project, Consent("dev"))
    assert all(plan.changes.empty for plan in run.plans.values())
    assert run.reports == {}


def test_a_change_upstream_reaches_what_reads_it_in_the_same_run(deployed: Workspace) -> None:
    write_project(deployed.base, {"disks": {"input": {"version": 2}}})
    run = deploy(deployed)
    assert run.plans["platform"].changes.empty
    assert run.reports["platform"].changes.update == 1
    assert state(deployed, "network")["outputs"]["value"]["value"] == {"disks": {"version": 2}}


def test_warnings_of_terraforms_own_configuration_are_no_obstacle(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/nowhere/terraform.rc")
    run = deploy(project, AGREED, "disks")
    assert run.reports["disks"].changes.create == 1
    assert read_outputs("dev", run.runners) == {"disks": {"value": {"version": 1}}}


def test_named_stacks_only_are_touched(project: Workspace) -> None:
    run = deploy(project, AGREED, "disks", "network")
    assert set(run.reports) == {"disks", "network"}
    assert states(project) == {"disks", "network"}


def test_nothing_happens_without_consent(project: Workspace) -> None:
    with pytest.raises(OperatorError, match="nobody is there to confirm") as refusal:
        deploy(project, Consent("dev"))
    assert refusal.value.code == ExitCode.REFUSED
    assert states(project) == set()


def test_yes_does_not_agree_to_losing_anything(deployed: Workspace) -> None:
    before = state(deployed, "disks")
    write_project(deployed.base, {"disks": REPLACED})
    with pytest.raises(OperatorError, match="destroyed or replaced") as refusal:
        deploy(deployed)
    assert refusal.value.code == ExitCode.REFUSED
    assert state(deployed, "disks") == before


def test_a_loss_that_is_agreed_to_is_applied(deployed: Workspace) -> None:
    write_project(deployed.base, {"disks": REPLACED})
    run = deploy(deployed, Consent("dev", yes=True, allow_destroy=True))
    assert run.reports["disks"].changes.replace == 1


def test_typing_the_environments_name_agrees_to_a_loss(deployed: Workspace) -> None:
    write_project(deployed.base, {"disks": REPLACED})
    with pytest.raises(OperatorError, match="not confirmed"):
        deploy(deployed, Consent("dev", terminal=answering("yes")))
    assert deploy(deployed, Consent("dev", terminal=answering("dev"))).reports["disks"].changes.replace == 1


def test_a_loss_that_shows_only_later_stops_its_stack_and_what_follows(deployed: Workspace) -> None:
    # Replacing what it reads makes the network replace itself, which its first plan cannot know.
    follows = {"triggers_replace": ["${data.terraform_remote_state.disks-state.outputs.value}"]}
    write_project(deployed.base, {"network": follows})
    deploy(deployed, Consent("dev", yes=True, allow_destroy=True))
    before = state(deployed, "network")
    write_project(deployed.base, {"network": follows, "disks": {"input": {"version": 2}}})
    run = rollout(deployed)
    assert not bring_up(run, Targets("dev"), AGREED)
    assert run.reports["network"].refused == ("terraform_data.it (replaced)",)
    assert run.reports["aks"].outcome == Outcome.SKIPPED
    assert failure_code(run) == ExitCode.REFUSED
    assert state(deployed, "network")["resources"] == before["resources"]


def test_a_failure_stops_only_what_depends_on_it_and_the_next_run_finishes(project: Workspace) -> None:
    fails = {"provisioner": [{"local-exec": {"command": "exit 3"}}]}
    write_project(project.base, {"network": fails})
    run = rollout(project)
    assert not bring_up(run, Targets("dev"), AGREED)
    assert {name: report.outcome for name, report in run.reports.items()} == {
        "identity": Outcome.DONE,
        "disks": Outcome.DONE,
        "network": Outcome.FAILED,
        "aks": Outcome.SKIPPED,
        "platform": Outcome.SKIPPED,
    }
    assert failure_code(run) == ExitCode.FAILED
    write_project(project.base)
    deploy(project, Consent("dev", yes=True, allow_destroy=True))


def test_a_failing_stack_that_holds_data_stops_everything_after_it(deployed: Workspace) -> None:
    """In a standing environment too, where network, aks and platform could be applied by their own plans."""
    fails = {"input": {"version": 2}, "triggers_replace": ["x"], "provisioner": [{"local-exec": {"command": "exit 3"}}]}
    changed = {"input": {"version": 2}}
    write_project(deployed.base, {"disks": fails, "network": changed, "aks": changed, "platform": changed})
    before = {name: state(deployed, name) for name in DISPOSABLE}
    run = rollout(deployed)
    assert not bring_up(run, Targets("dev"), Consent("dev", yes=True, allow_destroy=True))
    assert run.reports["disks"].outcome == Outcome.FAILED
    assert not set(run.reports) & set(DISPOSABLE), "nothing of them was even begun"
    assert {name: state(deployed, name) for name in DISPOSABLE} == before
    assert failure_code(run) == ExitCode.FAILED


def test_a_configuration_error_changes_nothing(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(project.base, {"disks": {"input": "${terraform_data.missing.id}"}})
    with pytest.raises(OperatorError, match="planning failed: disks; nothing was changed"):
        deploy(project)
    assert "Reference to undeclared resource" in capsys.readouterr().err
    assert states(project) == set()


def test_plans_do_not_stay_behind(deployed: Workspace) -> None:
    run = rollout(deployed)
    write_project(deployed.base, {"disks": {"input": {"version": 2}}})
    run.plan()
    assert (run.stacks["disks"].folder / PLAN_FILE).exists()
    run.discard_plans()
    assert not list(deployed.output.rglob(PLAN_FILE))


def test_state_is_readable_for_its_owner_only(deployed: Workspace) -> None:
    files = list((deployed.base / "state" / "dev").iterdir())
    assert files
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def test_a_folder_that_lost_its_initialization_is_initialized_again(deployed: Workspace) -> None:
    (deployed.output / "stacks" / "disks" / ".terraform" / "terraform.tfstate").unlink()
    assert deploy(deployed, Consent("dev")).plans["disks"].changes.empty


def test_destroying_takes_the_disposable_stacks_and_leaves_the_durable_ones(deployed: Workspace) -> None:
    durable = state(deployed, "disks")
    run = rollout(deployed, *DISPOSABLE, destroy=True)
    assert take_down(run, Targets("dev", DISPOSABLE), "dev")
    assert list(run.reports) == ["platform", "aks", "network"]
    assert state(deployed, "network")["resources"] == []
    assert state(deployed, "disks") == durable
    assert deploy(deployed).reports["network"].changes.create == 1


@pytest.mark.parametrize("confirm", ["", "prod", "d", "de", "dev ", "dev2", "DEV", "ev"])
def test_nothing_is_destroyed_without_the_environments_name(deployed: Workspace, confirm: str) -> None:
    with pytest.raises(OperatorError, match="nothing was destroyed") as refusal:
        take_down(rollout(deployed, *DISPOSABLE, destroy=True), Targets("dev", DISPOSABLE), confirm)
    assert refusal.value.code == ExitCode.REFUSED
    assert state(deployed, "network")["resources"] != []


def test_a_protected_stack_refuses_to_be_destroyed(deployed: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(deployed.base, {"disks": PROTECTED})
    before = state(deployed, "disks")
    with pytest.raises(OperatorError, match="nothing was destroyed: disks") as refusal:
        take_down(rollout(deployed, "disks", destroy=True), Targets("dev", ("disks",)), "dev")
    assert refusal.value.code == ExitCode.REFUSED
    assert "protected on purpose" in capsys.readouterr().err
    assert state(deployed, "disks") == before


def test_destroying_what_is_gone_is_no_error(project: Workspace) -> None:
    deploy(project, AGREED, "disks")
    run = rollout(project, "network", destroy=True)
    (project.base / "state" / "dev" / "network.tfstate").write_text(json.dumps({"version": 4, "serial": 1}))
    assert take_down(run, Targets("dev", ("network",)), "")


def test_outputs_are_read_by_stack_and_sensitive_ones_masked(project: Workspace) -> None:
    deploy(project, AGREED, "disks", "identity")
    path = project.output / "stacks" / "disks" / "cdk.tf.json"
    content = json.loads(path.read_text())
    content["output"]["key"] = {"value": "${sensitive(terraform_data.it.id)}", "sensitive": True}
    path.write_text(json.dumps(content))
    deploy(project, AGREED, "disks")
    assert read_outputs("dev", rollout(project, "identity", "disks", "network").runners) == {
        "identity": {"value": {"version": 1}},
        "disks": {"key": MASK, "value": {"version": 1}},
        "network": {},
    }


def test_an_interruption_lets_terraform_finish_and_keeps_what_it_made(project: Workspace, tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    # Ends with Terraform's own SIGINT handling: the provisioner is told to stop and the state is written.
    command = f"echo begun > {started}; exec sleep 600"
    write_project(project.base, {"network": {"provisioner": [{"local-exec": {"command": command}}]}})
    run = rollout(project, "disks", "network")

    def interrupt() -> None:
        started.read_text()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    assert not bring_up(run, Targets("dev", ("disks", "network")), AGREED)
    assert failure_code(run) == ExitCode.INTERRUPTED
    assert instance(project, "network")["status"] == "tainted"
    write_project(project.base)
    deploy(project, Consent("dev", yes=True, allow_destroy=True))


def test_what_is_shown_is_what_is_applied(project: Workspace) -> None:
    run = rollout(project, "disks")
    run.plan()
    write_project(project.base, {"disks": {"input": {"version": 3}}})
    run.apply(["disks"], any_loss=False)
    assert state(project, "disks")["outputs"]["value"]["value"] == {"version": 1}


def test_plain_terraform_and_the_command_line_share_state_and_folder(deployed: Workspace) -> None:
    plan = ["terraform", "plan", "-input=false", "-detailed-exitcode"]
    done = subprocess.run(plan, cwd=deployed.output / "stacks" / "platform", capture_output=True, check=False)
    assert done.returncode == 0
