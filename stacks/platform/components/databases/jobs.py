"""The Job that makes the applications' databases: its arguments, and when it runs again."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from stacks.platform.common.accounts import WorkloadAccount
from stacks.platform.common.catalogue import HELM
from stacks.platform.common.databases import PORT, ROOTS_NAME, VERIFIED, Database, roots
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.secret_marks import VERSIONS_KEY, secret_mark
from stacks.settings.secrets.names import GeneratedSecret

JOB = "prepare-databases"
ACCOUNT = WorkloadAccount("databases", JOB)
"""Account of the Job, which reads the administrator's password from the vault while it runs. No other pod has it."""
NAMESPACE = ACCOUNT.namespace
"""Apart from the applications: what runs here holds the administrator's password."""
PODS = {"app.kubernetes.io/name": JOB}
SECRET = "databases-secrets"  # noqa: S105 (a name, not a secret)
ADMINISTRATOR = GeneratedSecret.DATABASE_ADMINISTRATOR_PASSWORD
TOKEN_FILE = "/entra/token"  # noqa: S105 (where it is)
IMAGE = "databases/postgres"
SCRIPTS = "databases-scripts"
SCRIPT_FOLDER = "/scripts"
SCRIPT_NAME = "prepare.sh"
VAULT_SCRIPT = "vault_secret.sh"
SCRIPT_FILES = (SCRIPT_NAME, VAULT_SCRIPT)
SECRETS_FOLDER = "/secrets"
HANDED_OVER = "/handed-over/password"
"""Where the container that reads the vault leaves the administrator's password, in memory."""
CURL = "databases/curl"
"""Image that reads the vault: the other's `wget` takes tokens on its command line alone, and no proxy for HTTPS."""


def external_secret(databases: Iterable[Database], versions: Mapping[str, int]) -> ExternalSecret:
    """The Secret of the Job: every owner's password, and the mark by which it knows the Secret.

    `versions` are those that the environment has raised, by the secret's name in the vault.
    """
    passwords = {database.name: database.password for database in databases}
    return ExternalSecret(
        namespace=NAMESPACE,
        name=SECRET,
        keys=passwords,
        templates={VERSIONS_KEY: secret_mark(versions, passwords.values())},
    )


def scripts() -> dict[str, str]:
    """Texts of the scripts that the Job runs, by their file."""
    return {name: (HELM / "databases" / name).read_text("utf-8") for name in SCRIPT_FILES}


def arguments(databases: Iterable[Database]) -> tuple[str, ...]:
    """What the script has to make."""
    return tuple(f"{database.name}={','.join(database.extensions)}" for database in databases)


def environment(*, host: str, administrator: str, vault_uri: str, tenant_id: str, client_id: str) -> Mapping[str, str]:
    """Variables of both scripts; none is a secret. `client_id` is the Job's identity, which may read one secret."""
    return {
        "ADMINISTRATOR_FILE": HANDED_OVER,
        "AUTHORITY": f"https://login.microsoftonline.com/{tenant_id}",
        "CLIENT_ID": client_id,
        "TOKEN_FILE": TOKEN_FILE,
        "VAULT": vault_uri,
        "PGHOST": host,
        "PGPORT": str(PORT),
        "PGUSER": administrator,
        # The administrator's password goes to the server of this name alone, whoever answers at its address.
        "PGSSLMODE": VERIFIED,
        "PGSSLROOTCERT": f"{SCRIPT_FOLDER}/{ROOTS_NAME}",
        "SECRETS": SECRETS_FOLDER,
    }


def job_name(
    images: Sequence[str], databases: Sequence[Database], *, versions: Mapping[str, int], generation: int
) -> str:
    """Name of the Job: a new one whenever it has something else to do, since Jobs cannot be changed.

    It changes with the `versions` of every password that the Job uses, the administrator's included. Another
    `generation` of the server, as a restore makes one, has the passwords of the day restored.
    """
    mark = secret_mark(versions, (ADMINISTRATOR, *(database.password for database in databases)))
    parts = [mark, *scripts().values(), roots(), *images, *arguments(databases), str(generation)]
    return f"{JOB}-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:10]}"
