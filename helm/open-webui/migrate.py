"""Bring the database to this version's schema, one pod at a time.

Runs in every pod before Open WebUI starts. All old pods are gone by then, since the Deployment recreates them; of the
new ones the first migrates, and the others wait for the lock and then find nothing to do. PostgreSQL releases the lock
when the connection ends, so that a pod that dies holds up nobody.
"""

import os
import subprocess
import sys
import time

import psycopg

LOCK = 0x0BE2_0EB1
"""Number of the advisory lock, the same in every version."""
MIGRATION = "import open_webui.config"
"""Open WebUI migrates while this module is imported, where ENABLE_DB_MIGRATIONS allows it."""


def main() -> int:
    """Return the exit status of the migration."""
    started = time.monotonic()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=15) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        print(f"migrate: lock after {time.monotonic() - started:.0f} s", flush=True)
        environment = os.environ | {"ENABLE_DB_MIGRATIONS": "True"}
        migration = [sys.executable, "-c", MIGRATION]
        status = subprocess.run(migration, env=environment, check=False).returncode  # noqa: S603 (fixed words)
    print(f"migrate: {'done' if status == 0 else 'failed'} after {time.monotonic() - started:.0f} s", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
