"""The chat believes its database server by certificate and name alone: its own connections, and its vectors'."""

import subprocess
from pathlib import Path

import pytest

from stacks.platform.common.databases import PORT, database_url
from stacks.platform.components.chat.names import DATABASE
from tests.support.chat.pods import OF_THE_IMAGE
from tests.support.programs import processes
from tests.support.programs.pod_network import Names
from tests.support.programs.postgresql import running_postgresql
from tests.support.web_servers import authority

pytestmark = pytest.mark.live
ADDRESS = "127.0.1.15"
HOST, ANOTHER_HOST = "psql-chat.postgres.database.azure.com", "psql-not-the-chat.postgres.database.azure.com"
"""Not the stage's, which goes on beside."""
CONNECT = """
import asyncio
from sqlalchemy import text
from open_webui.config import PGVECTOR_DB_URL
from open_webui.internal.db import async_engine, engine
from open_webui.retrieval.vector.dbs import pgvector

def told(connect):
    try:
        connect()
        return "connected"
    except Exception as error:
        return str(error).partition("\\n")[0]

async def once():
    async with async_engine.connect() as connection:
        await connection.execute(text("SELECT 1"))

print("chat:", told(lambda: engine.connect().execute(text("SELECT 1"))))
print("requests:", told(lambda: asyncio.run(once())))
print("vectors:", told(lambda: pgvector.create_engine(PGVECTOR_DB_URL).connect()))
"""
ANSWERS = {
    "the right server": "connected",
    "another authority": "certificate verify failed",
    "another name": "does not match host name",
}


@pytest.fixture(scope="module")
def roots(network: Names, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Path]]:
    """Return the server's name and the file with its authorities, by case."""
    folder = tmp_path_factory.mktemp("postgresql")
    network.addresses |= {HOST: ADDRESS, ANOTHER_HOST: ADDRESS}
    right = folder / "server.crt"
    return {
        "the right server": (HOST, right),
        "another authority": (HOST, authority(tmp_path_factory.mktemp("authority"), "postgres")[0]),
        "another name": (ANOTHER_HOST, right),
    }


def test_every_connection_of_the_chat_is_for_the_right_server_alone(
    roots: dict[str, tuple[str, Path]], tmp_path: Path
) -> None:
    place = roots["the right server"][1].parent
    with running_postgresql(place, ADDRESS, PORT, names=[HOST]) as server:
        server.superuser(f"CREATE ROLE {DATABASE} LOGIN PASSWORD 'Password1'")
        server.superuser(f"CREATE DATABASE {DATABASE} OWNER {DATABASE}")
        for case, (host, file) in roots.items():
            (tmp_path / "azure-roots.pem").write_text(file.read_text())
            url = database_url(DATABASE, host=host, roots_folder=str(tmp_path)) % "Password1"
            said = connections(url, tmp_path)
            assert len(said) == 3, said
            assert all(ANSWERS[case] in line for line in said), (case, said)


def connections(url: str, folder: Path) -> list[str]:
    """Return what each of the chat's ways to its database says."""
    environment = {
        **OF_THE_IMAGE, "DATABASE_URL": url, "ENABLE_DB_MIGRATIONS": "False", "DATA_DIR": str(folder / "data"),
        "WEBUI_SECRET_KEY": "x", "OFFLINE_MODE": "True", "VECTOR_DB": "pgvector", "HOME": str(folder),
        "STATIC_DIR": str(folder / "static"), "PATH": "/usr/bin:/bin", "ENABLE_PERSISTENT_CONFIG": "False",
    }  # fmt: skip
    done = subprocess.run(
        [str(processes.open_webui_python()), "-c", CONNECT],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return [line for line in done.stdout.splitlines() if line.startswith(("chat:", "requests:", "vectors:"))]
