"""Bring the database to this version's schema, one pod at a time, and clear what pods left behind that are gone.

Runs in every pod before Open WebUI starts. At a deployment all old pods are gone by then, since the Deployment
recreates them; of the new ones the first migrates, and the others wait for the lock and then find nothing to do.
PostgreSQL releases the lock when the connection ends, so that a pod that dies holds up nobody.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import redis

LOCK = 0x0BE2_0EB1
"""Number of the advisory lock, the same in every version."""
MIGRATION = Path(__file__).with_name("model_tools.py")
REDIS_TIMEOUT_S = 15


def main() -> int:
    """Return the exit status of the migration."""
    started = time.monotonic()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=15) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        print(f"migrate: lock after {time.monotonic() - started:.0f} s", flush=True)
        try:
            cleared = clear_tasks(os.environ["REDIS_URL"], os.environ["REDIS_KEY_PREFIX"])
            print(f"migrate: {cleared} keys of ended pods cleared", flush=True)
        except redis.RedisError as error:
            print(f"migrate: tasks of ended pods stay: {error}", file=sys.stderr, flush=True)
        environment = os.environ | {"ENABLE_DB_MIGRATIONS": "True"}
        migration = [sys.executable, str(MIGRATION)]
        status = subprocess.run(migration, env=environment, check=False).returncode  # noqa: S603 (fixed words)
    print(f"migrate: {'done' if status == 0 else 'failed'} after {time.monotonic() - started:.0f} s", flush=True)
    return status


def clear_tasks(url: str, prefix: str) -> int:
    """Remove the tasks of answers that ended with their pod, and return how many keys that were.

    Only where no Open WebUI runs: each one listens for commands on a channel of its tasks (open_webui/tasks.py), so
    that a task without any listener is nobody's. Raises redis.RedisError.
    """
    with redis.Redis.from_url(url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S) as client:
        ((_, listeners),) = client.pubsub_numsub(f"{prefix}:tasks:commands")
        keys = [] if listeners else list(client.scan_iter(f"{prefix}:tasks*", count=1000))
        return client.delete(*keys) if keys else 0


if __name__ == "__main__":
    sys.exit(main())
