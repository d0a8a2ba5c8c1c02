"""The rules on the scratch tables: other owners, nothing that opens something, what is left out."""

from psycopg import sql
from psycopg.sql import Identifier

from scripts.applications.adoption.in_pod.adoption import SCRATCH, Adoption
from scripts.applications.adoption.in_pod.tables import Tables

FOREIGN_KEYS = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass"
SAME = """
CREATE TEMPORARY TABLE same AS SELECT DISTINCT ON (s.id) s.id AS old, p.id AS new
FROM "user" s LEFT JOIN login l ON l.id = s.id JOIN public."user" p
ON lower(p.email) = lower(s.email) OR p.oauth -> 'oidc' ->> 'sub' = l.subject
WHERE p.id <> s.id ORDER BY s.id, p.oauth -> 'oidc' ->> 'sub' = l.subject DESC NULLS LAST
"""
MEMORIES = """
UPDATE {} SET collection_name = 'user-memory-' || same.new FROM same
WHERE collection_name = 'user-memory-' || same.old
"""
LOGINS = """
UPDATE "user" SET oauth = json_build_object('oidc', json_build_object('sub', login.subject))
FROM login WHERE login.id = "user".id
"""


def settle(adoption: Adoption) -> None:
    """Apply the rules to the scratch tables."""
    scratch = adoption.scratch()
    connection = adoption.connection
    for table in scratch.foreign_keys:
        for (name,) in connection.execute(FOREIGN_KEYS, (f'{SCRATCH}."{table}"',)).fetchall():
            connection.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(Identifier(SCRATCH, table), Identifier(name))
            )
    connection.execute(sql.SQL("SET LOCAL search_path = {}, public").format(Identifier(SCRATCH)))
    for statement in adoption.rules.get("first", ()):
        connection.execute(statement, adoption.values)
    if adoption.rules.get("people"):
        _match_people(adoption, scratch)
    for table, rule in adoption.rules["take"].items():
        if not rule or table not in scratch.columns:
            continue
        if "leave" in rule:
            delete = sql.SQL("DELETE FROM {} WHERE ").format(Identifier(table)) + sql.SQL(rule["leave"])
            adoption.skipped[table] = connection.execute(delete, adoption.values).rowcount
        for column, text in rule.get("set", {}).items():
            if column in scratch.columns[table]:
                update = sql.SQL("UPDATE {} SET {} = ").format(Identifier(table), Identifier(column)) + sql.SQL(text)
                connection.execute(update, adoption.values)
    connection.execute("SET LOCAL search_path = public")


def _match_people(adoption: Adoption, scratch: Tables) -> None:
    """Give what belongs to somebody who has an account here already to that account."""
    connection = adoption.connection
    connection.execute("CREATE TEMPORARY TABLE login (id text, subject text)")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO login VALUES (%s, %s)", [(one, subject) for one, _, subject in adoption.people if subject]
        )
    connection.execute(SAME)
    for table, columns in scratch.columns.items():
        for column in columns:
            if column in adoption.rules["people"]["columns"]:
                connection.execute(
                    sql.SQL("UPDATE {t} SET {c} = same.new FROM same WHERE {c} = same.old").format(
                        t=Identifier(SCRATCH, table), c=Identifier(column)
                    )
                )
    if "document_chunk" in scratch.columns:
        connection.execute(sql.SQL(MEMORIES).format(Identifier(SCRATCH, "document_chunk")))
    gone = connection.execute('DELETE FROM "user" USING same WHERE "user".id = same.old')
    adoption.skipped["user"] = gone.rowcount
    # As Open WebUI writes it at a first login: without it, an address that is known already is refused.
    connection.execute(LOGINS)
