"""The script that makes the databases, run against a real PostgreSQL server with an administrator like Azure's.

Skipped where no server is installed; Debian's package is `postgresql`, with `postgresql-17-pgvector` for `vector`.
"""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stacks.kubernetes.catalogue import HELM

SCRIPT = HELM / "databases" / "prepare.sh"
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
BIN = PROGRAMS[-1].parent if PROGRAMS else None
UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root."""
pytestmark = [
    pytest.mark.skipif(BIN is None or shutil.which("psql") is None, reason="no PostgreSQL server is installed"),
]
ADMINISTRATOR = "platform_admin"


@dataclass
class Server:
    """A server of this test alone."""

    port: int
    folder: Path

    @property
    def log(self) -> str:
        """Every statement that reached the server, as it wrote it down."""
        return (self.folder / "log").read_text()

    def ask(self, statement: str, *, user: str, database: str, password: str) -> "subprocess.CompletedProcess[str]":
        """Run one statement as a role that logs in with a password."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", user, "-d", database]
        environment = os.environ | {"PGPASSWORD": password}
        return subprocess.run(
            ["psql", "-XAtq", *where, "-c", statement], env=environment, capture_output=True, text=True, check=False
        )

    def prepare(self, *wanted: str, **passwords: str) -> "subprocess.CompletedProcess[str]":
        """Run the script as the Job does: without a terminal, passwords in files."""
        secrets = self.folder / "secrets"
        secrets.mkdir(exist_ok=True)
        for name, password in ({"administrator": "admin-password"} | passwords).items():
            (secrets / name).write_text(password)
        environment = os.environ | {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": ADMINISTRATOR,
            "PGSSLMODE": "prefer",
            "SECRETS": str(secrets),
        }
        return subprocess.run(
            ["sh", str(SCRIPT), *wanted],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            start_new_session=True,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    assert BIN is not None
    folder = tmp_path_factory.mktemp("postgresql")
    data = folder / "data"
    data.mkdir()
    identity = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam(UNPRIVILEGED)
        for path in (folder, data):
            os.chown(path, account.pw_uid, account.pw_gid)
        for path in folder.parents:
            if path == Path("/tmp"):
                break
            path.chmod(path.stat().st_mode | 0o011)
        identity = {"user": account.pw_uid, "group": account.pw_gid}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    initdb = [str(BIN / "initdb"), "-D", str(data), "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256"]
    subprocess.run(initdb, check=True, capture_output=True, **identity)  # type: ignore[call-overload]
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c log_statement=all"
    control = [str(BIN / "pg_ctl"), "-D", str(data), "-w"]
    subprocess.run(
        [*control, "-l", str(folder / "log"), "-o", options, "start"],
        check=True,
        stdout=subprocess.DEVNULL,
        **identity,  # type: ignore[call-overload]
    )
    try:
        # Azure's administrator is no superuser either.
        made = f"CREATE ROLE {ADMINISTRATOR} LOGIN CREATEROLE CREATEDB PASSWORD 'admin-password'"
        where = ["-h", str(folder), "-p", str(port), "-U", "postgres"]
        subprocess.run(["psql", "-Xq", *where, "-c", made], check=True, capture_output=True)
        yield Server(port, folder)
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, **identity)  # type: ignore[call-overload]


def test_databases_owners_and_extensions_are_made_and_made_again(server: Server) -> None:
    for _ in range(2):
        done = server.prepare("one=uuid-ossp,citext", "two=", one="First1", two="Second2")
        assert done.returncode == 0, done.stderr
    extensions = server.ask(
        "SELECT extname FROM pg_extension ORDER BY 1", user="one", database="one", password="First1"
    ).stdout.split()
    assert {"uuid-ossp", "citext"} <= set(extensions)
    assert server.ask("CREATE TABLE t (i int)", user="two", database="two", password="Second2").returncode == 0


def test_owner_is_no_administrator_and_sees_no_other_database(server: Server) -> None:
    assert server.prepare("one=", "two=", one="First1", two="Second2").returncode == 0
    assert "denied" in server.ask("SELECT 1", user="two", database="one", password="Second2").stderr
    assert "denied" in server.ask("CREATE DATABASE x", user="two", database="two", password="Second2").stderr
    assert "denied" in server.ask("CREATE ROLE x", user="two", database="two", password="Second2").stderr


def test_password_follows_the_vault_at_every_run(server: Server) -> None:
    assert server.prepare("one=", one="Old1").returncode == 0
    assert server.prepare("one=", one="New2").returncode == 0
    assert server.ask("SELECT 1", user="one", database="one", password="New2").returncode == 0
    assert server.ask("SELECT 1", user="one", database="one", password="Old1").returncode != 0


def test_server_never_sees_a_password(server: Server) -> None:
    done = server.prepare("one=", one="NeverSeen7")
    assert done.returncode == 0
    assert "SCRAM-SHA-256$" in server.log
    assert "NeverSeen7" not in server.log + done.stdout + done.stderr


def test_data_survives_another_run(server: Server) -> None:
    assert server.prepare("one=", one="First1").returncode == 0
    server.ask("CREATE TABLE kept AS SELECT 7 AS i", user="one", database="one", password="First1")
    assert server.prepare("one=citext", one="First1").returncode == 0
    assert server.ask("SELECT i FROM kept", user="one", database="one", password="First1").stdout == "7\n"


def test_extension_that_cannot_be_made_ends_the_job_and_is_named(server: Server) -> None:
    done = server.prepare("one=no_such_extension", one="First1")
    assert done.returncode != 0
    assert "no_such_extension" in done.stderr
    assert "one is ready" not in done.stdout


def test_missing_password_ends_the_job(server: Server) -> None:
    done = server.prepare("three=", three="")
    assert done.returncode != 0
    assert "password of three is empty" in done.stderr


def test_vectors_of_pgvector_where_it_is_installed(server: Server) -> None:
    query = "SELECT trusted FROM pg_available_extension_versions WHERE name = 'vector'"
    found = server.ask(query, user=ADMINISTRATOR, database="postgres", password="admin-password").stdout
    if "t" not in found:
        pytest.skip("pgvector is not installed as an extension that its database's owner may create")
    assert server.prepare("vectors=vector,uuid-ossp", vectors="First1").returncode == 0
    distance = server.ask(
        "SELECT '[1,0]'::vector <=> '[0,1]'::vector", user="vectors", database="vectors", password="First1"
    )
    assert distance.stdout == "1\n"
