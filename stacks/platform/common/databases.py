"""Databases of the applications on the PostgreSQL server, and how pods reach them.

Each database has one owner, a role of the same name with a password of its own, so that a name says both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.settings.network import NetworkSettings
from stacks.settings.secrets.names import GeneratedSecret

from .catalogue import HELM
from .traffic import Peer, TrafficRule, allow_to

PORT = 5432
"""The server itself. On 6432 answers its PgBouncer, which keeps neither session locks nor prepared statements apart."""
VERIFIED = "verify-full"
"""Of libpq with the authorities of `roots`: the server has to be the one of its name."""
ROOTS_NAME = "azure-roots.pem"


def roots() -> str:
    """Certificates of the authorities of the server's, one after the other.

    https://learn.microsoft.com/azure/postgresql/security/security-tls
    """
    return (HELM / "databases" / ROOTS_NAME).read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database and the role that owns it."""

    name: str
    """Also the role's name, and the key of its password in the Secret of the Job that makes it."""
    password: GeneratedSecret
    extensions: tuple[str, ...]
    """Extensions that only the administrator may create."""


def database_url(name: str, *, host: str, roots_folder: str) -> str:
    """Address of a database for libpq, with `%s` for its owner's password, which has letters and digits alone.

    The server's certificate and name are checked with the file of `roots`, which is mounted at `roots_folder`.
    """
    return f"{_server(name, host)}?sslmode={VERIFIED}&sslrootcert={roots_folder}/{ROOTS_NAME}"


def prisma_url(name: str, *, host: str, roots_folder: str) -> str:
    """The same for Prisma, whose engine takes any other `sslmode` for `prefer` and then checks nothing.

    Of `sslcert` it trusts the first certificate alone; all of them by OpenSSL's own variable, SSL_CERT_FILE.
    https://www.prisma.io/docs/orm/overview/databases/postgresql#arguments
    """
    return f"{_server(name, host)}?sslmode=require&sslaccept=strict&sslcert={roots_folder}/{ROOTS_NAME}"


def _server(name: str, host: str) -> str:
    return f"postgresql://{name}:%s@{host}:{PORT}/{name}"


def private_endpoints(network: NetworkSettings) -> Peer:
    """Azure's services by their addresses in the virtual network; a rule for every address leaves them out.

    The PostgreSQL server has no other way in.
    """
    return Peer(cidr=str(network.endpoints_subnet))


def allow_database(
    network: NetworkSettings, pods: Mapping[str, str] | None = None, *, name: str = "allow-database"
) -> TrafficRule:
    """Let `pods`, or all of a namespace, reach the PostgreSQL server."""
    return allow_to(name, pods or {}, (private_endpoints(network),), PORT)
