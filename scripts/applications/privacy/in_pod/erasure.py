"""Erases what was chosen, hands over what stays, and puts another in the person's place inside texts."""

from collections.abc import Iterator
from typing import Any

from psycopg import sql

from scripts.applications.privacy.in_pod.person import Person

TEXTS = ("text", "character varying", "json", "jsonb", "ARRAY", "bytea")


def erase(person: Person) -> dict[str, Any]:
    """Do it; return how many rows that were, by table, and what still names the person."""
    heir = person.heir()
    deleted: dict[str, int] = {}
    handed_over: dict[str, int] = {}
    for table in reversed(list(person.chosen)):
        if not person.chosen[table]:
            continue
        person.connection.execute(
            sql.SQL("DELETE FROM {} WHERE ctid = ANY(%s::tid[])").format(sql.Identifier(table)),
            (person.chosen[table],),
        )
        deleted[table] = len(person.chosen[table])
    for table, rule in person.tables.items():
        if table not in person.columns:
            continue
        for one, owner in person.kept.get(table, ()):
            count = _set(person, table, rule["shared"], owner, where="id", values=[one])
            handed_over[table] = handed_over.get(table, 0) + count
        for column in rule.get("hand_over", ()):
            if column not in person.columns[table]:
                continue
            if count := _set(person, table, column, heir, where=column, values=person.identities):
                handed_over[table] = handed_over.get(table, 0) + count
        for column in rule.get("clear", ()):
            if column in person.columns[table]:
                _set(person, table, column, rule.get("clear_to"), where=column, values=person.identities)
        for column, parent in rule.get("forget", {}).items():
            if column in person.columns[table] and person.gone.get(parent):
                _set(person, table, column, None, where=column, values=person.gone[parent])
    replaced = _replace(person, heir)
    return {
        "account": bool(person.account),
        "deleted": deleted,
        "handed_over": handed_over,
        "shared": person.shared,
        "replaced": replaced,
        "mentions": mentions(person),
    }


def _set(person: Person, table: str, column: str, value: str | None, *, where: str, values: list[str]) -> int:
    return person.connection.execute(
        sql.SQL("UPDATE {} SET {} = %s WHERE {} = ANY(%s)").format(
            sql.Identifier(table), sql.Identifier(column), sql.Identifier(where)
        ),
        (value, values),
    ).rowcount


def _texts(person: Person) -> Iterator[tuple[str, str, str]]:
    for table, columns in sorted(person.columns.items()):
        for column, kind in sorted(columns.items()):
            if kind in TEXTS and column not in person.tables.get(table, {}).get("keep", ()):
                yield table, column, kind


def _replace(person: Person, heir: str) -> dict[str, int]:
    """Put the heir in the place of the person's id wherever it still stands inside a text."""
    names = [*person.ids, *(person.emails if person.rules.get("replace_email") else ())]
    found: dict[str, int] = {}
    for table, column, kind in _texts(person):
        if kind == "bytea":
            continue
        cast_to = sql.SQL("text[]" if kind == "ARRAY" else kind)
        for name in names:
            count = person.connection.execute(
                sql.SQL("UPDATE {t} SET {c} = replace({c}::text, %s, %s)::{k} WHERE strpos({c}::text, %s) > 0").format(
                    t=sql.Identifier(table), c=sql.Identifier(column), k=cast_to
                ),
                (name, heir, name),
            ).rowcount
            if count:
                found[f"{table}.{column}"] = found.get(f"{table}.{column}", 0) + count
    return found


def mentions(person: Person) -> dict[str, int]:
    """Return how many rows still name the person, by column, in whatever letters: other people's texts."""
    found: dict[str, int] = {}
    for table, column, _ in _texts(person):
        for name in {*person.ids, *person.emails}:
            count = person.ask(
                sql.SQL("SELECT count(*) FROM {} WHERE strpos(lower({}::text), %s) > 0").format(
                    sql.Identifier(table), sql.Identifier(column)
                ),
                name.lower(),
            )[0][0]
            if count:
                found[f"{table}.{column}"] = found.get(f"{table}.{column}", 0) + count
    return found
