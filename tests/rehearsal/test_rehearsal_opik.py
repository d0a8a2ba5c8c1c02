"""Opik's life in both ingress modes, by llmctl's own commands, with the real Terraform on fake providers.

One environment per mode is brought up, upgraded, rolled back, moved to another domain and back, taken down without its
durable stacks, and brought up again. Each test checks what was seen on the way.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from main import build_app
from scripts.cli.domain import commands as domain
from scripts.cli.opik import commands as opik
from scripts.cli.tools import Tools as CommandTools
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode
from scripts.core.targets import Targets
from scripts.core.tiers import DISPOSABLE, STACKS
from scripts.core.workspace import ROOT
from scripts.deployment.bring_up import bring_up
from scripts.deployment.taking_down import take_down
from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.opik import source
from scripts.opik.changelog import ChangeSet, ChangeSetId, changelog
from scripts.opik.cluster import NAMESPACE
from scripts.opik.migrations import Changelogs
from scripts.opik.versions import Version
from scripts.terraform.outputs import connected
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from stacks.platform.common.catalogue import Build, Image, charts
from stacks.platform.components.opik.stores import CLAIMS
from stacks.settings import load_settings
from stacks.settings.data import DataDisk
from tests.support.cli.environment_folder import use_environments
from tests.support.cli.fake_tools import API_URL, Tools, install, workload
from tests.support.cli.helm_history import revision
from tests.support.cli.operated_environment import upstream
from tests.support.opik.frontend import frontend

from .test_rehearsal import stored_secrets

pytestmark = pytest.mark.rehearsal

MODES = {"nginx": "dev", "application-gateway": "prod"}
"""Ingress mode to an environment that uses it."""
PINNED, NEWER = charts()["opik"].version, "2.1.30"
NEW_DOMAIN = "moved.example.org"
SCHEMA = {
    PINNED: {"000001_a": "CREATE TABLE a (c INT);"},
    NEWER: {"000002_b": "ALTER TABLE a ADD COLUMN b INT;\n--rollback ALTER TABLE a DROP COLUMN b;"},
}
ANALYTICS_FILE, ANALYTICS_CHANGE = "db-app-analytics/x.sql", "--changeset you:x\nCREATE TABLE x (y String);"
"""The fake source has changesets of MySQL only."""

WITHOUT = ("chat", "gateway", "monitoring")
"""Parts that are switched off: half of the cluster's objects, with which Opik has nothing to do."""

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Sight:
    """What stands at one moment."""

    instances: dict[str, dict[str, Attributes]]
    """Stack to its resources by address."""
    lives: dict[str, int]
    """Id of every object of the cluster and in Azure to which life of it this is: made anew, it counts one more."""
    secrets: list[tuple[str, ...]]

    def _of(self, stack: str, kind: str) -> dict[str, Attributes]:
        return {
            address: attributes
            for address, attributes in self.instances[stack].items()
            if address.startswith(f"{kind}.")
        }

    @property
    def bound(self) -> dict[str, tuple[str, str, str]]:
        """Claim of Opik to its volume, the claim that the volume is kept for, and the disk behind it."""
        volumes = {found["metadata"][0]["name"]: found["spec"][0] for found in self._of("platform", VOLUME).values()}
        found = {}
        for claim in self._of("platform", CLAIM).values():
            if claim["metadata"][0]["namespace"] != NAMESPACE:
                continue
            volume = claim["spec"][0]["volume_name"]
            spec = volumes[volume]
            source_ = spec["persistent_volume_source"][0]["csi"][0]
            found[claim["metadata"][0]["name"]] = (volume, spec["claim_ref"][0]["name"], source_["volume_handle"])
        return found

    @property
    def disks(self) -> dict[str, str]:
        """Name of every data disk to its id."""
        return {disk["name"]: disk["id"] for disk in self._of("disks", "azurerm_managed_disk").values()}

    def release(self, name: str) -> Attributes:
        """Return a Helm release, its values parsed and merged in one text."""
        (found,) = (body for body in self._of("platform", "helm_release").values() if body["name"] == name)
        return found

    def values(self, name: str) -> str:
        """Return the values of a release as they were passed to Helm."""
        return "\n".join(self.release(name)["values"])

    @property
    def host(self) -> str:
        """Host that Opik's ingress answers for."""
        (ingress,) = (
            body for address, body in self._of("platform", INGRESS).items() if "opik" in address.partition(".")[2]
        )
        (rule,) = ingress["spec"][0]["rule"]
        return str(rule["host"])

    @property
    def kept(self) -> dict[str, int]:
        """What holds data and its life: volumes, claims and everything of the durable stacks."""
        return {
            key: life
            for key, life in self.lives.items()
            if any(kind in key for kind in (VOLUME, CLAIM, "azurerm_managed_disk", "azurerm_key_vault"))
        }


VOLUME, CLAIM, INGRESS = (
    f"kubernetes_{kind}_v1" for kind in ("persistent_volume", "persistent_volume_claim", "ingress")
)


