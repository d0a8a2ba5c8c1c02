"""A PostgreSQL server like the one that is deployed: its version, pgvector, encrypted connections, Azure's roles."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stacks.platform.components.databases import jobs
from tests.support.patience import PATIENCE_S

from .key_vault import CLIENT, TENANT, running_vault
from .processes import DEBIAN, Program, in_debian, wait_for

BIN = "/usr/lib/postgresql/17/bin"
ADMINISTRATOR = "platform_admin"
ADMINISTRATOR_PASSWORD = "AdminPassword1"
ADMINISTRATOR_SECRET = "database-administrator-password"
"""Its name in the vault."""


@dataclass
class Postgresql:
    """The server; its first superuser, whom Azure gives to nobody, is reached by a socket alone."""

    program: Program
    folder: Path

    @property
    def log(self) -> str:
        """Every statement that reached the server, as it wrote it down."""
        return self.program.log

    def ask(self, statement: str, *, user: str, database: str, password: str) -> "subprocess.CompletedProcess[str]":
        """Run one statement as a role that logs in with a password."""
        where = ["-h", self.program.address, "-p", str(self.program.port), "-U", user, "-d", database]
        return _psql(*where, "-c", statement, PGPASSWORD=password, PGSSLMODE="require")

    def superuser(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as nobody can on Azure; return what it answers."""
        where = ["-h", str(self.folder), "-p", str(self.program.port), "-U", "postgres", "-d", database]
        done = _psql(*where, "-c", statement)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def recovered(self) -> bool:
        """Return whether it answers statements; after a kill its port is open before that."""
        where = ["-h", str(self.folder), "-p", str(self.program.port), "-U", "postgres", "-d", "postgres"]
        return _psql(*where, "-c", "SELECT 1").returncode == 0

    def start_again(self) -> None:
        """Start it after a kill as its supervisor does: again while processes of the old one still hold its memory."""

        def started() -> bool:
            if self.program.process is None or self.program.process.poll() is not None:
                self.program.start(wait=False)
            return self.recovered()

        wait_for(started, PATIENCE_S, lambda: self.log[-3000:])

    def connections(self) -> dict[str, int]:
        """Return the number of clients' connections, by database."""
        statement = (
            "SELECT datname, count(*) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND datname <> 'postgres' GROUP BY 1"
        )
        rows = (line.split("|") for line in self.superuser(statement).splitlines())
        return {name: int(count) for name, count in rows}


def _psql(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    # Debian's psql is a Perl program that starts the real one, and takes most of the time.
    real = sorted(Path("/usr/lib/postgresql").glob("*/bin/psql"))
    command = [str(real[-1]) if real else "psql", "-XAtq", *arguments]
    return subprocess.run(command, env=os.environ | more, capture_output=True, text=True, check=False)


def prepare_environment(*, host: str, administrator: str = ADMINISTRATOR) -> Mapping[str, str]:
    """Return the variables that the Job has; `prepare` puts the vault of this machine into them."""
    return jobs.environment(
        host=host,
        administrator=administrator,
        vault_uri="https://kv-llm-dev.vault.azure.net/",
        tenant_id=TENANT,
        client_id=CLIENT,
    )


def prepare(
    script: Path, secrets: Mapping[str, str], folder: Path, environment: Mapping[str, str], *arguments: str
) -> "subprocess.CompletedProcess[str]":
    """Run the script that makes databases as its Job does: without a terminal, the owners' passwords in files.

    The administrator's is in a vault alone.
    """
    place, vaults, password = folder / "secrets", folder / "vault", folder / "handed-over"
    for made in (place, vaults):
        made.mkdir(exist_ok=True)
    for name, value in secrets.items():
        (place / name).write_text(value)
    here = {"SECRETS": str(place), "PGSSLROOTCERT": str(folder / "server.crt"), "ADMINISTRATOR_FILE": str(password)}
    found = os.environ | dict(environment) | here
    with running_vault(vaults, {ADMINISTRATOR_SECRET: ADMINISTRATOR_PASSWORD}) as vault:
        before = ["sh", str(script.with_name(jobs.VAULT_SCRIPT)), ADMINISTRATOR_SECRET, str(password)]
        subprocess.run(before, env=found | vault.environment(), check=True)
    return subprocess.run(
        ["sh", str(script), *arguments],
        env=found,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        start_new_session=True,
    )


@contextmanager
def running_postgresql(
    folder: Path,
    address: str,
    port: int,
    *,
    names: Sequence[str],
    administrator: str = ADMINISTRATOR,
    connections: int = 100,
) -> Iterator[Postgresql]:
    """Run a server whose administrator is, as on Azure, no superuser; `connections` are those for users.

    Its certificate is its own authority, and is for `names`.
    """
    user_id = _user_id("postgres")
    alternatives = ",".join(f"DNS:{name}" for name in names)
    for name in ("data", "secrets"):
        (folder / name).mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=postgres", "-addext", f"subjectAltName={alternatives}",
         "-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    for path in (folder, folder / "data", folder / "server.key", folder / "server.crt"):
        os.chown(path, user_id, user_id)
    (folder / "server.key").chmod(0o600)
    initdb = [f"{BIN}/initdb", "-D", "/mnt/data", "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256"]
    clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    made = subprocess.run(
        in_debian(folder, "postgres", *initdb), env=clean, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    options = {
        "listen_addresses": address,
        "port": port,
        "unix_socket_directories": "/mnt",
        "ssl": "on",
        "ssl_cert_file": "/mnt/server.crt",
        "ssl_key_file": "/mnt/server.key",
        # Fifteen are kept for Azure itself.
        "max_connections": connections + 15,
        "superuser_reserved_connections": 10,
        "log_statement": "all",
        "fsync": "off",
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    command = in_debian(folder, "postgres", f"{BIN}/postgres", "-D", "/mnt/data", *settings)
    server = Postgresql(Program("postgresql", command, folder, clean, address, port), folder)
    with server.program.running():
        # Its port is open before it takes statements.
        wait_for(server.recovered, PATIENCE_S, lambda: server.log[-3000:])
        server.superuser(f"CREATE ROLE {administrator} LOGIN CREATEROLE CREATEDB PASSWORD '{ADMINISTRATOR_PASSWORD}'")
        # Its own databases belong to a role of which the administrator is a member.
        server.superuser("CREATE ROLE azure_pg_admin")
        server.superuser(f"GRANT azure_pg_admin TO {administrator}")
        for database in ("postgres", "template1"):
            server.superuser(f"ALTER DATABASE {database} OWNER TO azure_pg_admin")
        yield server


def _user_id(name: str) -> int:
    for line in (DEBIAN / "etc" / "passwd").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split(":")[2])
    raise AssertionError(f"{DEBIAN} has no user {name}")
