"""Databases of the applications on the PostgreSQL server, and how pods reach them.

Each database has one owner, a role of the same name with a password of its own, so that a name says both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.settings.network import NetworkSettings
from stacks.settings.secret_names import GeneratedSecret

from .traffic import Peer, TrafficRule, allow_to

PORT = 5432
"""The server itself. On 6432 answers its PgBouncer, which keeps neither session locks nor prepared statements apart."""
SSL_MODE = "require"
"""The server is reached by a private address that nobody else can take; no image has the authority of its certificate
where libpq would look for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database and the role that owns it."""

    name: str
    """Also the role's name, and the key of its password in the Secret of the Job that makes it."""
    password: GeneratedSecret
    extensions: tuple[str, ...]
    """Extensions that only the administrator may create."""


def database_url(name: str, *, host: str) -> str:
    """Address of a database, with `%s` for its owner's password, which has letters and digits alone."""
    return f"postgresql://{name}:%s@{host}:{PORT}/{name}?sslmode={SSL_MODE}"


def database_server(network: NetworkSettings) -> Peer:
    """The PostgreSQL server, which has no other way in than its private endpoint."""
    return Peer(cidr=str(network.endpoints_subnet))


def allow_database(
    network: NetworkSettings, pods: Mapping[str, str] | None = None, *, name: str = "allow-database"
) -> TrafficRule:
    """Let `pods`, or all of a namespace, reach the PostgreSQL server."""
    return allow_to(name, pods or {}, (database_server(network),), PORT)