class Stage:
    """One environment, rehearsed in a folder of its own, whose file the commands change."""

    def __init__(self, environment: str, folder: Path, patch: pytest.MonkeyPatch, changelogs: Changelogs) -> None:
        self.environment = environment
        self.file = folder / "environments" / f"{environment}.yaml"
        self.file.parent.mkdir(parents=True)
        yaml = YAML()
        content = yaml.load(ROOT / "environments" / f"{environment}.yaml")
        content["models"].clear()
        for part in WITHOUT:
            content.setdefault(part, {})["enabled"] = False
        yaml.dump(content, self.file)
        self.domain = load_settings(environment).domain
        self.rehearsal = Rehearsal(load_settings(environment), folder / "rehearsal")
        self.tools = install(folder / "tools", patch)
        use_environments(self.file.parent, patch)
        self.command_tools = CommandTools(
            # A Wednesday, far from any maintenance.
            now=lambda: datetime(2026, 7, 15, 12, tzinfo=UTC),
            changelogs=changelogs,
            patience_s=0,
            workspace=lambda _name: self.rehearsal.workspace,
            rollout=self.rollout,
            outputs_of=self.outputs_of,
            kubectl_of=lambda name: connected(load_settings("dev"), self.outputs_of(name, "aks")["aks"]),
        )

    @contextmanager
    def rollout(self, job: Job) -> Iterator[Rollout]:
        """Synthesize what the file says now, and give over a run of the chosen stacks."""
        output = self.rehearsal.workspace.output
        output.mkdir(parents=True, exist_ok=True)
        build_app(load_settings(self.environment), output).synth()
        run = self.rehearsal.rollout(*job.targets.stacks, destroy=job.destroy)
        try:
            yield run
        finally:
            run.discard_plans()

    def outputs_of(self, _name: str, *stacks: str) -> dict[str, dict[str, Any]]:
        """Return outputs, with a cluster that the fake kubectl knows."""
        found = {stack: self.rehearsal.outputs(stack) for stack in stacks}
        return {stack: found[stack] | ({"api_url": API_URL} if stack == "aks" else {}) for stack in stacks}

    def runs(self, *versions: str) -> None:
        """Let the cluster say that these versions have been deployed in this order."""
        *before, last = versions
        entries = [revision(number, version, "superseded") for number, version in enumerate(before, 1)]
        self.tools.items("secrets,configmaps", *entries, revision(99, last, "deployed"))

    def deploy(self) -> None:
        """Bring up all of it."""
        with self.rollout(Job("deploy", self._targets(), self.rehearsal.workspace)) as run:
            assert bring_up(run, self._targets(), Consent(self.environment, yes=True))

    def destroy(self, *stacks: str) -> None:
        """Take down some stacks."""
        job = Job("destroy", self._targets(*stacks), self.rehearsal.workspace, destroy=True)
        with self.rollout(job) as run:
            assert take_down(run, job.targets, self.environment)

    def command(self, application: Any, *words: str) -> None:
        """Run one of llmctl's commands, which has to succeed."""
        result = CliRunner().invoke(application, [*words, self.environment, "--yes"], obj=self.command_tools)
        assert result.exit_code == ExitCode.OK, f"{result.output}\n{result.exception!r}"

    def look(self) -> Sight:
        """Return what stands now."""
        cloud = Cloud(self.rehearsal.folder)
        return Sight(
            instances={stack: self.rehearsal.instances(stack) for stack in STACKS},
            lives={f"{found.type} {found.id}": found.generation for found in cloud.objects()},
            secrets=stored_secrets(self.rehearsal),
        )

    def _targets(self, *stacks: str) -> Targets:
        return Targets(self.environment, stacks)


@dataclass(frozen=True)
class Life:
    """What was seen of one environment."""

    domain: str
    first: Sight
    upgraded: Sight
    rolled_back: Sight
    moved: Sight
    moved_back: Sight
    destroyed: Sight
    again: Sight
    file: dict[str, str]
    """Text of the environment file after some of the steps."""


@pytest.fixture(scope="module", params=MODES)
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Return the life of an environment in one of the ingress modes."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        repository = upstream(folder / "upstream", SCHEMA)
        build = Build(git=repository, context=source.BACKEND)
        backend = {"opik/backend": Image(repository="r", tag=PINNED, build=build)}

        def changelogs(version: Version) -> dict[ChangeSetId, ChangeSet]:
            found = source.changelog_at(version, folder / "cache", backend)
            return found | changelog({ANALYTICS_FILE: ANALYTICS_CHANGE})

        patch.setattr(domain, "outside_checks", lambda *_: [])
        yield _lived(Stage(MODES[request.param], folder, patch, changelogs))


