"""A restore goes on after any interruption, keeps what was in use, and goes back."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.backup.counts import Counted
from scripts.backup.restoring import RestorePart
from scripts.cli.restore import commands
from scripts.cli.restore.reach import Reach
from scripts.cli.restore.set_restore import SetRestore
from scripts.core.azure import AzureError
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings
from stacks.settings.data import DataDisk
from tests.support.backup.azure import group
from tests.support.backup.environment import Backed, settings
from tests.support.cli.terminals import answering

SET = "20261130t030000z"
DISKS = f"{group('llm-dev-disks')}/providers/Microsoft.Compute/disks"
SERVER = f"{group('llm-dev-database')}/providers/Microsoft.DBforPostgreSQL/flexibleServers/llm-dev-pg-46cy3"
ALL = tuple(RestorePart)


class World:
    """An environment with one backup set, and everything that a restore reaches."""

    def __init__(self) -> None:
        self.backed = Backed()
        self.backed.making().run()
        self.azure = self.backed.azure
        self.azure.calls.clear()
        for disk in self.backed.place.disks.values():
            self.azure.locks.add(disk.id.lower())
        self.generations: dict[DataDisk, int] = {}
        self.happened: list[str] = []
        self.fails: set[str] = set()
        self.moment = ""
        """To which PostgreSQL was restored, as the environment file has it."""
        self.traces = 1000
        self.users = 11

    def load(self) -> Settings:
        listed = ", ".join(f"{disk}: {number}" for disk, number in self.generations.items())
        database = f"database: {{generation: 2, restore_from_server_id: {SERVER}, restore_time_utc: '{self.moment}'}}\n"
        return settings(f"disks: {{generations: {{{listed}}}}}\n" + (database if self.moment else ""))

    def database(self, moment: str, server: str, geo: bool) -> None:
        assert not geo
        self.event(f"database {server.rsplit('/', 1)[-1]} {moment[:16]}")
        self.moment = moment

    def event(self, what: str) -> None:
        if what in self.fails:
            self.fails.discard(what)
            raise OperatorError(f"{what} failed")
        self.happened.append(what)

    def switch(self, ids: Mapping[str, str]) -> Any:
        world = self

        class Switch:
            def run(self, generations: Mapping[DataDisk, int]) -> None:
                for disk, number in generations.items():
                    assert world.backed.place.names.data_disk(disk, number) in ids
                world.event("switch")
                world.generations |= generations

        return Switch()

    def _chat(
        self,
        program: str,  # noqa: ARG002
        parameters: Mapping[str, Any],
        data: Iterable[bytes] = (),  # noqa: ARG002
    ) -> Iterator[dict[str, Any]]:
        if "moment" in parameters:
            self.event("uploads")
            yield {"restored": 3, "there": 10}
        else:
            yield {"counts": {"users": self.users, "chats": 40}}

    def _opik(self) -> Mapping[str, int]:
        return {"traces": self.traces, "spans": 5000, "projects": 4, "datasets": 2, "prompts": 1}

    def restore(self, *, yes: bool = True, answer: str = "") -> SetRestore:
        reach = Reach(
            opened=self.backed.opened(),
            load=self.load,
            switch=self.switch,
            database=self.database,
            database_back=lambda server: self.event(f"database back {server}".strip()),
            counted=lambda: Counted(opik=self._opik, chat=self._chat),
            chat=lambda: self._chat,
            chat_of=self._chat_of,
            azure_of=self._azure_of,
            refresh=lambda: self.happened.append("secrets"),
        )
        return SetRestore(reach=reach, consent=Consent("dev", yes, terminal=answering(answer)))

    def _chat_of(self, environment: str) -> Any:
        raise AssertionError(f"the chat of {environment} was asked")

    def _azure_of(self, subscription: str) -> Any:
        raise AssertionError(f"{subscription} was asked")

    def disk_names(self) -> set[str]:
        return {item["name"] for item in self.azure.disks.values()}


OLD = {f"llm-dev-{disk}" for disk in DataDisk}
NEW = {f"llm-dev-{disk}-2" for disk in DataDisk}


def test_everything_comes_back_beside_what_is_there() -> None:
    world = World()
    world.azure.secrets["opik-mysql-password"].append(("three", "rotated", True))
    assert world.restore().run("latest", ALL, ()) == []
    assert world.disk_names() == OLD | NEW
    assert world.generations == dict.fromkeys(DataDisk, 2)
    assert world.happened == ["secrets", "switch", "database llm-dev-pg-46cy3 2026-11-30T03:00", "uploads"], (
        "pods start on the restored disks with the disks' passwords, not with those of up to an hour ago"
    )
    assert world.azure.secrets["opik-mysql-password"][-1][1] == "present value"
    assert world.azure.secrets["database-chat-password"] == [("first", "chat value", True)]
    assert world.azure.locks >= {f"{DISKS}/{name}".lower() for name in OLD}
    made = world.azure.commands("disk", "create")
    assert all("DenyAll" in call and "Premium_ZRS" in call for call in made)


def test_no_value_of_a_secret_stands_on_a_command_line() -> None:
    world = World()
    world.azure.secrets["opik-mysql-password"].append(("three", "rotated", True))
    world.restore().run("latest", ALL, ())
    assert world.azure.commands("keyvault", "secret", "set")
    for call in world.azure.calls:
        for value in ("present value", "rotated", "chat value"):
            assert value not in " ".join(call)


def test_a_dry_run_does_nothing() -> None:
    world = World()
    assert world.restore(yes=False).run("latest", ALL, (), dry_run=True) == []
    assert world.happened == []
    assert world.disk_names() == OLD
    assert list(world.azure.blobs) == [f"sets/{SET}.json"]


def test_without_consent_nothing_begins() -> None:
    world = World()
    with pytest.raises(OperatorError) as refused:
        world.restore(yes=False, answer="n").run("latest", ALL, ())
    assert refused.value.code == ExitCode.REFUSED
    assert (world.happened, world.disk_names()) == ([], OLD)
    assert list(world.azure.blobs) == [f"sets/{SET}.json"]


@pytest.mark.slow
def test_stopped_at_any_command_of_azure_it_goes_on_to_the_same_end() -> None:
    whole = World()
    whole.azure.secrets["opik-mysql-password"].append(("three", "rotated", True))
    whole.restore().run("latest", ALL, ())
    total = len(whole.azure.calls)
    assert total > 20
    for at in range(total):
        world = World()
        world.azure.secrets["opik-mysql-password"].append(("three", "rotated", True))

        def refuse(_call: tuple[str, ...], at: int = at, world: World = world) -> None:
            if len(world.azure.calls) == at + 1:
                raise AzureError("az failed: throttled")

        world.azure.before = refuse
        with pytest.raises(OperatorError, match="throttled"):
            world.restore().run("latest", ALL, ())
        world.azure.before = lambda _call: None
        assert world.restore().run("latest", ALL, ()) == []
        assert world.disk_names() == OLD | NEW, at
        assert world.generations == dict.fromkeys(DataDisk, 2)
        assert world.azure.secrets["opik-mysql-password"][-1][1] == "present value"


@pytest.mark.parametrize("failing", ["switch", "database llm-dev-pg-46cy3 2026-11-30T03:00", "uploads"])
def test_a_part_that_failed_is_done_again_and_no_other(failing: str) -> None:
    world = World()
    world.fails.add(failing)
    with pytest.raises(OperatorError, match="failed"):
        world.restore().run("latest", ALL, ())
    assert world.restore().run("latest", (), ()) == [], "the journal knows the parts"
    assert world.happened == ["switch", "database llm-dev-pg-46cy3 2026-11-30T03:00", "uploads"]
    assert world.disk_names() == OLD | NEW


def test_another_restore_is_refused_until_the_first_is_done() -> None:
    world = World()
    world.fails.add("switch")
    with pytest.raises(OperatorError, match="switch failed"):
        world.restore().run(SET, (RestorePart.DISKS,), ())
    with pytest.raises(OperatorError, match=f"a restore of {SET} has begun and is not finished") as refused:
        world.restore().run("20261129t030000z", (RestorePart.DISKS,), ())
    assert "--abort goes back" in refused.value.fix


def test_other_counts_than_the_sets_are_told() -> None:
    world = World()
    world.traces, world.users = 999, 13
    assert world.restore().run("latest", ALL, ()) == [
        "traces: 999 instead of 1000",
        "users: 13 instead of 10 to 12",
    ]


def test_counts_of_what_was_not_restored_are_not_compared() -> None:
    world = World()
    world.traces = 2000
    assert world.restore().run("latest", (RestorePart.DATABASE,), ()) == []


def test_one_disk_alone() -> None:
    world = World()
    world.restore().run("latest", (RestorePart.DISKS,), (DataDisk.MYSQL,))
    assert world.generations == {DataDisk.MYSQL: 2}
    assert world.disk_names() == OLD | {"llm-dev-mysql-2"}


def test_aborted_before_the_switch_the_new_disks_go() -> None:
    world = World()
    world.fails.add("switch")
    with pytest.raises(OperatorError, match="switch failed"):
        world.restore().run("latest", (RestorePart.DISKS,), ())
    assert world.restore().abort() == []
    assert world.disk_names() == OLD
    assert world.happened == []
    assert list(world.azure.blobs) == [f"sets/{SET}.json"]


def test_aborted_before_the_database_began_there_is_no_server_to_go_back_from() -> None:
    world = World()
    world.fails.add("database llm-dev-pg-46cy3 2026-11-30T03:00")
    with pytest.raises(OperatorError, match="failed"):
        world.restore().run("latest", ALL, ())
    world.restore().abort()
    assert world.happened == ["switch", "switch"]
    assert world.generations == dict.fromkeys(DataDisk, 1)


def test_aborted_after_the_switch_the_old_disks_are_in_use_again_and_the_new_ones_stay() -> None:
    world = World()
    world.azure.secrets["opik-mysql-password"].append(("three", "rotated", True))
    world.restore().run("latest", ALL, ())
    stays = world.restore().abort()
    assert world.generations == dict.fromkeys(DataDisk, 1)
    assert world.disk_names() == OLD | NEW
    assert world.happened[-2:] == ["switch", "database back"]
    assert world.azure.secrets["opik-mysql-password"][-1][1] == "rotated"
    assert "llm-dev-mysql-2, no longer in use: --discard-old llm-dev-mysql-2" in stays
    assert stays[-1].startswith("uploads that had been missing")
    with pytest.raises(OperatorError, match="no restore has begun"):
        world.restore().abort()


def test_a_deleted_vault_a_deleted_secret_and_a_deleted_share_come_back() -> None:
    world = World()
    world.azure.deleted_secrets["database-chat-password"] = world.azure.secrets.pop("database-chat-password")
    world.azure.deleted_shares["chat-uploads"] = "01D7"
    world.azure.shares.clear()
    world.restore().run("latest", (RestorePart.VAULT, RestorePart.UPLOADS), ())
    assert world.azure.secrets["database-chat-password"] == [("first", "chat value", True)]
    assert world.azure.shares == {"chat-uploads"}

    world = World()
    world.azure.deleted_vaults.add("llm-dev-46cy3")
    world.restore().run("latest", (RestorePart.VAULT,), ())
    assert world.azure.deleted_vaults == set()


def test_a_set_without_the_part_is_refused() -> None:
    world = World()
    text = json.loads(world.azure.blobs[f"sets/{SET}.json"][-1]) | {"vault": None}
    world.azure.blobs[f"sets/{SET}.json"].append(json.dumps(text))
    with pytest.raises(OperatorError, match="holds no vault"):
        world.restore().run("latest", (RestorePart.VAULT,), ())


def run(world: World, *words: str) -> Result:
    return CliRunner().invoke(commands.app, list(words), obj=world.restore())


def failure(done: Result) -> OperatorError:
    assert isinstance(done.exception, OperatorError), done.output
    return done.exception


def test_an_old_disk_goes_by_its_name_and_no_disk_in_use_does() -> None:
    world = World()
    assert run(world, "dev", "latest", "--disk", "mysql").exit_code == 0
    assert failure(run(world, "dev", "--discard-old", "llm-dev-mysql-2", "--confirm", "llm-dev-mysql-2")).code == 3
    assert "llm-dev-mysql" in failure(run(world, "dev", "--discard-old", "mysql")).fix
    assert failure(run(world, "dev", "--discard-old", "llm-dev-mysql", "--confirm", "no")).code == 3
    assert world.disk_names() == OLD | {"llm-dev-mysql-2"}

    done = run(world, "dev", "--discard-old", "llm-dev-mysql", "--confirm", "llm-dev-mysql")
    assert done.exit_code == 0, done.exception
    assert world.disk_names() == (OLD - {"llm-dev-mysql"}) | {"llm-dev-mysql-2"}
    stopped = world.azure.commands("dataprotection", "backup-instance", "stop-protection")
    assert [call[call.index("--backup-instance-name") + 1] for call in stopped] == ["llm-dev-mysql"]


def test_disks_that_azure_backup_restored_are_used_by_name_and_so_are_the_old_ones() -> None:
    world = World()
    for name in ("llm-dev-clickhouse-2", "llm-dev-zookeeper-2"):
        world.azure.add_disk(f"{DISKS}/{name}", 16)
    assert "hold one state" in failure(run(world, "dev", "--use", "llm-dev-zookeeper-2")).message
    assert "llm-dev-minio" in failure(run(world, "dev", "--use", "llm-dev-minio-2")).fix
    assert run(world, "dev", "--use", "llm-dev-clickhouse-2", "--use", "llm-dev-zookeeper-2").exit_code == 0
    assert world.generations == {DataDisk.CLICKHOUSE: 2, DataDisk.ZOOKEEPER: 2}
    assert run(world, "dev", "--use", "llm-dev-clickhouse", "--use", "llm-dev-zookeeper").exit_code == 0
    assert world.generations == {DataDisk.CLICKHOUSE: 1, DataDisk.ZOOKEEPER: 1}


def test_an_old_disk_stays_while_a_restore_is_not_done() -> None:
    world = World()
    world.fails.add("uploads")
    failure(run(world, "dev"))
    refused = failure(run(world, "dev", "--discard-old", "llm-dev-mysql", "--confirm", "llm-dev-mysql"))
    assert "is its way back" in refused.message or "still its way back" in refused.message
    assert "llm-dev-mysql" in world.disk_names()


def test_differing_counts_end_in_a_failure_that_names_the_way_back() -> None:
    world = World()
    world.traces = 1
    done = run(world, "dev")
    assert "differs: traces: 1 instead of 1000" in done.stdout
    assert "`llmctl restore dev --abort` goes back" in failure(done).fix


def test_the_result_for_programs() -> None:
    done = run(World(), "dev", "--only", "database", "--json")
    assert json.loads(done.stdout) == {"environment": "dev", "differences": [], "stays": []}
