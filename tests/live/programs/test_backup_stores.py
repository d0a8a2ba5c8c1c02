"""The statements of backup sets on real stores: ClickHouse's engine, MariaDB, PostgreSQL."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.backup import stores
from scripts.backup.counts import CHAT, PROGRAM
from scripts.backup.stores import Stores
from scripts.cluster.bundle import bundled
from scripts.cluster.pod_program import START, ByCommand
from scripts.core.errors import OperatorError
from tests.support.programs.pod_network import Names
from tests.support.programs.postgresql import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, running_postgresql
from tests.support.programs.processes import LIVE, in_debian, installed_version, litellm_python, wait_for

pytestmark = pytest.mark.live

CHDB = LIVE / f"chdb-{installed_version('chdb')}" / "bin" / "python"
TABLE = "(id FixedString(36), name String, at DateTime64(9)) ENGINE = ReplacingMergeTree(at) ORDER BY id"
ENGINE = """
import json, sys
from chdb import session
engine = session.Session(sys.argv[1])
for line in sys.stdin:
    try:
        print(json.dumps({"said": [str(engine.query(one, "TabSeparated")) for one in json.loads(line)]}), flush=True)
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
"""


@contextmanager
def clickhouse(folder: Path) -> Iterator[Stores]:
    """Run ClickHouse's engine; only its statements are played, not MySQL's."""
    assert CHDB.exists(), "scripts/lab/install-live chdb"
    command = [str(CHDB), "-c", ENGINE, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run_in(_pod: str, _script: str, *, container: str = "", argument: str = "") -> str:  # noqa: ARG001
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps([one for one in argument.split(";") if one.strip()]) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if "error" in answer:
                raise OperatorError(answer["error"])
            return "".join(answer["said"])

        try:
            yield Stores(run_in)
        finally:
            assert process.stdin
            process.stdin.close()


def test_clickhouse_stops_merging_counts_by_id_and_starts_again(tmp_path: Path) -> None:
    with clickhouse(tmp_path / "data") as found:
        for statement in ("CREATE DATABASE opik ENGINE = Atomic", *(f"CREATE TABLE opik.{t} {TABLE}" for t in TABLES)):
            found.clickhouse(statement)
        # An embedded engine has no queue of inserts: that is no error.
        found.stop_merges()
        for name in ("first", "second", "third"):
            rows = f"SELECT leftPad(toString(number), 36, '0'), '{name}', now64(9) FROM numbers(10)"
            found.clickhouse(f"INSERT INTO opik.traces {rows}")
        assert found.clickhouse("SELECT count() FROM system.parts WHERE database = 'opik' AND active").strip() == "3"
        with pytest.raises(OperatorError, match="Cancelled merging parts"):
            found.clickhouse("OPTIMIZE TABLE opik.traces FINAL")
        assert found.merging() == 0
        assert found.read_only() == []
        assert _counted(found) == {"traces": 10, "spans": 0}, "updates are further rows, of the same ids"

        found.clickhouse(stores.START_MERGES)
        found.clickhouse("OPTIMIZE TABLE opik.traces FINAL")
        assert found.clickhouse("SELECT count() FROM system.parts WHERE database = 'opik' AND active").strip() == "1"
        assert _counted(found) == {"traces": 10, "spans": 0}


TABLES = ("traces", "spans")


def _counted(found: Stores) -> dict[str, int]:
    rows = found.clickhouse(stores.COUNTS_CLICKHOUSE).splitlines()
    return {name: int(count) for name, count in (row.split("\t") for row in rows)}


@contextmanager
def mariadb(folder: Path) -> Iterator[Stores]:
    """Run MariaDB, reached by a socket alone."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    (folder / "data").mkdir()
    made = subprocess.run(
        in_debian(folder, "root", "mariadb-install-db", "--user=root", "--datadir=/mnt/data", "--skip-test-db"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    server = in_debian(
        folder, "root", "mariadbd", "--user=root", "--datadir=/mnt/data", "--socket=/mnt/s", "--skip-networking",
        "--skip-grant-tables",
    )  # fmt: skip

    def run_in(_pod: str, script: str, *, container: str = "", argument: str = "") -> str:  # noqa: ARG001
        # The client of the image is called `mysql` and finds its server by itself.
        script = script.replace("exec mysql", "exec mariadb --socket=/mnt/s")
        command = in_debian(folder, "root", "env", "MYSQL_ROOT_PASSWORD=x", "sh", "-c", script, argument)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OperatorError(done.stderr)
        return done.stdout

    with subprocess.Popen(server, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        found = Stores(run_in)

        def answers() -> bool:
            try:
                return found.mysql("SELECT 1").strip() == "1"
            except OperatorError:
                return False

        try:
            wait_for(answers, 120, lambda: "MariaDB does not answer")
            yield found
        finally:
            process.terminate()


def test_mysqls_statements_flush_and_count(tmp_path: Path) -> None:
    with mariadb(tmp_path) as found:
        found.mysql("CREATE DATABASE opik")
        for table, rows in (("projects", 3), ("datasets", 2), ("prompts", 0)):
            found.mysql(f"CREATE TABLE opik.{table} (id CHAR(36) PRIMARY KEY) ENGINE=InnoDB")
            for number in range(rows):
                found.mysql(f"INSERT INTO opik.{table} VALUES ('{number}')")
        found.mysql(stores.FLUSH_MYSQL)
        rows_of = (line.split("\t") for line in found.mysql(stores.COUNTS_MYSQL).splitlines())
        assert {name: int(count) for name, count in rows_of} == {"projects": 3, "datasets": 2, "prompts": 0}
        with pytest.raises(OperatorError, match=r"[Tt]able"):
            found.mysql("SELECT * FROM opik.none")


def test_postgresql_is_counted_in_one_moment(network: Names, tmp_path: Path) -> None:
    assert network is not None
    with running_postgresql(tmp_path, "127.0.0.1", 55439, names=["localhost"]) as server:
        server.superuser("CREATE DATABASE open_webui")
        server.superuser('CREATE TABLE "user" (id int); CREATE TABLE chat (id int)', "open_webui")
        server.superuser('INSERT INTO "user" SELECT generate_series(1, 7)', "open_webui")
        server.superuser("INSERT INTO chat VALUES (1), (2)", "open_webui")
        server.superuser(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ADMINISTRATOR}", "open_webui")
        login = f"{ADMINISTRATOR}:{ADMINISTRATOR_PASSWORD}"
        url = f"postgresql://{login}@127.0.0.1:55439/open_webui?sslmode=require"
        command = [str(litellm_python()), "-c", START]
        uploads = tmp_path / "uploads"
        (uploads / ".snapshots" / "one").mkdir(parents=True)
        (uploads / ".snapshots" / "one" / "a").touch()
        (uploads / "a").touch()
        run = ByCommand(command, "here", {**os.environ, "DATABASE_URL": url})
        (line,) = list(run(bundled(PROGRAM), {"tables": dict(CHAT), "folder": str(uploads)}))
    counts: dict[str, Any] = line["counts"]
    assert counts == {"users": 7, "chats": 2, "files": 1}, "tables that are not there are left out"
