"""Which rows are a person's, by the rules: what nobody else uses goes, what others use stays for them."""

from typing import Any, LiteralString

from psycopg import sql

from scripts.applications.privacy.in_pod.person import Person


def choose(person: Person) -> None:
    """Decide on every row: parents come first in the rules."""
    heir = person.heir()
    for table, rule in person.tables.items():
        columns = person.columns.get(table)
        if columns is None:
            continue
        id_column = sql.Identifier(rule.get("id", "id")) if rule.get("id", "id") in columns else sql.SQL("NULL")
        rows: dict[str, str] = {}
        where = [(column, person.identities) for column in owners(rule)]
        where += [(column, person.gone.get(parent, [])) for column, parent in rule.get("with", {}).items()]
        where += [
            (column, [name % one for one in _ids_of(person, source)])
            for column, names in rule.get("named", {}).items()
            for source, name in names.items()
        ]
        for column, values in where:
            if values and column in columns:
                rows |= _rows(person, table, id_column, column=column, condition="{column} = ANY(%s)", value=values)
        for column in rule.get("anywhere", ()):
            for name in (*person.ids, *person.emails):
                rows |= _rows(
                    person, table, id_column, column=column, condition="strpos({column}::text, %s) > 0", value=name
                )
        if "shared" in rule or "report_when_granted" in rule:
            rows = _without_shared(person, table, rule, rows, heir)
        person.chosen[table] = list(rows)
        person.gone[table] = [one for one in rows.values() if one]


def _rows(
    person: Person, table: str, id_column: sql.Composable, *, column: str, condition: LiteralString, value: Any
) -> dict[str, str]:
    """Return rows with their ids, held until the end: only so does a row keep its ctid."""
    statement = sql.SQL("SELECT ctid::text, {id}::text FROM {table} WHERE {condition} FOR UPDATE").format(
        id=id_column,
        table=sql.Identifier(table),
        condition=sql.SQL(condition).format(column=sql.Identifier(column)),
    )
    return {str(row): one for row, one in person.ask(statement, value)}


def _ids_of(person: Person, source: str) -> list[str]:
    return person.ids if source == "person" else person.gone.get(source, [])


def _without_shared(
    person: Person, table: str, rule: dict[str, Any], rows: dict[str, str], heir: str
) -> dict[str, str]:
    mine: dict[str, str] = {}
    for row, one in rows.items():
        others = _others(person, rule, one, heir)
        if others is None:
            mine[row] = one
            continue
        title = person.ask(
            sql.SQL("SELECT {}::text FROM {} WHERE ctid = %s::tid").format(
                sql.Identifier(rule.get("title", "id")), sql.Identifier(table)
            ),
            row,
        )[0][0]
        stays = "shared" in rule
        person.shared.append({"kind": table, "title": title or one, "becomes": "kept" if stays else "erased"})
        if stays:
            person.kept.setdefault(table, []).append((one, others))
        else:
            mine[row] = one
    return mine


def _others(person: Person, rule: dict[str, Any], one: str, heir: str) -> str | None:
    """Return who gets a thing that others use; None when nobody else does."""
    if "grants" in person.rules and (kind := rule.get("grants")):
        grants = person.rules["grants"]
        if person.ask(
            sql.SQL(
                "SELECT 1 FROM {} WHERE resource_type = %s AND resource_id = %s"
                " AND NOT (principal_type = 'user' AND principal_id = ANY(%s)) LIMIT 1"
            ).format(sql.Identifier(grants)),
            kind,
            one,
            person.ids,
        ):
            return heir
    for used in rule.get("used_by", ()):
        other, column, member = used["table"], used["column"], used.get("member")
        if other not in person.columns:
            continue
        found = person.ask(
            sql.SQL("SELECT {member}::text FROM {other} WHERE {column} = %s AND NOT {user} = ANY(%s) LIMIT 1").format(
                member=sql.Identifier(member or column),
                other=sql.Identifier(other),
                column=sql.Identifier(column),
                user=sql.Identifier(member or used["not_in"]),
            ),
            one,
            person.ids if member else person.gone.get(used["of"], []),
        )
        if found:
            return str(found[0][0]) if member else heir
    for used in rule.get("named_in", ()):
        if person.ask(
            sql.SQL("SELECT 1 FROM {} WHERE strpos({}::text, %s) > 0 LIMIT 1").format(
                sql.Identifier(used["table"]), sql.Identifier(used["column"])
            ),
            one,
        ):
            return heir
    return None


def owners(rule: dict[str, Any]) -> list[str]:
    """Return the columns that name the owner of a row."""
    return [*rule.get("delete", ()), *([rule["shared"]] if "shared" in rule else [])]
