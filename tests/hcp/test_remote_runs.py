"""The real Terraform with the `cloud` block: states, locks and runs, against a service that speaks the API."""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.cli.state import commands as state
from scripts.cli.tools import Tools as CommandTools
from scripts.core.errors import OperatorError
from scripts.core.workspace import ROOT
from scripts.lab.rehearsal.drive import LAUNCHER
from scripts.terraform.errors.diagnose import diagnose
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import TerraformError
from tests.support.cli.terraform_projects import READS
from tests.support.hcp.projects import STACKS, Remote, write
from tests.support.hcp.store import Refusal
from tests.support.hcp.terraform import fake_service

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform"),
]


@pytest.fixture(params=["local", "remote"])
def execution(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def remote(tmp_path: Path, execution: str) -> Iterator[Remote]:
    with fake_service(tmp_path) as (service, variables):
        for name in STACKS:
            service.store.add_workspace(f"llm-dev-{name}", execution_mode=execution)
        links = {name: service.store.workspace(f"llm-dev-{name}") for name in STACKS}
        for name in STACKS:
            for producer in READS[name]:
                if producer in links:
                    consumers = links[producer]["relationships"]["remote-state-consumers"]["data"]
                    consumers.append({"id": links[name]["id"], "type": "workspaces"})
        yield Remote(service, write(tmp_path / "project", variables))
        assert service.unknown == []


def test_state_is_written_and_read_across_stacks(remote: Remote) -> None:
    run = remote.deploy()
    assert {name: str(report.outcome) for name, report in run.reports.items()} == dict.fromkeys(STACKS, "done"), [
        report.error and report.error.output for report in run.reports.values()
    ]
    assert remote.value("disks") == {"version": 1}
    assert remote.value("network") == {"disks": {"version": 1}}
    assert remote.value("aks") == {"network": {"disks": {"version": 1}}}
    assert not (remote.workspace.base / "state").exists()
    again = remote.rollout()
    again.plan()
    assert {name: str(plan.changes) for name, plan in again.plans.items()} == dict.fromkeys(STACKS, "no changes")
    assert again.runner("network").outputs()["value"]["value"] == {"disks": {"version": 1}}


@pytest.mark.parametrize("execution", ["remote"], indirect=True)
def test_a_trigger_starts_a_run_with_last_times_configuration_which_waits(remote: Remote) -> None:
    """Why no trigger is made unless asked for: the run that it starts is nobody's plan, and nothing confirms it."""
    store = remote.service.store
    source, target = store.workspace("llm-dev-disks"), store.workspace("llm-dev-network")
    remote.deploy()
    store.add("run-triggers", "rt", {}, workspace=target, sourceable=source)
    remote.workspace.stacks()["disks"].folder.joinpath("cdk.tf.json").write_text(
        remote.workspace.stacks()["disks"]
        .folder.joinpath("cdk.tf.json")
        .read_text()
        .replace('"version": 1', '"version": 2')
    )
    before = len(store.all("runs"))
    remote.deploy("disks")
    for thread in list(remote.service.threads):
        thread.join()
    started = [run for run in store.all("runs")[before:] if store.related(run, "workspace") == [target["id"]]]
    assert [run["attributes"]["status"] for run in started] == ["planned"]
    assert started[0]["attributes"]["actions"]["is-confirmable"] is True


def test_every_workspace_is_free_afterwards(remote: Remote) -> None:
    remote.deploy("disks")
    assert not remote.service.store.workspace("llm-dev-disks")["attributes"]["locked"]


@pytest.mark.parametrize("execution", ["remote"])
def test_a_run_has_the_upload_and_its_own_environment_and_nothing_else(
    remote: Remote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPERATORS_OWN", "secret")
    folder = remote.workspace.stacks()["disks"].folder
    (folder / "assets").mkdir()
    (folder / "assets" / "chart.yaml").write_text("name: chart")
    (folder.parent / "beside").write_text("not uploaded")
    seen = tmp_path / "seen"
    content = json.loads((folder / "cdk.tf.json").read_text())
    command = {"command": f"(env; find . -type f) > {seen}"}
    content["resource"]["terraform_data"]["it"]["provisioner"] = {"local-exec": command}
    (folder / "cdk.tf.json").write_text(json.dumps(content))
    remote.deploy("disks")
    variables, files = set[str](), set[str]()
    for line in seen.read_text().splitlines():
        (files if line.startswith("./") else variables).add(line)
    assert {"./assets/chart.yaml", "./cdk.tf.json"} <= files
    assert not [
        name for name in files if "beside" in name or ("tfstate" in name and not name.startswith("./.terraform/"))
    ]
    assert "TFC_WORKSPACE_NAME=llm-dev-disks" in variables
    assert not [line for line in variables if "OPERATORS_OWN" in line or "user-token" in line]
    (uploaded,) = (blob for name, blob in remote.service.store.blobs.items() if name.endswith(".tgz"))
    with tarfile.open(fileobj=io.BytesIO(uploaded)) as archive:
        names = {member.name for member in archive if member.isfile()}
    assert {Path(name).parts[0] for name in names} <= {"cdk.tf.json", "assets", ".terraform.lock.hcl", ".terraform"}
    assert not [name for name in names if name.endswith((".tfstate", ".tfplan"))]


@pytest.mark.parametrize("execution", ["remote"])
def test_cdktf_deploy_is_a_run_that_is_applied(remote: Remote) -> None:
    environment = remote.workspace.process_environment() | {
        "CDKTF_OUTPUT": str(remote.workspace.output),
        "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "true",
        "CDKTF_SKIP_PROVIDER_LOCK": "true",
    }
    command = [sys.executable, str(LAUNCHER), "deploy", "disks", "--auto-approve", "--skip-synth"]
    for expected in ("applied", "planned_and_finished"):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert remote.service.store.all("runs")[-1]["attributes"]["status"] == expected
    assert remote.value("disks") == {"version": 1}


@pytest.mark.parametrize("execution", ["remote"])
def test_a_run_reads_no_state_that_is_not_shared_with_it(remote: Remote) -> None:
    remote.deploy("disks", "network")
    remote.service.store.workspace("llm-dev-disks")["relationships"]["remote-state-consumers"]["data"].clear()
    run = remote.rollout("network")
    with pytest.raises(TerraformError) as failure:
        run.runner("network").plan()
    (found, *_) = diagnose(failure.value.output, "folder", "`llmctl deploy dev`")
    assert "llmctl remote bootstrap" in found.fix


@pytest.mark.parametrize("execution", ["remote"])
def test_a_failed_apply_keeps_what_was_made(remote: Remote) -> None:
    folder = remote.workspace.stacks()["disks"].folder
    content = json.loads((folder / "cdk.tf.json").read_text())
    broken = {"input": "${terraform_data.it.output}", "provisioner": {"local-exec": {"command": "exit 3"}}}
    content["resource"]["terraform_data"]["broken"] = broken
    (folder / "cdk.tf.json").write_text(json.dumps(content))
    run = remote.deploy("disks")
    error = run.reports["disks"].error
    assert error is not None
    assert "local-exec provisioner error" in error.output
    assert remote.value("disks") == {"version": 1}


@pytest.mark.parametrize("execution", ["remote"])
def test_destroying_is_a_run_too(remote: Remote) -> None:
    remote.deploy("disks")
    run = remote.rollout("disks", destroy=True)
    run.plan()
    assert run.lost == {"disks": ("terraform_data.it",)}
    run.apply(run.stacks, any_loss=True)
    assert remote.state("disks")["resources"] == []


@pytest.mark.parametrize("execution", ["local"])
def test_a_locked_workspace_is_told_with_the_way_on(remote: Remote) -> None:
    remote.deploy("disks")
    remote.service.store.workspace("llm-dev-disks")["attributes"]["locked"] = True
    with pytest.raises(TerraformError) as failure:
        remote.rollout("disks").runner("disks").plan()
    (found,) = diagnose(failure.value.output, "cdktf.out/dev/stacks/disks", "`llmctl deploy dev`")
    assert "another run holds the workspace acme/llm-dev-disks" in found.fix
    # The command that the next test breaks it with.
    assert "`llmctl state unlock dev disks acme/llm-dev-disks`" in found.fix


@pytest.mark.parametrize("execution", ["local"])
def test_the_lock_of_a_dead_run_is_broken_by_its_id_only(remote: Remote) -> None:
    remote.deploy("disks")
    workspace = remote.service.store.workspace("llm-dev-disks")
    workspace["attributes"]["locked"] = True

    @contextmanager
    def rollout(_job: Job) -> Iterator[Rollout]:
        yield remote.rollout("disks")

    tools = CommandTools(rollout=rollout)
    for arguments in (["acme/llm-dev-disks"], ["elsewhere/llm-dev-disks", "--yes"]):
        refused = CliRunner().invoke(state.app, ["unlock", "dev", "disks", *arguments], obj=tools)
        assert isinstance(refused.exception, OperatorError)
        assert workspace["attributes"]["locked"]
    done = CliRunner().invoke(state.app, ["unlock", "dev", "disks", "acme/llm-dev-disks", "--yes"], obj=tools)
    assert done.exit_code == 0
    assert not workspace["attributes"]["locked"]


@pytest.mark.parametrize("execution", ["local"])
def test_a_refused_token_is_told(remote: Remote) -> None:
    remote.deploy("disks")
    remote.service.store.tokens.clear()
    with pytest.raises(TerraformError) as failure:
        remote.rollout("disks").runner("disks").plan()
    assert any("terraform login" in found.fix for found in diagnose(failure.value.output, "folder", "`x`"))


@pytest.mark.parametrize("execution", ["local"])
@pytest.mark.parametrize("status", [429, 500])
def test_a_service_that_stumbles_is_tried_again(remote: Remote, status: int) -> None:
    remote.deploy("disks")
    remote.service.fail("GET", "/current-state-version$", status, times=2, X_RateLimit_Reset="0.01")
    assert remote.rollout("disks").runner("disks").plan().changes.empty
    assert [fault.times for fault in remote.service.faults] == [0]


@pytest.mark.parametrize("execution", ["local"])
def test_a_state_that_cannot_be_written_is_kept_here_and_pushed_later(remote: Remote) -> None:
    run = remote.rollout("disks")
    run.plan()
    remote.service.fail("POST", "/state-versions$", 422, times=99)
    run.apply(run.stacks, any_loss=False)
    with pytest.raises(Refusal):
        remote.service.store.state("llm-dev-disks")
    folder = run.stacks["disks"].folder
    kept = json.loads((folder / "errored.tfstate").read_text())
    assert [item["type"] for item in kept["resources"]] == ["terraform_data"]
    remote.service.faults.clear()
    # Terraform leaves the lock, so that nobody goes on from the old state.
    for command in (["force-unlock", "-force", "acme/llm-dev-disks"], ["state", "push", "errored.tfstate"]):
        environment = remote.workspace.process_environment()
        done = subprocess.run(["terraform", *command], cwd=folder, env=environment, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
    assert remote.value("disks") == {"version": 1}
