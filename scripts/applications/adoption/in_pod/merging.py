"""What is in the scratch tables is added to the environment's own, and counted."""

from typing import Any

from psycopg import sql
from psycopg.sql import Identifier

from scripts.applications.adoption.in_pod.adoption import SCRATCH, Adoption
from scripts.applications.adoption.in_pod.tables import Tables
from scripts.cluster.in_pod.answers import RefusedError


def merge(adoption: Adoption) -> dict[str, Any]:
    """Add what is not there; return the counts by table. Raises RefusedError when they do not agree."""
    scratch = adoption.scratch()
    rules = adoption.rules["take"]
    tables = [name for name in (*rules, *adoption.rules.get("beside", ())) if name in scratch.columns]
    # The rules name parents before their histories, which have no foreign keys.
    report: dict[str, Any] = {}
    for table in adoption.target.parents_first([name for name in tables if name in adoption.target.columns]):
        report[table] = _merge_table(adoption, table, rules.get(table) or {}, scratch)
    for statement in adoption.rules.get("last", ()):
        adoption.connection.execute(statement, adoption.values)
    return {"tables": report, "columns_left": sorted(adoption.unknown)}


def _merge_table(adoption: Adoption, table: str, rule: dict[str, Any], scratch: Tables) -> dict[str, int]:
    before, staged = adoption.count("public", table), adoption.count(SCRATCH, table)
    same = _same_key(adoption.target, table)
    there = int(adoption.one(_present(table, same)))
    parentless = _without_parent(adoption.target, table, rule)
    left_out = int(adoption.one(_kept_out(table, same, parentless)))
    _note_new(adoption, table, same)
    added = adoption.connection.execute(_insertion(adoption.target, table, scratch, parentless)).rowcount
    after, present = adoption.count("public", table), int(adoption.one(_present(table, same)))
    if after != before + added or present < there + added or added + there > staged:
        raise RefusedError(
            f"counts of {table} do not agree ({staged} to take, {there} were there, {added} added,"
            f" {before} before, {after} after)"
        )
    return {
        "source": adoption.loaded.get(table, 0),
        "to_take": staged,
        "added": added,
        "there": there,
        "other_value_there": staged - there - added - left_out,
        "without_parent": adoption.orphans.get(table, 0) + left_out,
        "left": adoption.skipped.get(table, 0),
        "before": before,
        "after": after,
    }


def _same_key(target: Tables, table: str) -> sql.Composed:
    """Return the condition under which a row `s` is the row `p`."""
    return sql.SQL(" AND ").join(sql.SQL("p.{k} = s.{k}").format(k=Identifier(column)) for column in target.keys[table])


def _present(table: str, same: sql.Composed) -> sql.Composed:
    """Return the count of rows that are there by their keys."""
    return sql.SQL("SELECT count(*) FROM {} s WHERE EXISTS (SELECT 1 FROM {} p WHERE {})").format(
        Identifier(SCRATCH, table), Identifier("public", table), same
    )


def _kept_out(table: str, same: sql.Composed, parentless: sql.Composed) -> sql.Composed:
    """Return the count of rows that this condition keeps out."""
    return sql.SQL(
        "SELECT count(*) FROM {s} s WHERE ({parentless}) AND NOT EXISTS (SELECT 1 FROM {p} p WHERE {same})"
    ).format(s=Identifier(SCRATCH, table), parentless=parentless, p=Identifier("public", table), same=same)


def _note_new(adoption: Adoption, table: str, same: sql.Composed) -> None:
    """Keep the keys of rows that are not there yet, by which rows of their histories are chosen."""
    parents = {parent for rule in adoption.rules["take"].values() for parent in (rule or {}).get("of_new", {}).values()}
    if table in parents:
        adoption.connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} AS SELECT {} FROM {} s WHERE NOT EXISTS ({})").format(
                Identifier(f"new_{table}"),
                Identifier(adoption.target.keys[table][0]),
                Identifier(SCRATCH, table),
                sql.SQL("SELECT 1 FROM {} p WHERE {}").format(Identifier("public", table), same),
            )
        )


def _without_parent(target: Tables, table: str, rule: dict[str, Any]) -> sql.Composed:
    """Return the condition under which a row `s` stays out, since what it belongs to is not there or not new."""
    conditions = [
        sql.SQL("(s.{c} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {p} p WHERE p.{k} = s.{c}))").format(
            c=Identifier(column), p=Identifier("public", parent), k=Identifier(key)
        )
        for column, parent, key in target.foreign_keys.get(table, [])
        if parent != table
    ]
    for column, parent in rule.get("of_new", {}).items():
        # Migrations make such rows with ids by chance: of a parent that was there they would come again each time.
        key = Identifier(target.keys[parent][0])
        conditions.append(
            sql.SQL("NOT EXISTS (SELECT 1 FROM pg_temp.{n} n JOIN {p} p USING ({k}) WHERE n.{k} = s.{c})").format(
                c=Identifier(column), n=Identifier(f"new_{parent}"), p=Identifier("public", parent), k=key
            )
        )
    return sql.SQL(" OR ").join([sql.SQL("false"), *conditions])


def _insertion(target: Tables, table: str, scratch: Tables, parentless: sql.Composed) -> sql.Composed:
    """Return the statement that adds what is not there."""
    columns = sql.SQL(", ").join(
        Identifier(column) for column in scratch.columns[table] if column in target.columns[table]
    )
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} s WHERE NOT ({}) ON CONFLICT DO NOTHING").format(
        Identifier("public", table), columns, columns, Identifier(SCRATCH, table), parentless
    )
