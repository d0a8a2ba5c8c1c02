"""Rows of the source come into temporary tables as texts, and from there into scratch tables with types."""

import json
from collections.abc import Iterator
from typing import Any

from psycopg import sql
from psycopg.sql import Identifier

from scripts.applications.adoption.in_pod.adoption import SCRATCH, Adoption
from scripts.cluster.in_pod.answers import RefusedError, say

WHOLE = ("bigint", "integer", "smallint")


def load(adoption: Adoption, lines: Iterator[bytes]) -> None:
    """Read the rows as texts, whatever their types. Raises RefusedError when not all of them arrive."""
    read = map(json.loads, lines)
    head = next(read, None)
    while head and "table" in head:
        head = _load_table(adoption, head["table"], head["columns"], read)
    if head is None:
        raise RefusedError("the rows ended too early")
    if head["end"] != sum(adoption.loaded.values()):
        raise RefusedError(f"{sum(adoption.loaded.values())} of {head['end']} rows arrived")


def _load_table(adoption: Adoption, table: str, columns: list[str], read: Iterator[Any]) -> dict[str, Any]:
    """Copy the rows of one table; return what came after them."""
    adoption.loaded[table] = 0
    adoption.source[table] = columns
    adoption.connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(
            _texts(table), sql.SQL(", ").join(sql.SQL("{} text").format(Identifier(name)) for name in columns)
        )
    )
    statement = sql.SQL("COPY pg_temp.{} FROM STDIN").format(_texts(table))
    with adoption.connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in read:
            if isinstance(row, dict):
                break
            copy.write_row([None if value is None else str(value) for value in row])
            adoption.loaded[table] += 1
        else:
            raise RefusedError("the rows ended too early")
    say({"loaded": table, "rows": adoption.loaded[table]})
    return row


def stage(adoption: Adoption) -> None:
    """Put the texts into typed tables, but rows whose parents are gone: SQLite keeps those, PostgreSQL does not."""
    scratch = adoption.scratch()
    for table in scratch.parents_first([name for name in adoption.loaded if name in scratch.columns]):
        types = scratch.columns[table]
        columns = [column for column in adoption.source[table] if column in types]
        adoption.unknown += [f"{table}.{column}" for column in adoption.source[table] if column not in types]
        _require_json(adoption, table, {column: types[column] for column in columns})
        values = [
            sql.SQL("trunc(l.{}::numeric)::{}" if types[column] in WHOLE else "l.{}::{}").format(
                Identifier(column),
                sql.SQL(types[column]),  # type: ignore[arg-type,unused-ignore]
            )
            for column in columns
        ]
        where = [
            _has_parent(table, *pointer) for pointer in scratch.foreign_keys.get(table, []) if pointer[0] in columns
        ]
        done = adoption.connection.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM pg_temp.{} l WHERE {}").format(
                Identifier(SCRATCH, table),
                sql.SQL(", ").join(map(Identifier, columns)),
                sql.SQL(", ").join(values),
                _texts(table),
                sql.SQL(" AND ").join([sql.SQL("true"), *where]),
            )
        )
        adoption.orphans[table] = adoption.loaded[table] - done.rowcount


def _has_parent(table: str, column: str, parent: str, key: str) -> sql.Composed:
    """Return the condition under which a loaded row `l` points to nothing, or to something that is there."""
    return sql.SQL("(l.{c} IS NULL OR EXISTS (SELECT 1 FROM {p} p WHERE p.{k}::text = l.{c}))").format(
        c=Identifier(column),
        p=Identifier(SCRATCH, parent) if parent != table else sql.SQL("pg_temp.{}").format(_texts(table)),
        k=Identifier(key),
    )


def _require_json(adoption: Adoption, table: str, types: dict[str, str]) -> None:
    """Refuse a value that is no JSON where the column's type is."""
    for column, kind in types.items():
        if kind not in ("json", "jsonb"):
            continue
        wrong = adoption.one(
            sql.SQL("SELECT count(*) FROM pg_temp.{} WHERE NOT ({} IS JSON)").format(_texts(table), Identifier(column))
        )
        if wrong:
            raise RefusedError(f"{wrong} rows of the source's {table}.{column} hold something else than JSON")


def _texts(table: str) -> Identifier:
    return Identifier(f"load_{table}")
