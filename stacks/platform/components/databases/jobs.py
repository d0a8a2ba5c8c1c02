"""The databases of the applications on the PostgreSQL server: names, owners, extensions, and the Job that makes them.

Each database has one owner, a role of the same name with a password of its own, so that a name says both.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from stacks.platform.common.catalogue import HELM
from stacks.platform.common.secret_marks import VERSIONS_KEY, secret_mark
from stacks.platform.common.traffic import DNS, Direction, Flow, Peer, Port
from stacks.platform.components.llm_gateway.address import DATABASE as GATEWAY_DATABASE
from stacks.settings import Settings
from stacks.settings.secret_names import GeneratedSecret

NAMESPACE = "databases"
"""Apart from the applications: what runs here holds the administrator's password."""
SECRET = "databases-secrets"  # noqa: S105 (a name, not a secret)
ADMINISTRATOR_KEY = "administrator"
JOB = "prepare-databases"
SCRIPTS = "databases-scripts"
SCRIPT_FOLDER = "/scripts"
SCRIPT_NAME = "prepare.sh"
SECRETS_FOLDER = "/secrets"
PORT = 5432
"""The server itself. On 6432 answers its PgBouncer, which keeps neither session locks nor prepared statements apart."""
SSL_MODE = "require"
"""The server is reached by a private address that nobody else can take; no image has the authority of its certificate
where libpq would look for it."""
CHAT_DATABASE = "open_webui"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database and the role that owns it."""

    name: str
    """Also the role's name, and the key of its password in the Job's Secret."""
    password: GeneratedSecret
    extensions: tuple[str, ...]
    """Extensions that only the administrator may create."""


def databases(settings: Settings) -> tuple[Database, ...]:
    """The databases of the applications that are switched on."""
    known = {
        Database(
            name=CHAT_DATABASE,
            password=GeneratedSecret.DATABASE_CHAT_PASSWORD,
            extensions=("vector", "uuid-ossp"),
        ): settings.chat.enabled,
        Database(
            name=GATEWAY_DATABASE,
            password=GeneratedSecret.DATABASE_GATEWAY_PASSWORD,
            extensions=("uuid-ossp",),
        ): settings.gateway.enabled,
    }
    return tuple(database for database, wanted in known.items() if wanted)


def database_url(name: str, *, host: str) -> str:
    """Address of a database, with `%s` for its owner's password, which has letters and digits alone."""
    return f"postgresql://{name}:%s@{host}:{PORT}/{name}?sslmode={SSL_MODE}"


def delivered(settings: Settings) -> dict[str, dict[str, GeneratedSecret]]:
    """The Secret of the Job: the administrator's password and every owner's."""
    return {
        SECRET: {ADMINISTRATOR_KEY: GeneratedSecret.DATABASE_ADMINISTRATOR_PASSWORD}
        | {database.name: database.password for database in databases(settings)}
    }


def formats(settings: Settings) -> dict[str, dict[str, str]]:
    """The mark by which the Job knows that its Secret is the one it is made for."""
    return {SECRET: {VERSIONS_KEY: mark(settings)}}


def mark(settings: Settings) -> str:
    """Short text that changes with the passwords' versions."""
    return secret_mark(settings, delivered(settings)[SECRET].values())


def script() -> str:
    """Text of the script that the Job runs."""
    return (HELM / "databases" / SCRIPT_NAME).read_text("utf-8")


def arguments(settings: Settings) -> tuple[str, ...]:
    """What the script has to make."""
    return tuple(f"{database.name}={','.join(database.extensions)}" for database in databases(settings))


def environment(*, host: str, administrator: str) -> Mapping[str, str]:
    """Variables of the script; none is a secret."""
    return {
        "PGHOST": host,
        "PGPORT": str(PORT),
        "PGUSER": administrator,
        "PGSSLMODE": SSL_MODE,
        "SECRETS": SECRETS_FOLDER,
    }


def job_name(settings: Settings, image: str) -> str:
    """Name of the Job: a new one whenever it has something else to do, since Jobs cannot be changed.

    Among that is another server, as a restore makes one: its roles have the passwords of the day restored.
    """
    parts = [mark(settings), script(), image, *arguments(settings), str(settings.database.generation)]
    return f"{JOB}-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:10]}"


def server(settings: Settings) -> Peer:
    """The PostgreSQL server, which has no other way in than its private endpoint."""
    return Peer(cidr=str(settings.network.endpoints_subnet))


def flows(settings: Settings) -> tuple[Flow, ...]:
    """Flows of the Job's namespace."""
    return (DNS, to_server(settings))


def to_server(settings: Settings, pods: Mapping[str, str] | None = None) -> Flow:
    """Let `pods`, or all of a namespace, reach the PostgreSQL server."""
    return Flow(
        name="allow-database",
        direction=Direction.EGRESS,
        peers=(server(settings),),
        ports=(Port(PORT),),
        pods=dict(pods or {}),
    )
