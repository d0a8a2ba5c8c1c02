"""`llmctl state migrate` with the real Terraform, between local files and HCP Terraform."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.state import commands as state
from scripts.cli.tools import Tools as CommandTools
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.tiers import STACKS
from scripts.core.workspace import ROOT, Workspace
from scripts.terraform.program import require_terraform
from scripts.terraform.state.migration import Need, addresses, carry_out, plan_moves
from scripts.terraform.state.places import Place, place, settings_of
from tests.support.hcp.server import Service
from tests.support.hcp.store import ORGANIZATION
from tests.support.hcp.terraform import fake_service

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform"),
]

LOCAL = "state: {backend: local}"
HCP = f"state: {{backend: hcp, hcp: {{organization: {ORGANIZATION}}}}}"
DEPLOYED = ("disks", "network")


def state_file(*names: str, lineage: str = "one", serial: int = 3) -> dict[str, Any]:
    """Return a state as Terraform writes it, one resource per name."""
    return {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": serial,
        "lineage": lineage,
        "outputs": {"value": {"value": list(names), "type": ["tuple", ["string"] * len(names)]}},
        "resources": [
            {
                "mode": "managed",
                "type": "terraform_data",
                "name": name,
                "provider": 'provider["terraform.io/builtin/terraform"]',
                "instances": [
                    {
                        "schema_version": 0,
                        "attributes": {"id": name, "input": None, "output": None, "triggers_replace": None},
                        "sensitive_attributes": [],
                    }
                ],
            }
            for name in names
        ],
        "check_results": None,
    }


@dataclass
class Migration:
    """An environment with local state, and an empty organization."""

    base: Path
    service: Service
    workspace: Workspace
    groups: list[str] = field(default_factory=list)
    """Resource groups of the subscription."""

    def run(self, *arguments: str) -> Result:
        tools = CommandTools(workspace=lambda _name: self.workspace, resource_groups=lambda _subscription: self.groups)
        files = {word: str(self.base / f"{word}.yaml") for word in ("old", "new")}
        return CliRunner().invoke(state.app, ["migrate", *(files.get(word, word) for word in arguments)], obj=tools)

    def keeps(self, old: str, new: str) -> None:
        """Write the version of the environment file before and the one after."""
        text = (ROOT / "environments" / "dev.yaml").read_text("utf-8")
        for name, section in (("old", old), ("new", new)):
            (self.base / f"{name}.yaml").write_text(f"{text}\n{section}\n")

    def places(self) -> tuple[Place, Place]:
        """Return where the states are, and where they go."""
        processes, terraform = Processes(), require_terraform()
        old, new = (
            place(settings_of(str(self.base / f"{name}.yaml")), side, self.workspace, terraform, processes)
            for name, side in (("old", "from"), ("new", "to"))
        )
        return old, new

    def local(self, stack: str) -> Path:
        return self.base / "state" / "dev" / f"{stack}.tfstate"

    def remote(self, stack: str) -> dict[str, Any]:
        return dict(json.loads(self.service.store.state(f"llm-dev-{stack}")))

    def put(self, stack: str, content: dict[str, Any]) -> None:
        workspace = self.service.store.add_workspace(f"llm-dev-{stack}", execution_mode="local")
        self.service.store.write_state(workspace, content["serial"], json.dumps(content).encode())


@pytest.fixture
def migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    base = tmp_path / "checkout"
    (base / "state" / "dev").mkdir(parents=True)
    with fake_service(tmp_path) as (service, variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        found = Migration(base, service, Workspace("dev", base))
        found.keeps(LOCAL, HCP)
        for stack in DEPLOYED:
            found.local(stack).write_text(json.dumps(state_file(f"{stack}-a", f"{stack}-b")))
        yield found
        assert service.unknown == []


def test_every_state_arrives_whole_and_the_old_ones_stay(migration: Migration) -> None:
    before = {stack: migration.local(stack).read_text() for stack in DEPLOYED}
    done = migration.run("old", "new", "--yes")
    assert done.exit_code == 0, done.output
    for stack in DEPLOYED:
        assert addresses(migration.remote(stack)) == addresses(json.loads(before[stack]))
        assert migration.remote(stack)["outputs"] == json.loads(before[stack])["outputs"]
        assert migration.local(stack).read_text() == before[stack]
    assert not migration.service.store.workspace("llm-dev-disks")["attributes"]["locked"]
    assert list(migration.base.rglob("moving.tfstate")) == []


def test_a_dry_run_writes_nothing(migration: Migration) -> None:
    shown = migration.run("old", "new", "--dry-run")
    assert "disks: to copy, 2 resources" in shown.output
    assert "aks: nothing deployed" in shown.output
    assert migration.service.store.all("state-versions") == []


@pytest.mark.parametrize("left", [(), DEPLOYED[:1]])
def test_a_checkout_without_the_states_of_what_the_subscription_holds_is_refused(
    migration: Migration, left: tuple[str, ...]
) -> None:
    """ "Nothing deployed" would be a guess of whoever has another checkout."""
    for stack in DEPLOYED:
        if stack not in left:
            migration.local(stack).unlink()
    migration.groups = ["LLM-dev-aks", "somebody-elses"]
    refused = migration.run("old", "new", "--yes")
    assert isinstance(refused.exception, OperatorError)
    assert refused.exception.code is ExitCode.REFUSED
    assert refused.exception.message == (
        "aks: no state in either place, but the subscription holds llm-dev-aks; nothing was copied"
    )
    assert migration.service.store.all("state-versions") == []


def test_an_environment_that_nobody_deployed_needs_no_state(migration: Migration) -> None:
    for stack in DEPLOYED:
        migration.local(stack).unlink()
    migration.groups = ["llm-prod-aks"]
    assert migration.run("old", "new", "--yes").exit_code == 0


def test_without_consent_nothing_is_written(migration: Migration) -> None:
    refused = migration.run("old", "new")
    assert isinstance(refused.exception, OperatorError)
    assert refused.exception.code is ExitCode.REFUSED
    assert migration.service.store.all("state-versions") == []


def test_a_second_time_finds_all_there(migration: Migration) -> None:
    migration.run("old", "new", "--yes")
    count = len(migration.service.store.all("state-versions"))
    again = migration.run("old", "new")
    assert again.exit_code == 0
    assert "disks: already there" in again.output
    assert len(migration.service.store.all("state-versions")) == count


def test_an_interrupted_move_goes_on(migration: Migration) -> None:
    migration.run("old", "new", "--dry-run")
    network = migration.service.store.workspace("llm-dev-network")["id"]
    migration.service.fail("POST", f"/{network}/state-versions$", 422, times=99)
    failed = migration.run("old", "new", "--yes")
    assert isinstance(failed.exception, OperatorError)
    assert "network: terraform state push failed" in failed.exception.message
    assert addresses(migration.remote("disks")) == addresses(json.loads(migration.local("disks").read_text()))
    migration.service.faults.clear()
    migration.service.store.get(network, "workspaces")["attributes"]["locked"] = False
    shown = migration.run("old", "new", "--yes")
    assert "disks: already there" in shown.output
    assert "network: 2 resources arrived" in shown.output


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (state_file("foreign", lineage="two"), "holds 1 resources of another deployment"),
        (state_file("disks-a", "disks-b", "disks-c", serial=9), "was deployed to after the move began"),
        (state_file("disks-a", "disks-c", serial=1), "holds 1 resources that the source lacks"),
    ],
    ids=["foreign", "newer", "more"],
)
def test_a_target_that_would_lose_something_is_refused_before_anything_is_written(
    migration: Migration, there: dict[str, Any], reason: str
) -> None:
    migration.put("disks", there)
    refused = migration.run("old", "new", "--yes")
    assert isinstance(refused.exception, OperatorError)
    assert reason in refused.exception.message
    assert refused.exception.code is ExitCode.REFUSED
    assert migration.remote("disks") == there
    assert len(migration.service.store.all("state-versions")) == 1


def test_an_older_copy_is_brought_up_to_date(migration: Migration) -> None:
    migration.put("disks", state_file("disks-a", serial=1))
    assert migration.run("old", "new", "--yes").exit_code == 0
    assert addresses(migration.remote("disks")) == addresses(json.loads(migration.local("disks").read_text()))


def test_a_locked_target_is_left_alone(migration: Migration) -> None:
    migration.service.store.add_workspace("llm-dev-disks", execution_mode="local", locked=True)
    failed = migration.run("old", "new", "--yes")
    assert isinstance(failed.exception, OperatorError)
    assert "Error acquiring the state lock" in failed.exception.message
    assert migration.service.store.all("state-versions") == []


class Damaging(Place):
    """Loses a resource on the way."""

    def write(self, stack: str, state: dict[str, Any]) -> None:
        super().write(stack, state | {"resources": state["resources"][:1]})


def test_what_arrives_damaged_is_told(migration: Migration) -> None:
    old, new = migration.places()
    moves = plan_moves(old, new, STACKS)
    with pytest.raises(OperatorError, match="did not arrive as it was sent"):
        list(carry_out(moves, old, Damaging(**vars(new))))


def test_a_deployment_meanwhile_is_noticed(migration: Migration) -> None:
    class Deploying(Place):
        """Somebody deploys while a state is on its way."""

        def write(self, stack: str, state: dict[str, Any]) -> None:
            super().write(stack, state)
            migration.local(stack).write_text(json.dumps(state_file("disks-a", "disks-c", serial=4)))

    old, new = migration.places()
    moves = plan_moves(old, new, STACKS)
    with pytest.raises(OperatorError, match="changed while it was being moved"):
        list(carry_out(moves, old, Deploying(**vars(new))))


def test_states_go_back_to_files_too(migration: Migration) -> None:
    migration.run("old", "new", "--yes")
    for stack in DEPLOYED:
        migration.local(stack).unlink()
    migration.keeps(HCP, LOCAL)
    assert migration.run("old", "new", "--yes").exit_code == 0
    assert addresses(json.loads(migration.local("disks").read_text())) == addresses(migration.remote("disks"))


def test_the_places_are_those_that_the_stacks_use(migration: Migration) -> None:
    migration.local("acr").write_text(json.dumps(state_file("acr-a")))
    moves = {move.stack: move.need for move in plan_moves(*migration.places(), STACKS)}
    assert moves == dict.fromkeys(STACKS, Need.NOTHING) | dict.fromkeys(("acr", *DEPLOYED), Need.COPY)


def test_one_place_twice_is_no_move(migration: Migration) -> None:
    refused = migration.run("new", "new")
    assert isinstance(refused.exception, OperatorError)
    assert "one place" in refused.exception.message


def test_a_version_of_the_file_is_named_by_commit_or_path(tmp_path: Path) -> None:
    assert settings_of("HEAD:dev").name == "dev"
    file = tmp_path / "old.yaml"
    shutil.copy("environments/prod.yaml", file)
    assert settings_of(str(file)).name == "prod"
    for word in ("HEAD:nowhere", "no-such-commit:dev", str(tmp_path / "missing.yaml")):
        with pytest.raises(OperatorError):
            settings_of(word)
