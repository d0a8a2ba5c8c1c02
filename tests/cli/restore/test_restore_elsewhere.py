"""A set restored into another environment, or another region: what comes over, what stays its own, and back again."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.azure.resources import Azure
from scripts.backup.manifest import Manifest
from scripts.backup.restoring import RestorePart
from scripts.cli.restore import commands
from scripts.cluster.pod_program import START, ByCommand
from scripts.core.azure import AzureError
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings
from stacks.settings.data import DataDisk
from tests.cli.restore.test_set_restore import ALL, NEW, OLD, SET, World
from tests.support.backup.azure import FakeAzure
from tests.support.backup.environment import Backed

PROD = "00000000-5eed-4000-8000-000000000009"
"""Subscription of the set."""


class Elsewhere(World):
    """`dev`, empty and deployed, and a set of `prod`; both see all snapshots, as in Azure."""

    def __init__(self, *, copies: str = "", home: str = "westeurope") -> None:
        super().__init__()
        prod = Backed(f"backups: {{copy_to_region: {copies}}}\n" if copies else "", home)
        prod.azure.secrets = {
            "opik-mysql-password": [("m1", "prod's mysql", True)],
            "opik-clickhouse-password": [("c1", "prod's clickhouse", True)],
            "gateway-salt-key": [("g1", "prod's salt", True)],
            "gateway-master-key": [("k1", "prod's master", True)],
            "database-administrator-password": [("a1", "prod's administrator", True)],
            "web-search-key": [("w1", "a key of the company", True)],
        }
        made = prod.making().run()
        self.prod: FakeAzure = prod.azure
        self.set: Manifest = made.model_copy(update={"environment": "prod", "subscription_id": PROD})
        self.azure.blobs.clear()
        self.azure.secrets = {
            name: [("own", f"dev's {name}", True)] for name in prod.azure.secrets if name != "web-search-key"
        }
        self.azure.snapshots = prod.azure.snapshots
        self.uploads = Path()
        self.geo: list[bool] = []

    def database(self, moment: str, server: str, geo: bool) -> None:
        self.geo.append(geo)
        super().database(moment, server, geo=False)

    def load(self) -> Settings:
        return super().load()

    def _azure_of(self, subscription: str) -> Azure:
        assert subscription == PROD
        return self.prod.azure()

    def _chat_of(self, environment: str) -> Any:
        assert environment == "prod"
        folder = self.uploads / "prod"

        def run(program: str, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
            return _here(program, {**parameters, "folder": str(folder)}, data=())

        return run

    def _chat(
        self, program: str, parameters: Mapping[str, Any], data: Iterable[bytes] = ()
    ) -> Iterator[dict[str, Any]]:
        if parameters.get("action") in ("list", "take"):
            self.event("uploads")
            return _here(program, parameters, data, DATA_DIR=str(self.uploads))
        return super()._chat(program, parameters, data)

    def values(self) -> dict[str, str]:
        return {name: versions[-1][1] for name, versions in self.azure.secrets.items()}

    def run(self, *parts: RestorePart, dry_run: bool = False) -> list[str]:
        return self.restore().run("latest", parts or ALL, (), dry_run=dry_run, of=self.set)


def _here(program: str, parameters: Mapping[str, Any], data: Iterable[bytes], **variables: str) -> Iterator[Any]:
    return ByCommand([sys.executable, "-c", START], "this machine", variables)(program, parameters, data)


@pytest.fixture
def world(tmp_path: Path) -> Elsewhere:
    return filled(Elsewhere(), tmp_path)


def filled(world: Elsewhere, folder: Path) -> Elsewhere:
    """Give the world its files: two uploads in the snapshot, one of which is there."""
    world.uploads = folder
    assert world.set.uploads
    snapshot = folder / "prod" / ".snapshots" / world.set.uploads.moment.replace(":", ".")
    (folder / "uploads").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (snapshot / "a.pdf").write_bytes(b"a" * 3_000_000)
    (snapshot / "empty.txt").write_bytes(b"")
    (snapshot / "there.txt").write_bytes(b"same")
    (folder / "uploads" / "there.txt").write_bytes(b"same")
    return world


def test_everything_comes_over_and_what_the_other_environment_has_of_its_own_stays(world: Elsewhere) -> None:
    assert world.run() == []
    assert world.disk_names() == OLD | NEW
    assert world.generations == dict.fromkeys(DataDisk, 2)
    assert world.happened[:3] == ["secrets", "switch", "database llm-dev-pg-46cy3 2026-11-30T03:00"]
    assert world.geo == [False]
    assert sorted(path.name for path in (world.uploads / "uploads").iterdir()) == ["a.pdf", "empty.txt", "there.txt"]
    assert (world.uploads / "uploads" / "a.pdf").read_bytes() == b"a" * 3_000_000
    assert world.values() == {
        "opik-mysql-password": "prod's mysql",
        "gateway-salt-key": "prod's salt",
        "database-administrator-password": "prod's administrator",
        "web-search-key": "a key of the company",
        # Read at each start: the data does not know them.
        "opik-clickhouse-password": "dev's opik-clickhouse-password",
        "gateway-master-key": "dev's gateway-master-key",
    }
    changed = [call for call in world.prod.calls if call[1] in ("create", "delete") or "set" in call]
    assert [call[:2] for call in changed if call[0] == "disk"] == [], "prod is only read"
    assert world.prod.secrets["opik-mysql-password"] == [("m1", "prod's mysql", True)]


def test_a_part_alone_brings_the_values_that_it_needs_and_no_other(world: Elsewhere) -> None:
    world.run(RestorePart.DISKS)
    assert {name for name, value in world.values().items() if value.startswith("prod's")} == {"opik-mysql-password"}
    other = Elsewhere()
    other.run(RestorePart.DATABASE)
    assert {name for name, value in other.values().items() if value.startswith("prod's")} == {
        "gateway-salt-key",
        "database-administrator-password",
    }


@pytest.mark.slow
def test_stopped_at_any_command_of_azure_it_goes_on_without_the_sets_container() -> None:
    parts = (RestorePart.VAULT, RestorePart.DISKS, RestorePart.DATABASE)
    whole = Elsewhere()
    whole.run(*parts)
    total = len(whole.azure.calls)
    assert total > 30
    for at in range(total):
        world = Elsewhere()

        def refuse(_call: tuple[str, ...], at: int = at, world: Elsewhere = world) -> None:
            if len(world.azure.calls) == at + 1:
                raise AzureError("az failed: throttled")

        world.azure.before = refuse
        with pytest.raises(OperatorError, match="throttled"):
            world.run(*parts)
        world.azure.before = lambda _call: None
        if "restores/current.json" in world.azure.blobs:
            assert world.restore().run("latest", (), ()) == [], "the journal knows the set and the parts"
        else:
            assert world.run(*parts) == []
        assert world.disk_names() == OLD | NEW, at
        assert world.values()["gateway-salt-key"] == "prod's salt"


def test_aborted_the_environment_has_its_own_disks_server_and_values_again(world: Elsewhere) -> None:
    before = world.values()
    world.run()
    stays = world.restore().abort()
    assert world.generations == dict.fromkeys(DataDisk, 1)
    assert world.happened[-1] == "database back llm-dev-pg-46cy3"
    assert {name: world.values()[name] for name in before} == before
    assert any(line.startswith("llm-dev-mysql-2") for line in stays)
    assert [name for name in world.azure.blobs if name.startswith("restores/")] == []


def test_another_set_is_refused_while_this_one_has_not_ended(world: Elsewhere) -> None:
    world.fails.add("switch")
    with pytest.raises(OperatorError, match="switch failed"):
        world.run()
    with pytest.raises(OperatorError, match=f"a restore of {SET} of prod has begun") as refused:
        world.restore().run("latest", ALL, (), of=world.set.model_copy(update={"environment": "test"}))
    assert refused.value.fix == "`llmctl restore dev` goes on with it, --abort goes back"


def test_a_dry_run_tells_whose_values_and_files_come_and_does_nothing(
    world: Elsewhere, capsys: pytest.CaptureFixture[str]
) -> None:
    before = world.values()
    assert world.run(dry_run=True) == []
    told = capsys.readouterr().err
    assert "vault: gateway-salt-key gets its value of then in prod, as a new version" in told
    assert "through the chat of prod" in told
    assert (world.values(), world.disk_names(), world.happened) == (before, OLD, [])
    assert world.azure.blobs == {}


def test_in_another_region_the_copies_become_disks_and_the_database_comes_from_its_copy() -> None:
    world = Elsewhere(copies="westeurope", home="northeurope")
    world.run(RestorePart.DISKS, RestorePart.DATABASE)
    sources = {call[call.index("--source") + 1] for call in world.azure.commands("disk", "create")}
    assert sources == {snapshot.copy_id for snapshot in world.set.snapshots}
    assert world.geo == [True]


def test_a_set_without_a_copy_in_the_region_or_with_an_unfinished_one_is_refused() -> None:
    world = Elsewhere(home="northeurope")
    with pytest.raises(OperatorError, match="is not in westeurope") as refused:
        world.run(RestorePart.DISKS)
    assert "backups.copy_to_region: westeurope in prod" in refused.value.fix
    world = Elsewhere(copies="westeurope", home="northeurope")
    for item in world.azure.snapshots.values():
        item["completionPercent"] = 40.0
    with pytest.raises(OperatorError, match="is copied to 40 %"):
        world.run(RestorePart.DISKS)
    assert (world.happened, world.disk_names()) == ([], OLD)


def test_disks_that_are_larger_than_the_environments_are_refused_with_the_key(world: Elsewhere) -> None:
    grown = [one.model_copy(update={"size_gib": 4096}) if one.store == "mysql" else one for one in world.set.snapshots]
    world.set = world.set.model_copy(update={"snapshots": tuple(grown)})
    with pytest.raises(OperatorError, match="disks do not shrink") as refused:
        world.run(RestorePart.DISKS)
    assert refused.value.fix == "set disks.mysql_gib to 4096 or more"
    assert refused.value.code is ExitCode.SETTINGS


@pytest.mark.parametrize(
    ("key", "part", "said", "fix"),
    [
        ("opik.version", "disks", " in dev and 999.0.0 in the set", "write opik.version: 999.0.0 into"),
        ("database.version", "database", "PostgreSQL is 17 in dev and 18 in", 'write database.version: "18" into'),
        ("versions.open-webui", "database", "Open WebUI is v", "use a checkout with Open WebUI 999.0.0"),
        ("versions.litellm", "database", "LiteLLM is v", f"such as {'a' * 12}, the set's"),
    ],
)
def test_what_an_older_program_cannot_read_is_refused_before_anything_happens(
    world: Elsewhere, key: str, part: str, said: str, fix: str
) -> None:
    newer = "18" if key == "database.version" else "999.0.0"
    world.set = world.set.model_copy(update={"deployed": {**world.set.deployed, key: newer}})
    with pytest.raises(OperatorError) as refused:
        world.run(RestorePart(part))
    assert refused.value.message.startswith(f"dev cannot live on the set {SET} of prod: ")
    assert said in refused.value.message
    assert fix in refused.value.fix
    assert refused.value.code is ExitCode.REFUSED
    assert (world.happened, world.disk_names(), world.azure.blobs) == ([], OLD, {})
    (other,) = {"disks", "database"} - {part}
    assert world.run(RestorePart(other)) == [], "the other part does not depend on it"


def test_uploads_that_only_the_other_environments_chat_could_read_are_found_missing_before_anything_happens(
    world: Elsewhere,
) -> None:
    (world.uploads / "prod").rename(world.uploads / "gone")
    with pytest.raises(OperatorError) as refused:
        world.run()
    assert refused.value.message.startswith("the uploads of prod cannot be read: ")
    assert "in the share chat-uploads of the storage account" in refused.value.message
    assert refused.value.code is ExitCode.NOT_READY
    assert (world.happened, world.disk_names(), world.azure.blobs) == ([], OLD, {})
    rest = f"`llmctl restore prod {SET} --into dev --only disks --only database --only vault`"
    assert rest in refused.value.fix
    parts = (RestorePart.DISKS, RestorePart.DATABASE, RestorePart.VAULT)
    assert world.run(*parts) == [], "what the sentence names works from the set alone"


def test_uploads_of_an_environment_that_is_gone_are_found_missing_too(world: Elsewhere) -> None:
    def gone(_environment: str) -> Any:
        raise OperatorError("there is no environment prod")

    found = world.restore()
    found = replace(found, reach=replace(found.reach, chat_of=gone))
    with pytest.raises(OperatorError, match="cannot be read: there is no environment prod; they lie in the share"):
        found.run("latest", ALL, (), dry_run=True, of=world.set)
    assert world.happened == []


def test_a_chat_that_ends_half_way_is_gone_on_with(world: Elsewhere) -> None:
    listed = world.uploads / "prod"
    world.fails.add("uploads")
    with pytest.raises(OperatorError, match="uploads failed"):
        world.run(RestorePart.UPLOADS)
    listed.rename(world.uploads / "gone")
    with pytest.raises(OperatorError, match="uploads of prod cannot be read") as ended:
        world.restore().run("latest", (), ())
    assert ended.value.code is ExitCode.NOT_READY
    (world.uploads / "gone").rename(listed)
    assert world.restore().run("latest", (), ()) == []
    assert (world.uploads / "uploads" / "a.pdf").stat().st_size == 3_000_000


def command(world: Elsewhere, *words: str) -> Result:
    return CliRunner().invoke(commands.app, list(words), obj=world.restore())


def test_the_command_takes_a_set_from_a_file_where_the_container_is_gone(world: Elsewhere, tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_text(world.set.model_dump_json(), "utf-8")
    done = command(world, "prod", "--into", "dev", "--manifest", str(file), "--only", "disks", "--json")
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout)["environment"] == "dev"
    assert world.generations == dict.fromkeys(DataDisk, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prod", "--into", "prod"), "--into takes another environment than prod"),
        (("prod", "--into", "dev", "--abort"), "neither --abort"),
        (("prod", "--manifest", "set.json"), "--manifest is for --into OTHER"),
        (("prod", "--into", "dev", "--manifest", "/nowhere/set.json"), "cannot be read"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(world: Elsewhere, words: tuple[str, ...], said: str) -> None:
    done = command(world, *words)
    assert isinstance(done.exception, OperatorError)
    assert said in done.exception.message
    assert done.exception.code is ExitCode.USAGE


def test_a_file_of_another_environments_set_is_refused(world: Elsewhere, tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_text(world.set.model_dump_json(), "utf-8")
    done = command(world, "test", "--into", "dev", "--manifest", str(file))
    assert isinstance(done.exception, OperatorError)
    assert f"is the set {SET} of prod" in done.exception.message
