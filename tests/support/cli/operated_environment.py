"""A deployed environment in a folder, for commands that work on one: file, state, cluster and Azure to be asked."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scripts.applications.ingress import Ingress, ingress_of
from scripts.cli.tools import Tools as CommandTools
from scripts.core.consent import Consent
from scripts.core.targets import Targets
from scripts.core.workspace import ROOT, Workspace
from scripts.deployment.bring_up import bring_up
from scripts.deployment.image_step import ImageStep
from scripts.opik.changelog import FOLDER
from scripts.opik.migrations import Changelogs, changelogs
from scripts.terraform.outputs import connected
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from stacks.settings import load_settings
from stacks.settings.data import DataDisk

from .environment_folder import use_environments
from .fake_tools import API_URL, Tools, install, kubeconfig
from .terminals import Nobody
from .terraform_projects import rollout, write_project

DISKS = "/subscriptions/0/resourceGroups/llm-dev-disks/providers"
ADDRESS = "203.0.113.7"
OUTPUTS: dict[str, dict[str, Any]] = {
    "identity": {"api_scope": "api://11111111-1111-1111-1111-111111111111/access"},
    "disks": {
        "backup_vault_id": f"{DISKS}/Microsoft.DataProtection/backupVaults/llm-dev-backup",
        **{f"{disk}_disk_id": f"{DISKS}/Microsoft.Compute/disks/llm-dev-{disk}" for disk in DataDisk},
    },
    "address": {"public_ip_address": ADDRESS, "public_fqdn": "llm-dev.westeurope.cloudapp.azure.com"},
    "aks": {"api_url": API_URL, "resource_group_name": "llm-dev-aks", "cluster_name": "llm-dev"},
}


def outputs_of(_environment: str, *stacks: str) -> dict[str, dict[str, Any]]:
    """Return the outputs of the deployed stacks."""
    return {stack: OUTPUTS[stack] for stack in stacks}


class Operated:
    """The environment `dev`, deployed."""

    def __init__(self, folder: Path, tools: Tools) -> None:
        self.folder = folder
        self.tools = tools
        self.file = folder / "environments" / "dev.yaml"
        self.lock = self.file.with_name("dev.images.lock.json")
        self.ingress: Ingress | None = None
        """How its ingress is reached; None for the real one."""
        self.now = datetime(2026, 7, 15, 12, tzinfo=UTC)
        """A Wednesday, far from any maintenance."""
        self.changelogs: Changelogs = changelogs
        """Gives the schema migrations of a release of Opik."""
        self.images = ImageStep()
        self.broken: Mapping[str, Any] = {}
        """Arguments of the resource in `platform` that make a deployment fail."""

    @property
    def text(self) -> str:
        """The environment file."""
        return self.file.read_text("utf-8")

    @property
    def command_tools(self) -> CommandTools:
        """What commands reach this environment with."""
        return CommandTools(
            terminal=Nobody(),
            workspace=lambda name: Workspace(name, self.folder),
            rollout=self.rollout,
            outputs_of=outputs_of,
            kubectl_of=lambda _name: connected(load_settings("dev"), OUTPUTS["aks"]),
            ingress_of=lambda settings: self.ingress or ingress_of(settings),
            changelogs=self.changelogs,
            images=self.images,
            patience_s=0,
            now=lambda: self.now,
        )

    @contextmanager
    def rollout(self, job: Job) -> Iterator[Rollout]:
        """Synthesize what the file says now, and give over a run of the chosen stacks."""
        asked = {"input": {"file": self.text}}
        workspace = write_project(self.folder, {"identity": asked, "platform": {**asked, **self.broken}})
        run = rollout(workspace, *job.targets.stacks)
        try:
            yield run
        finally:
            run.discard_plans()

    def deployed(self, stack: str) -> str:
        """Return what Terraform's state of a stack holds."""
        return (self.folder / "state" / "dev" / f"{stack}.tfstate").read_text("utf-8")


def deploy_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Deploy the environment for the first time in `folder`, which tests then copy; return it."""
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(folder / "plugins"))
    assert bring_up(rollout(write_project(folder)), Targets("dev"), Consent("dev", yes=True))
    return folder


def operate(deployed: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Operated:
    """Copy the deployed environment to `folder` and let all commands work on it."""
    shutil.copytree(deployed, folder)
    operated = Operated(folder, install(folder / "tools", monkeypatch))
    operated.file.parent.mkdir(parents=True)
    operated.file.write_text((ROOT / "environments" / "dev.yaml").read_text("utf-8"), "utf-8")
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(folder / "plugins"))
    use_environments(operated.file.parent, monkeypatch)
    operated.tools.write("kubeconfig.json", kubeconfig())
    return operated


def upstream(folder: Path, releases: Mapping[str, Mapping[str, str]]) -> str:
    """Make a git repository with a tag per release that holds these MySQL changesets, name to SQL; return its URL."""
    folder.mkdir()
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q"], cwd=folder, check=True)
    subprocess.run([*git, "config", "uploadpack.allowFilter", "true"], cwd=folder, check=True)
    for release, changes in releases.items():
        for name, sql in changes.items():
            path = folder / FOLDER / "db-app-state" / "migrations" / f"{name}.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"--liquibase formatted sql\n--changeset me:{name}\n{sql}\n", "utf-8")
        for arguments in (["add", "."], ["commit", "-qm", release], ["tag", release]):
            subprocess.run([*git, *arguments], cwd=folder, check=True)
    return f"file://{folder}"
