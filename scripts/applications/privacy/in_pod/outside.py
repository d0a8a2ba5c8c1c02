"""What lies outside of the database: uploads on the pod's disk, open pages in Redis."""

import os
from pathlib import Path
from typing import Any

from psycopg import sql

from scripts.applications.privacy.in_pod.person import Person


def uploads(person: Person) -> list[tuple[str, str]]:
    """Return the name and path of every file of the rows that go."""
    known = person.rules.get("files")
    if not known or not person.chosen.get(known["table"]):
        return []
    return [
        (str(name), str(path))
        for name, path in person.ask(
            sql.SQL(
                "SELECT id || '-' || {name}, {path} FROM {table} mine WHERE ctid = ANY(%s::tid[]) AND {path} <> ''"
                " AND NOT EXISTS (SELECT 1 FROM {table} other WHERE other.{path} = mine.{path}"
                " AND NOT other.ctid = ANY(%s::tid[]))"
            ).format(
                name=sql.Identifier(known["name"]),
                path=sql.Identifier(known["path"]),
                table=sql.Identifier(known["table"]),
            ),
            person.chosen[known["table"]],
            person.chosen[known["table"]],
        )
    ]


def inside(path: str) -> Path | None:
    """Return the path of an upload; None for what lies nowhere below the folder of uploads."""
    folder = (Path(os.environ.get("DATA_DIR", "/app/backend/data")) / "uploads").resolve()
    found = Path(path).resolve()
    return found if folder in found.parents else None


def remove(files: list[tuple[str, str]]) -> dict[str, Any]:
    """Remove uploads; return how many, and those that are kept elsewhere."""
    removed, elsewhere = 0, []
    for name, path in files:
        if (found := inside(path)) is None:
            elsewhere.append(name)
        elif found.exists():
            found.unlink()
            removed += 1
    return {"removed": removed, "elsewhere": elsewhere}


def forget_sessions(ids: list[str]) -> int:
    """Drop what Redis holds of the person's open pages; return how many entries that were."""
    if not (url := os.environ.get("REDIS_URL")) or not ids or "REDIS_KEY_PREFIX" not in os.environ:
        return 0
    import redis  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - only Open WebUI's image has it

    count = 0
    with redis.Redis.from_url(url, socket_timeout=15, socket_connect_timeout=15, decode_responses=True) as client:
        for key in client.scan_iter(f"{os.environ['REDIS_KEY_PREFIX']}:*", count=1000, _type="hash"):
            fields = [field for field, value in client.hscan_iter(key) if any(one in f"{field}{value}" for one in ids)]
            count += client.hdel(key, *fields) if fields else 0
    return count
