"""The platform's own stacks in HCP Terraform: every run has one uploaded folder, and fake providers."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.bootstrap import terraform
from scripts.cli.remote import commands as remote
from scripts.core.consent import Consent
from scripts.core.processes import Processes
from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.core.workspace import Workspace
from scripts.hcp.client import configuration
from scripts.hcp.desired import desired_environment
from scripts.lab.rehearsal.drive import LAUNCHER
from scripts.lab.rehearsal.mirror import prepare
from scripts.terraform.rollout import Rollout
from stacks.settings import Settings
from stacks.settings.azure import HcpStateSettings, StateBackend, StateSettings
from tests.support.hcp.server import Service
from tests.support.hcp.store import ORGANIZATION
from tests.support.hcp.terraform import fake_service
from tests.support.stacks.synthesis import synthesize, with_state

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform"),
]

ROOT = Path(__file__).resolve().parents[2]
_APP = """
import os, sys
sys.path[0] = {root!r}
from pathlib import Path
from stacks.settings import load_settings
from stacks.settings.azure import HcpStateSettings, StateBackend, StateSettings
hcp = HcpStateSettings(organization={organization!r}, terraform_version="1.11.4")
state = StateSettings(backend=StateBackend.HCP, hcp=hcp)
from main import build_app
build_app(load_settings("dev").model_copy(update={{"state": state}}), Path(os.environ["CDKTF_OUTDIR"])).synth()
"""

FREE_RESOURCES = 500
"""Managed resources that HCP Terraform's free tier holds: docs/how-to/remote-runs.md."""


@dataclass
class Platform:
    """The environment `dev` with its state and runs in the fake service."""

    service: Service
    workspace: Workspace
    settings: Settings

    def rollout(self, *names: str) -> Rollout:
        stacks = {name: stack for name, stack in self.workspace.stacks().items() if name in (names or STACKS)}
        return Rollout(self.workspace, stacks, terraform.find(), Processes())

    def deploy(self, *names: str) -> Rollout:
        run = self.rollout(*names)
        run.plan()
        assert run.failures == {}, [error.output for error in run.failures.values()]
        assert run.apply(names, any_loss=False), [
            report.error and report.error.output for report in run.reports.values()
        ]
        return run


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return the environment, prepared by `llmctl remote bootstrap` and brought up by remote runs."""
    folder = tmp_path_factory.mktemp("remote")
    hcp = HcpStateSettings(organization=ORGANIZATION, terraform_version="1.11.4")
    settings = with_state("dev", StateSettings(backend=StateBackend.HCP, hcp=hcp))
    fakes = prepare(folder / "cloud")
    own = Path(fakes["TF_CLI_CONFIG_FILE"]).read_text()
    with fake_service(folder, own) as (service, variables), pytest.MonkeyPatch.context() as patch:
        workspace = Workspace("dev", folder, fakes | variables)
        workspace.output.mkdir(parents=True)
        synthesize(settings, workspace.output)
        # What a machine of the service brings along: Terraform's configuration and the providers.
        service.run_environment.update({**fakes, **service.run_environment})
        patch.setenv("TF_TOKEN_app_terraform_io", variables["TF_TOKEN_app_terraform_io"])
        trusted = {"ca_bundle": str(service.certificates)}
        reads = {name: stack.dependencies for name, stack in workspace.stacks().items()}
        desired = desired_environment(settings, reads)
        remote.arrange(
            desired,
            Consent("dev", yes=True),
            dry_run=False,
            with_azure=False,
            configure=lambda hostname: configuration(hostname, address=service.address).model_copy(update=trusted),
        )
        found = Platform(service, workspace, settings)
        found.deploy(*DURABLE)
        found.deploy(*DISPOSABLE)
        yield found
        assert service.unknown == []


def test_remote_runs_bring_up_every_stack(platform: Platform) -> None:
    for stack in STACKS:
        state = json.loads(platform.service.store.state(f"llm-dev-{stack}"))
        assert state["resources"], stack
        assert state["outputs"], stack


def test_the_environment_stays_within_the_free_tier(platform: Platform) -> None:
    states = (json.loads(platform.service.store.state(f"llm-dev-{stack}")) for stack in STACKS)
    managed = sum(
        len(item["instances"]) for state in states for item in state["resources"] if item["mode"] == "managed"
    )
    assert 200 < managed <= FREE_RESOURCES


def test_a_second_plan_of_every_stack_is_empty(platform: Platform) -> None:
    run = platform.rollout()
    run.plan()
    assert run.failures == {}
    assert {name: str(plan.changes) for name, plan in run.plans.items()} == dict.fromkeys(STACKS, "no changes")


def test_cdktf_deploy_network_aks_platform_starts_remote_runs(platform: Platform, tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(_APP.format(root=str(ROOT), organization=ORGANIZATION))
    environment = platform.workspace.process_environment() | {
        "CDKTF_APP": f'"{sys.executable}" "{app}"',
        "CDKTF_OUTPUT": str(platform.workspace.output),
        "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "true",
        "CDKTF_SKIP_PROVIDER_LOCK": "true",
    }
    runs = platform.service.store.all("runs")
    done = subprocess.run(
        [sys.executable, str(LAUNCHER), "deploy", *DISPOSABLE, "--auto-approve"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    started = platform.service.store.all("runs")[len(runs) :]
    workspaces = [platform.service.store.related(run, "workspace")[0] for run in started]
    assert workspaces == [platform.service.store.workspace(f"llm-dev-{stack}")["id"] for stack in DISPOSABLE]
    assert {run["attributes"]["status"] for run in started} == {"planned_and_finished"}


def test_every_run_found_all_it_needs_in_its_upload(platform: Platform) -> None:
    assert len(platform.service.store.all("runs")) >= 2 * len(STACKS)
    for name, blob in platform.service.store.blobs.items():
        if name.endswith(".log"):
            assert str(platform.workspace.output).encode() not in blob


@pytest.mark.parametrize("stack", STACKS)
def test_a_stacks_folder_alone_can_be_validated_and_planned(platform: Platform, stack: str, tmp_path: Path) -> None:
    alone = tmp_path / stack
    origin = platform.workspace.stacks()[stack].folder
    shutil.copytree(origin, alone, ignore=shutil.ignore_patterns(".terraform", ".terraform.lock.hcl"))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        **platform.workspace.variables,
    }
    for command in (["init", "-input=false"], ["validate"], ["plan", "-input=false", "-detailed-exitcode"]):
        done = subprocess.run(
            ["terraform", *command], cwd=alone, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_of_a_stacks_folder_names_a_place_outside_it(platform: Platform) -> None:
    for stack in platform.workspace.stacks().values():
        files = [path for path in stack.folder.rglob("*") if path.is_file() and ".terraform" not in path.parts]
        assert any(path.name == "cdk.tf.json" for path in files)
        for path in files:
            content = path.read_bytes()
            assert str(ROOT).encode() not in content, path
            assert b"../" not in content if path.name == "cdk.tf.json" else True, path
