"""An interrupted migration: what it left is shown, cleared after somebody agrees, and nothing migrates meanwhile."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.opik import commands as opik
from scripts.core.errors import ExitCode, OperatorError
from scripts.opik.cluster import OpikCluster
from scripts.opik.repair import clear, leftovers
from tests.support.cli.operated_environment import Operated

pytestmark = pytest.mark.programs

LOCK = "1\t2026-07-15 10:00:00\topik-backend-1 (10.244.0.7)"
PATH = "/clickhouse/tables/0/opik/spans"


class Databases(OpikCluster):
    """Answers each statement by the table that it names, and keeps what changes something."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers, self.ran = answers, list[tuple[str, str]]()

    def _ask(self, database: str, statement: str) -> str:
        if statement.split(maxsplit=1)[0] != "SELECT":
            self.ran.append((database, statement))
            return ""
        named = statement.split(" FROM ")[1].split(maxsplit=1)[0]
        return self.answers.get(f"{database}:{named}", "0\n" if "dropped" in named else "")

    def mysql(self, statement: str) -> str:
        return self._ask("mysql", statement)

    def clickhouse(self, statement: str) -> str:
        return self._ask("clickhouse", statement)


REPLICAS = {
    "clickhouse:system.zookeeper": f"{PATH}/replicas\tr'1\n/clickhouse/tables/0/opik/traces/replicas\tr1\n",
    "clickhouse:system.replicas": "/clickhouse/tables/0/opik/traces\n",
}


def test_nothing_left_is_nothing_found() -> None:
    assert leftovers(Databases({})) == []


def test_locks_and_orphan_replicas_are_found_and_cleared_by_the_statement_that_is_shown() -> None:
    locked = {"mysql:opik.DATABASECHANGELOGLOCK": LOCK, "clickhouse:default.DATABASECHANGELOGLOCK": LOCK}
    cluster = Databases({**locked, **REPLICAS})
    found = leftovers(cluster)
    assert [item.what for item in found] == [
        "MySQL is locked by opik-backend-1 (10.244.0.7) since 2026-07-15 10:00:00",
        "ClickHouse is locked by opik-backend-1 (10.244.0.7) since 2026-07-15 10:00:00",
        f"ZooKeeper has the replica r'1 of {PATH}, which is no table of ClickHouse",
    ]
    for item in found:
        clear(cluster, item)
    assert cluster.ran == [
        (
            "mysql",
            "UPDATE opik.DATABASECHANGELOGLOCK SET LOCKED = 0, LOCKEDBY = NULL, LOCKGRANTED = NULL WHERE LOCKED = 1",
        ),
        (
            "clickhouse",
            (
                "ALTER TABLE default.DATABASECHANGELOGLOCK UPDATE LOCKED = 0, LOCKEDBY = NULL, LOCKGRANTED = NULL"
                " WHERE LOCKED = 1 SETTINGS mutations_sync = 1"
            ),
        ),
        ("clickhouse", f"SYSTEM DROP REPLICA 'r\\'1' FROM ZKPATH '{PATH}'"),
    ]


def test_a_table_that_was_dropped_minutes_ago_is_no_orphan() -> None:
    assert leftovers(Databases({**REPLICAS, "clickhouse:system.dropped_tables": "1\n"})) == []


BACKEND = {
    "kind": "Deployment",
    "metadata": {"name": "opik-backend", "namespace": "opik", "annotations": {"platform/replicas-before": "2"}},
    "spec": {"replicas": 0, "selector": {"matchLabels": {"component": "opik-backend"}}},
}


def run(operated: Operated, *words: str) -> Result:
    return CliRunner().invoke(opik.app, ["repair", "dev", *words], obj=operated.command_tools)


def patches(operated: Operated) -> list[Any]:
    return [json.loads(call[-1]) for call in operated.tools.calls if "patch" in call]


@pytest.fixture
def stopped(operated: Operated) -> Operated:
    operated.tools.write("get-deployment.json", BACKEND)
    operated.tools.items("pods")
    return operated


def test_the_backend_is_stopped_meanwhile_and_started_again_with_as_many_pods(stopped: Operated) -> None:
    stopped.tools.write("exec-opik-mysql-0", LOCK)
    stopped.tools.write("exec-chi-opik-clickhouse-cluster-0-0-0", "")
    result = run(stopped, "--yes")
    assert result.exit_code == ExitCode.OK, result.output
    assert "MySQL is locked by opik-backend-1" in result.stderr
    assert patches(stopped)[-1]["spec"] == {"replicas": 2}
    ran = [call[-1] for call in stopped.tools.calls if "exec" in call]
    assert ran[-1].startswith("UPDATE opik.DATABASECHANGELOGLOCK")


def test_a_pod_that_may_be_migrating_stops_everything(stopped: Operated) -> None:
    stopped.tools.items("pods", {"metadata": {"name": "opik-backend-1"}})
    result = run(stopped, "--yes")
    assert isinstance(result.exception, OperatorError)
    assert "opik-backend-1 may be migrating" in result.exception.message
    assert not any("exec" in call for call in stopped.tools.calls)
    assert patches(stopped)[-1]["spec"] == {"replicas": 2}


def test_without_anybody_to_ask_nothing_is_stopped(stopped: Operated) -> None:
    result = run(stopped)
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code == ExitCode.REFUSED
    assert patches(stopped) == []
