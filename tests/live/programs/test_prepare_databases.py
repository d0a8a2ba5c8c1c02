"""The script that makes the databases, run against a real PostgreSQL server with an administrator like Azure's."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stacks.platform.common.catalogue import HELM
from stacks.platform.common.databases import PORT
from stacks.platform.components.databases import jobs as databases
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings
from tests.support.programs.key_vault import running_vault
from tests.support.programs.pod_network import Names
from tests.support.programs.postgresql import (
    ADMINISTRATOR,
    ADMINISTRATOR_PASSWORD,
    ADMINISTRATOR_SECRET,
    Postgresql,
    prepare,
    prepare_environment,
    running_postgresql,
)
from tests.support.programs.processes import DEBIAN

SCRIPT, VAULT_SCRIPT = (HELM / "databases" / name for name in databases.SCRIPT_FILES)
HOST, ADDRESS = "prepared.postgres.database.azure.com", "127.0.31.1"
ANOTHER = "another.postgres.database.azure.com"
"""Leads to the same server, whose certificate does not name it."""
pytestmark = pytest.mark.live


@dataclass
class Server:
    """A server of this module alone."""

    real: Postgresql

    @property
    def log(self) -> str:
        """Every statement that reached the server."""
        return self.real.log

    def ask(self, statement: str, *, user: str, database: str, password: str) -> "subprocess.CompletedProcess[str]":
        """Run one statement as a role that logs in with a password."""
        return self.real.ask(statement, user=user, database=database, password=password)

    def prepare(
        self, *wanted: str, host: str = HOST, programs: Path | None = None, **passwords: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run the script with the variables that its Job has; what it calls is looked for in `programs` first."""
        before = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"} if programs else {}
        return prepare(SCRIPT, passwords, self.real.folder, {**prepare_environment(host=host), **before}, *wanted)


@pytest.fixture(scope="module")
def server(network: Names, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    network.addresses[HOST] = ADDRESS
    network.addresses[ANOTHER] = ADDRESS
    with running_postgresql(tmp_path_factory.mktemp("postgresql"), ADDRESS, PORT, names=[HOST]) as real:
        yield Server(real)


def test_databases_owners_and_extensions_are_made_and_made_again(server: Server) -> None:
    for _ in range(2):
        done = server.prepare("one=uuid-ossp,citext", "two=", one="First1", two="Second2")
        assert done.returncode == 0, done.stderr
    extensions = server.ask(
        "SELECT extname FROM pg_extension ORDER BY 1", user="one", database="one", password="First1"
    ).stdout.split()
    assert {"uuid-ossp", "citext"} <= set(extensions)
    assert server.ask("CREATE TABLE t (i int)", user="two", database="two", password="Second2").returncode == 0


def test_administrator_s_password_goes_to_nobody_without_the_server_s_certificate(
    server: Server, tmp_path: Path
) -> None:
    """Tried again as often as the script does, without the two minutes that it waits in between."""
    (tmp_path / "sleep").symlink_to("/bin/true")
    before = server.log
    done = server.prepare("one=", host=ANOTHER, programs=tmp_path, one="First1")
    assert done.returncode != 0
    assert "certificate" in done.stderr
    assert "CREATE ROLE" not in server.log.removeprefix(before)


def test_owner_is_no_administrator_and_sees_no_other_database(server: Server) -> None:
    assert server.prepare("one=", "two=", one="First1", two="Second2").returncode == 0
    assert "denied" in server.ask("SELECT 1", user="two", database="one", password="Second2").stderr
    assert "denied" in server.ask("CREATE DATABASE x", user="two", database="two", password="Second2").stderr
    assert "denied" in server.ask("CREATE ROLE x", user="two", database="two", password="Second2").stderr


def test_owner_cannot_connect_to_the_servers_own_databases(server: Server) -> None:
    for _ in range(2):
        assert server.prepare("one=", "two=", one="First1", two="Second2").returncode == 0
    for database in ("postgres", "template1", "one"):
        refused = server.ask("SELECT 1", user="two", database=database, password="Second2")
        assert f'permission denied for database "{database}"' in refused.stderr
    # Whoever prepares them still can.
    assert (
        server.ask("SELECT 1", user=ADMINISTRATOR, database="postgres", password=ADMINISTRATOR_PASSWORD).stdout == "1\n"
    )


def test_database_that_only_its_owner_can_close_is_named(server: Server) -> None:
    server.real.superuser("CREATE DATABASE azure_sys")
    done = server.prepare("one=", one="First1")
    assert done.returncode == 0
    assert "prepare: one may also connect to azure_sys, whose owner alone can refuse" in done.stdout
    server.real.superuser("REVOKE CONNECT ON DATABASE azure_sys FROM PUBLIC")
    assert "may also connect" not in server.prepare("one=", one="First1").stdout


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
    assert ADMINISTRATOR_PASSWORD not in done.stdout + done.stderr
    kept = [
        path.name for path in (server.real.folder / "secrets").iterdir() if ADMINISTRATOR_PASSWORD in path.read_text()
    ]
    assert kept == []


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


def test_databases_of_dev_are_prepared_twice_and_hold_vectors(server: Server) -> None:
    wanted = databases.arguments(enabled_components(load_settings("dev")).databases())
    assert wanted == ("open_webui=vector,uuid-ossp", "litellm=uuid-ossp")
    for _ in range(2):
        done = server.prepare(*wanted, open_webui="First1", litellm="Second2")
        assert done.returncode == 0, done.stderr
    distance = server.ask(
        "SELECT '[1,0]'::vector <=> '[0,1]'::vector", user="open_webui", database="open_webui", password="First1"
    )
    assert distance.stdout == "1\n"


def test_administrator_is_no_superuser_and_connections_are_encrypted(server: Server) -> None:
    told = server.ask(
        "SELECT rolsuper, ssl FROM pg_roles, pg_stat_ssl WHERE rolname = current_user AND pid = pg_backend_pid()",
        user=ADMINISTRATOR,
        database="postgres",
        password=ADMINISTRATOR_PASSWORD,
    )
    assert told.stdout == "f|t\n"
    assert server.real.superuser("SHOW server_version").startswith("17.")


def test_shell_of_the_image_understands_the_script_that_reads_the_vault(tmp_path: Path) -> None:
    """Shell and sed of curl's image are busybox, as in all of Alpine's."""
    programs, file = tmp_path / "programs", tmp_path / "password"
    programs.mkdir()
    for name in ("sh", "sed", "sleep"):
        (programs / name).symlink_to(DEBIAN / "usr" / "bin" / "busybox")
    (programs / "curl").symlink_to(str(shutil.which("curl")))
    with running_vault(tmp_path, {ADMINISTRATOR_SECRET: ADMINISTRATOR_PASSWORD}) as vault:
        vault.refusals = 1
        done = subprocess.run(
            [str(programs / "sh"), str(VAULT_SCRIPT), ADMINISTRATOR_SECRET, str(file)],
            env={"PATH": str(programs), **vault.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout, file.read_text()) == (0, "", ADMINISTRATOR_PASSWORD), done.stderr