def _lived(stage: Stage) -> Life:
    file = {"first": stage.file.read_text("utf-8")}
    _stand(stage.tools)
    stage.deploy()
    first = stage.look()
    stage.runs(PINNED)
    with frontend(stage.tools, version=NEWER):
        stage.command(opik.app, "upgrade", NEWER)
    upgraded = stage.look()
    file["upgraded"] = stage.file.read_text("utf-8")
    stage.runs(PINNED, NEWER)
    with frontend(stage.tools, version=PINNED):
        stage.command(opik.app, "rollback")
    rolled_back = stage.look()
    stage.command(domain.app, "set", NEW_DOMAIN, "--skip-dns", "--wait-minutes=0")
    moved = stage.look()
    stage.command(domain.app, "set", stage.domain, "--skip-dns", "--wait-minutes=0")
    moved_back = stage.look()
    file["moved back"] = stage.file.read_text("utf-8")
    stage.destroy(*DISPOSABLE)
    destroyed = stage.look()
    stage.deploy()
    return Life(stage.domain, first, upgraded, rolled_back, moved, moved_back, destroyed, stage.look(), file)


def _stand(tools: Tools) -> None:
    """Let the cluster answer as one where everything is well and both databases hold every migration."""
    tools.opik(workload("opik-backend"))
    tools.items("pods")
    tools.write("exec-opik-mysql-0", "me\t000001_a\nme\t000002_b\n")
    tools.write("exec-chi-opik-clickhouse-cluster-0-0-0", "you\tx\n")


def test_every_claim_is_bound_to_its_own_disk(life: Life) -> None:
    bound = life.first.bound
    assert set(bound) == set(CLAIMS.values())
    assert all(claim == kept_for for claim, (_, kept_for, _) in bound.items())
    assert {claim: handle for claim, (_, _, handle) in bound.items()} == {
        CLAIMS[disk]: handle
        for disk in DataDisk
        for name, handle in life.first.disks.items()
        if name == bound[CLAIMS[disk]][0]
    }


def test_an_upgrade_deploys_chart_and_images_of_the_new_version(life: Life) -> None:
    assert life.first.release("opik")["version"] == PINNED
    assert life.upgraded.release("opik")["version"] == NEWER
    values = json.loads(life.upgraded.release("opik")["values"][-1])["component"]
    assert set(values) == {"backend", "python-backend", "frontend"}
    assert values["python-backend"] == {"enabled": False}
    assert {values[name]["image"]["tag"] for name in ("backend", "frontend")} == {NEWER}
    assert f"version: {NEWER}" in life.file["upgraded"]


def test_a_rollback_deploys_what_ran_before(life: Life) -> None:
    before, after = life.first.release("opik"), life.rolled_back.release("opik")
    assert (after["version"], after["values"]) == (before["version"], before["values"])


def test_a_domain_reaches_login_front_door_and_proxy_and_can_be_taken_back(life: Life) -> None:
    for sight, name in ((life.first, life.domain), (life.moved, NEW_DOMAIN), (life.moved_back, life.domain)):
        assert sight.host == f"opik.{name}"
        callback = f"https://opik.{name}/oauth2/callback"
        assert f"--redirect-url={callback}" in sight.values("oauth2-proxy")
        (application,) = (
            body for address, body in sight.instances["identity"].items() if address.startswith("azuread_application.")
        )
        assert callback in application["web"][0]["redirect_uris"]


def test_the_file_keeps_its_comments_and_names_version_and_domain(life: Life) -> None:
    first, last = (YAML(typ="safe").load(life.file[step]) for step in ("first", "moved back"))
    assert last.setdefault("opik", {}).pop("version") == PINNED
    first.setdefault("opik", {}).pop("version", None)
    assert last == first
    comments = [line for line in life.file["first"].splitlines() if "#" in line]
    assert comments
    assert set(comments) <= set(life.file["moved back"].splitlines())


@pytest.mark.parametrize("step", ["upgraded", "rolled_back", "moved", "moved_back"])
def test_no_change_touches_what_holds_data(life: Life, step: str) -> None:
    sight: Sight = getattr(life, step)
    assert life.first.kept
    assert sight.kept == life.first.kept
    assert sight.bound == life.first.bound
    assert sight.disks == life.first.disks
    assert sight.secrets == life.first.secrets


def test_a_lost_cluster_leaves_disks_and_passwords(life: Life) -> None:
    assert life.destroyed.instances["platform"] == {}
    assert life.destroyed.instances["aks"] == {}
    assert life.destroyed.disks == life.first.disks
    assert life.destroyed.secrets == life.first.secrets


def test_a_new_cluster_finds_the_same_disks_under_the_same_names_with_the_same_passwords(life: Life) -> None:
    assert life.again.bound == life.first.bound
    assert life.again.secrets == life.first.secrets
    assert life.again.disks == life.first.disks
    for release in ("opik", "altinity-clickhouse-operator", "oauth2-proxy", "login-sessions", "platform-secrets"):
        # Which passwords the pods start with, by version, is part of these values.
        assert life.again.release(release)["version"] == life.moved_back.release(release)["version"]
    assert life.again.values("opik") == life.moved_back.values("opik")
    assert life.again.values("platform-secrets") == life.moved_back.values("platform-secrets")
