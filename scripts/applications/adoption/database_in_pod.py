"""Take rows of another installation into the database of a pod; runs inside the pod, with the pod's own address.

Started by `pod_program` with PARAMETERS: `action` (`look`, `take`), `rules` (one of the YAML files beside this module),
`values` (what the rules' SQL names), `tables` (the source's columns, by table), `revision` and `people` of a source
that has them. `take` reads rows as JSON lines: {"table": ..., "columns": [...]}, then one array a row, at last
{"end": number of rows}. Prints one JSON object a line: {"loaded": ...} on the way, then {"report": ...}.

Rows come into a schema of their own. Where the rules say so, it has the source's revision first and is brought to this
version by Open WebUI's own migrations. What is in it is then added to the tables in one transaction, which counts and
ends with nothing taken when a count is not what it has to be.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[Any, ...]]
SCHEMA = "adoption"
MARK = "Scratch tables of llmctl adopt; may be dropped while no adoption runs."
LOCK = 0x0AD0_9710
TLS = {"sslmode": "sslmode", "sslrootcert": "sslrootcert", "sslcert": "sslrootcert"}
"""Options of a database's address that count here; Prisma calls the authorities' file `sslcert`, and a check of
certificate and name `sslaccept=strict`."""
WHOLE = ("bigint", "integer", "smallint")
MIGRATION = """
import sys
from alembic import command
from alembic.config import Config
settings = Config()
settings.set_main_option("script_location", sys.argv[1])
command.upgrade(settings, sys.argv[2])
"""


class RefusedError(Exception):
    """Nothing was changed; the text says why."""


def say(line: dict[str, Any]) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()


def address(url: str) -> str:
    """Return a database's address without the options that only another client knows."""
    parts = urlsplit(url)
    given = {key: found[-1] for key, found in parse_qs(parts.query).items()}
    options = {TLS[key]: value for key, value in given.items() if key in TLS}
    if given.get("sslaccept") == "strict":
        options["sslmode"] = "verify-full"
    return urlunsplit((parts.scheme.partition("+")[0], parts.netloc, parts.path, urlencode(options), ""))


def migrations() -> Path:
    """Return the folder of Open WebUI's migrations, without importing Open WebUI."""
    found = importlib.util.find_spec("open_webui")
    if found is None or not found.submodule_search_locations:
        raise RefusedError("the pod has no Open WebUI")
    return Path(next(iter(found.submodule_search_locations))) / "migrations"


class Tables:
    """Tables of one schema: columns with their types, keys, and where rows point to."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self.columns: dict[str, dict[str, str]] = {}
        self.keys: dict[str, list[str]] = {}
        self.points: dict[str, list[tuple[str, str, str]]] = {}
        for table, column, kind in connection.execute(
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
            " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
            " ORDER BY c.relname, a.attnum",
            (schema,),
        ):
            self.columns.setdefault(table, {})[column] = kind
        for table, kind, columns, parent, theirs in connection.execute(
            "SELECT c.relname, k.contype::text,"
            " (SELECT array_agg(attname::text ORDER BY n) FROM unnest(k.conkey) WITH ORDINALITY u(number, n)"
            "  JOIN pg_attribute ON attrelid = k.conrelid AND attnum = number),"
            " (SELECT relname FROM pg_class WHERE oid = k.confrelid),"
            " (SELECT array_agg(attname::text ORDER BY n) FROM unnest(k.confkey) WITH ORDINALITY u(number, n)"
            "  JOIN pg_attribute ON attrelid = k.confrelid AND attnum = number)"
            " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND k.contype IN ('p', 'f')",
            (schema,),
        ):
            if kind == "p":
                self.keys[table] = columns
            elif len(columns) == 1:
                self.points.setdefault(table, []).append((columns[0], parent, theirs[0]))

    def parents_first(self, chosen: list[str]) -> list[str]:
        """Return the tables in an order in which rows come after those that they point to."""
        ordered: list[str] = []
        left = list(chosen)
        while left:
            ready = [
                table
                for table in left
                if not {parent for _, parent, _ in self.points.get(table, [])} & set(left) - {table}
            ]
            # A circle is left to the constraints themselves.
            ordered += ready or left
            left = [table for table in left if table not in ordered]
        return ordered


def whole(*parts: str) -> sql.Identifier:
    """Return a quoted name."""
    return sql.Identifier(*parts)


class Adoption:
    """One source taken into one database."""

    def __init__(self, connection: Connection, parameters: dict[str, Any]) -> None:
        self.connection = connection
        self.rules: dict[str, Any] = parameters["rules"]
        # As Open WebUI makes it out of its variables.
        uploads = f"{os.environ.get('DATA_DIR', '/app/backend/data')}/uploads"
        self.values: dict[str, Any] = {"uploads": uploads, **parameters["values"]}
        self.revision: str | None = parameters.get("revision")
        self.people: list[list[str]] = parameters.get("people", [])
        """Id, e-mail address and Entra's object id, empty where there is no login."""
        self.source: dict[str, list[str]] = parameters["tables"]
        self.target = Tables(connection, "public")
        self.loaded: dict[str, int] = {}
        self.orphans: dict[str, int] = {}
        self.skipped: dict[str, int] = {}
        self.unknown: list[str] = []

    def one(self, statement: sql.SQL | sql.Composed | str, *values: Any) -> Any:
        """Return the first column of the first row."""
        found = self.connection.execute(statement, values or None).fetchone()  # type: ignore[arg-type,unused-ignore]
        return found[0] if found else None

    def count(self, schema: str, table: str) -> int:
        """Return the number of a table's rows."""
        return int(self.one(sql.SQL("SELECT count(*) FROM {}").format(whole(schema, table))))

    def look(self) -> dict[str, Any]:
        """Return what there is, and refuse what could not be taken."""
        lacking = [table for table in self.rules["needs"] if table not in self.target.columns]
        if lacking:
            raise RefusedError(f"this environment's database has no table {lacking[0]}: deploy the environment first")
        if self.rules.get("migrate"):
            self.require_known(str(self.revision))
        else:
            self.require_columns()
        matched = 0
        if self.people:
            matched = int(
                self.one(
                    'SELECT count(*) FROM public."user"'
                    " WHERE lower(email) = ANY(%s) OR oauth -> 'oidc' ->> 'sub' = ANY(%s)",
                    [email.lower() for _, email, _ in self.people],
                    [subject for _, _, subject in self.people if subject],
                )
            )
        tables = [table for table in self.rules["take"] if table in self.target.columns]
        return {"there": {table: self.count("public", table) for table in tables}, "matched": matched}

    def require_columns(self) -> None:
        """Refuse a source with columns that are not here: one of them may be a limit that would be lost."""
        unknown = sorted(
            f"{table}.{column}"
            for table, columns in self.source.items()
            for column in columns
            if column not in self.target.columns.get(table, {})
        )
        if unknown:
            raise RefusedError(f"the source is newer than this environment, which has no {', '.join(unknown[:5])}")

    def require_known(self, revision: str) -> None:
        """Raise RefusedError for a source that this version does not know."""
        from alembic.config import Config  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - the image's
        from alembic.script import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
            ScriptDirectory,
        )

        settings = Config()
        settings.set_main_option("script_location", str(migrations()))
        script = ScriptDirectory.from_config(settings)
        if revision not in {found.revision for found in script.walk_revisions()}:
            raise RefusedError(
                f"the source's schema ({revision}) is newer than this environment's Open WebUI: upgrade the environment"
            )
        here = self.one("SELECT version_num FROM public.alembic_version")
        if here not in script.get_heads():
            raise RefusedError("this environment's database is not at its version's schema: deploy the environment")

    def take(self, lines: Iterator[bytes]) -> dict[str, Any]:
        """Do it all; return what was counted."""
        self.look()
        if not self.one("SELECT pg_try_advisory_lock(%s)", LOCK):
            raise RefusedError("another adoption into this database runs")
        self.drop_scratch()
        self.connection.execute(sql.SQL("CREATE SCHEMA {}").format(whole(SCHEMA)))
        self.connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(whole(SCHEMA), sql.Literal(MARK)))
        if self.rules.get("migrate"):
            self.connection.commit()
            self.migrate(str(self.revision))
        else:
            for table in self.rules["take"]:
                self.copy_shape(table)
        for table in self.rules.get("beside", ()):
            if table in self.source:
                self.copy_shape(table)
        self.load(lines)
        self.stage()
        self.connection.commit()
        if self.rules.get("migrate"):
            self.migrate("head")
            self.require_whole()
        self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self.settle()
        report = self.merge()
        self.connection.commit()
        self.drop_scratch()
        self.connection.commit()
        return report

    def drop_scratch(self) -> None:
        """Remove what an interrupted adoption left behind, and nothing of anybody else."""
        there = self.one("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", SCHEMA)
        exists = self.one("SELECT count(*) FROM pg_namespace WHERE nspname = %s", SCHEMA)
        if exists and there != MARK:
            raise RefusedError(f"this environment's database has a schema {SCHEMA} of somebody else")
        self.connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(whole(SCHEMA)))

    def copy_shape(self, table: str) -> None:
        """Make an empty table like the environment's own."""
        self.connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS)").format(whole(SCHEMA, table), whole("public", table))
        )

    def migrate(self, revision: str) -> None:
        """Bring the scratch tables to a revision, by Open WebUI's own migrations."""
        environment = os.environ | {"PGOPTIONS": f"-c search_path={SCHEMA}", "ENABLE_DB_MIGRATIONS": "False"}
        environment.pop("DATABASE_SCHEMA", None)
        done = subprocess.run(  # noqa: S603 - fixed words
            [sys.executable, "-c", MIGRATION, str(migrations()), revision],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            # The lines after it quote statements and rows.
            said = [line for line in done.stderr.splitlines() if re.match(r"[\w.]+(Error|Exception|Violation)\b", line)]
            raise RefusedError(f"Open WebUI's migration to {revision} failed: {(said or ['no message'])[-1][:200]}")

    def load(self, lines: Iterator[bytes]) -> None:
        """Read the rows as texts, whatever their types."""
        table = ""
        columns: list[str] = []
        copy: Any = None
        manager: Any = None
        cursor = self.connection.cursor()
        try:
            for line in lines:
                read = json.loads(line)
                if isinstance(read, list):
                    copy.write_row([None if value is None else str(value) for value in read])
                    self.loaded[table] += 1
                    continue
                if manager is not None:
                    manager.__exit__(None, None, None)
                    manager = None
                    say({"loaded": table, "rows": self.loaded[table]})
                if "end" in read:
                    if read["end"] != sum(self.loaded.values()):
                        raise RefusedError(f"{sum(self.loaded.values())} of {read['end']} rows arrived")
                    return
                table, columns = read["table"], read["columns"]
                self.loaded[table] = 0
                self.connection.execute(
                    sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(
                        whole(f"load_{table}"),
                        sql.SQL(", ").join(sql.SQL("{} text").format(whole(name)) for name in columns),
                    )
                )
                self.source[table] = columns
                manager = cursor.copy(sql.SQL("COPY pg_temp.{} FROM STDIN").format(whole(f"load_{table}")))
                copy = manager.__enter__()
            raise RefusedError("the rows ended too early")
        except BaseException as error:
            if manager is not None:
                # Otherwise the server would wait for the rest of the rows, and the connection's end for the server.
                manager.__exit__(type(error), error, error.__traceback__)
            raise

    def stage(self) -> None:
        """Put the texts into typed tables, but rows whose parents are gone: SQLite keeps those, PostgreSQL does not."""
        scratch = Tables(self.connection, SCHEMA)
        for table in scratch.parents_first([name for name in self.loaded if name in scratch.columns]):
            types = scratch.columns[table]
            columns = [column for column in self.source[table] if column in types]
            self.unknown += [f"{table}.{column}" for column in self.source[table] if column not in types]
            self.require_json(table, {column: types[column] for column in columns})
            values = [
                sql.SQL("trunc(l.{}::numeric)::{}" if types[column] in WHOLE else "l.{}::{}").format(
                    whole(column),
                    sql.SQL(types[column]),  # type: ignore[arg-type,unused-ignore]
                )
                for column in columns
            ]
            where = [
                sql.SQL("(l.{c} IS NULL OR EXISTS (SELECT 1 FROM {p} p WHERE p.{k}::text = l.{c}))").format(
                    c=whole(column),
                    p=whole(SCHEMA, parent)
                    if parent != table
                    else sql.SQL("pg_temp.{}").format(whole(f"load_{table}")),
                    k=whole(key),
                )
                for column, parent, key in scratch.points.get(table, [])
                if column in columns
            ]
            done = self.connection.execute(
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM pg_temp.{} l WHERE {}").format(
                    whole(SCHEMA, table),
                    sql.SQL(", ").join(map(whole, columns)),
                    sql.SQL(", ").join(values),
                    whole(f"load_{table}"),
                    sql.SQL(" AND ").join([sql.SQL("true"), *where]),
                )
            )
            self.orphans[table] = self.loaded[table] - done.rowcount

    def require_json(self, table: str, types: dict[str, str]) -> None:
        """Refuse a value that is no JSON where the column's type is."""
        for column, kind in types.items():
            if kind not in ("json", "jsonb"):
                continue
            wrong = self.one(
                sql.SQL("SELECT count(*) FROM pg_temp.{} WHERE NOT ({} IS JSON)").format(
                    whole(f"load_{table}"), whole(column)
                )
            )
            if wrong:
                raise RefusedError(f"{wrong} rows of the source's {table}.{column} hold something else than JSON")

    def require_whole(self) -> None:
        """Refuse what the migrations made fewer."""
        for table in self.rules["whole"]:
            expected = self.loaded.get(table, 0) - self.orphans.get(table, 0)
            if (found := self.count(SCHEMA, table)) < expected:
                raise RefusedError(f"Open WebUI's migrations left {found} of {expected} rows of {table}")
        self.connection.commit()

    def settle(self) -> None:
        """Apply the rules to the scratch tables: other owners, nothing that opens something, what is left out."""
        scratch = Tables(self.connection, SCHEMA)
        for table, points in scratch.points.items():
            for (name,) in self.connection.execute(
                "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass",
                (f'{SCHEMA}."{table}"',),
            ).fetchall():
                self.connection.execute(
                    sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(whole(SCHEMA, table), whole(name))
                )
            assert points
        self.connection.execute(sql.SQL("SET LOCAL search_path = {}, public").format(whole(SCHEMA)))
        for statement in self.rules.get("first", ()):
            self.connection.execute(statement, self.values)
        if self.rules.get("people"):
            self.match_people(scratch)
        for table, rule in self.rules["take"].items():
            if not rule or table not in scratch.columns:
                continue
            if "leave" in rule:
                statement = sql.SQL("DELETE FROM {} WHERE ").format(whole(table)) + sql.SQL(rule["leave"])
                self.skipped[table] = self.connection.execute(statement, self.values).rowcount
            for column, text in rule.get("set", {}).items():
                if column in scratch.columns[table]:
                    statement = sql.SQL("UPDATE {} SET {} = ").format(whole(table), whole(column)) + sql.SQL(text)
                    self.connection.execute(statement, self.values)
        self.connection.execute("SET LOCAL search_path = public")

    def match_people(self, scratch: Tables) -> None:
        """Give what belongs to somebody who has an account here already to that account."""
        known = self.rules["people"]
        self.connection.execute("CREATE TEMPORARY TABLE login (id text, subject text)")
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO login VALUES (%s, %s)", [(one, subject) for one, _, subject in self.people if subject]
            )
        self.connection.execute(
            "CREATE TEMPORARY TABLE same AS SELECT DISTINCT ON (s.id) s.id AS old, p.id AS new"
            ' FROM "user" s LEFT JOIN login l ON l.id = s.id JOIN public."user" p'
            " ON lower(p.email) = lower(s.email) OR p.oauth -> 'oidc' ->> 'sub' = l.subject"
            " WHERE p.id <> s.id ORDER BY s.id, p.oauth -> 'oidc' ->> 'sub' = l.subject DESC NULLS LAST"
        )
        for table, columns in scratch.columns.items():
            for column in columns:
                if column in known["columns"]:
                    self.connection.execute(
                        sql.SQL("UPDATE {t} SET {c} = same.new FROM same WHERE {c} = same.old").format(
                            t=whole(SCHEMA, table), c=whole(column)
                        )
                    )
        if "document_chunk" in scratch.columns:
            self.connection.execute(
                sql.SQL(
                    "UPDATE {} SET collection_name = 'user-memory-' || same.new FROM same"
                    " WHERE collection_name = 'user-memory-' || same.old"
                ).format(whole(SCHEMA, "document_chunk"))
            )
        gone = self.connection.execute('DELETE FROM "user" USING same WHERE "user".id = same.old')
        self.skipped["user"] = gone.rowcount
        # As Open WebUI writes it at a first login: without it, an address that is known already is refused.
        self.connection.execute(
            "UPDATE \"user\" SET oauth = json_build_object('oidc', json_build_object('sub', login.subject))"
            ' FROM login WHERE login.id = "user".id'
        )

    def merge(self) -> dict[str, Any]:
        """Add what is not there; return the counts by table. Raises RefusedError when they do not agree."""
        scratch = Tables(self.connection, SCHEMA)
        rules = self.rules["take"]
        tables = [name for name in (*rules, *self.rules.get("beside", ())) if name in scratch.columns]
        # The rules name parents before their histories, which have no foreign keys.
        report: dict[str, Any] = {}
        for table in self.target.parents_first([name for name in tables if name in self.target.columns]):
            rule = rules.get(table) or {}
            before, staged = self.count("public", table), self.count(SCHEMA, table)
            same = self.same_key(table)
            there = int(self.one(self.present(table, same)))
            lost = self.without_parent(table, rule)
            left_out = int(self.one(self.lost(table, same, lost)))
            self.note_new(table, same)
            done = self.connection.execute(self.insertion(table, scratch, lost))
            after, present = self.count("public", table), int(self.one(self.present(table, same)))
            if after != before + done.rowcount or present < there + done.rowcount or done.rowcount + there > staged:
                raise RefusedError(
                    f"counts of {table} do not agree ({staged} to take, {there} were there, {done.rowcount} added,"
                    f" {before} before, {after} after)"
                )
            report[table] = {
                "source": self.loaded.get(table, 0),
                "to_take": staged,
                "added": done.rowcount,
                "there": there,
                "other_value_there": staged - there - done.rowcount - left_out,
                "without_parent": self.orphans.get(table, 0) + left_out,
                "left": self.skipped.get(table, 0),
                "before": before,
                "after": after,
            }
        for statement in self.rules.get("last", ()):
            self.connection.execute(statement, self.values)
        return {"tables": report, "columns_left": sorted(self.unknown)}

    def same_key(self, table: str) -> sql.Composed:
        """Return the condition under which a row `s` is the row `p`."""
        return sql.SQL(" AND ").join(
            sql.SQL("p.{k} = s.{k}").format(k=whole(column)) for column in self.target.keys[table]
        )

    def present(self, table: str, same: sql.Composed) -> sql.Composed:
        """Return the count of rows that are there by their keys."""
        return sql.SQL("SELECT count(*) FROM {} s WHERE EXISTS (SELECT 1 FROM {} p WHERE {})").format(
            whole(SCHEMA, table), whole("public", table), same
        )

    def note_new(self, table: str, same: sql.Composed) -> None:
        """Keep the keys of rows that are not there yet, by which rows of their histories are chosen."""
        parents = {parent for rule in self.rules["take"].values() for parent in (rule or {}).get("of_new", {}).values()}
        if table in parents:
            self.connection.execute(
                sql.SQL("CREATE TEMPORARY TABLE {} AS SELECT {} FROM {} s WHERE NOT EXISTS ({})").format(
                    whole(f"new_{table}"),
                    whole(self.target.keys[table][0]),
                    whole(SCHEMA, table),
                    sql.SQL("SELECT 1 FROM {} p WHERE {}").format(whole("public", table), same),
                )
            )

    def without_parent(self, table: str, rule: dict[str, Any]) -> sql.Composed:
        """Return the condition under which a row `s` stays out, since what it belongs to is not there or not new."""
        conditions = [
            sql.SQL("(s.{c} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {p} p WHERE p.{k} = s.{c}))").format(
                c=whole(column), p=whole("public", parent), k=whole(key)
            )
            for column, parent, key in self.target.points.get(table, [])
            if parent != table
        ]
        for column, parent in rule.get("of_new", {}).items():
            # Migrations make such rows with ids by chance: of a parent that was there they would come again each time.
            key = whole(self.target.keys[parent][0])
            conditions.append(
                sql.SQL("NOT EXISTS (SELECT 1 FROM pg_temp.{n} n JOIN {p} p USING ({k}) WHERE n.{k} = s.{c})").format(
                    c=whole(column), n=whole(f"new_{parent}"), p=whole("public", parent), k=key
                )
            )
        return sql.SQL(" OR ").join([sql.SQL("false"), *conditions])

    def lost(self, table: str, same: sql.Composed, lost: sql.Composed) -> sql.Composed:
        """Return the count of rows that this condition keeps out."""
        return sql.SQL(
            "SELECT count(*) FROM {s} s WHERE ({lost}) AND NOT EXISTS (SELECT 1 FROM {p} p WHERE {same})"
        ).format(s=whole(SCHEMA, table), lost=lost, p=whole("public", table), same=same)

    def insertion(self, table: str, scratch: Tables, lost: sql.Composed) -> sql.Composed:
        """Return the statement that adds what is not there."""
        columns = sql.SQL(", ").join(
            whole(column) for column in scratch.columns[table] if column in self.target.columns[table]
        )
        return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} s WHERE NOT ({}) ON CONFLICT DO NOTHING").format(
            whole("public", table), columns, columns, whole(SCHEMA, table), lost
        )


def main(parameters: dict[str, Any]) -> None:
    """Do what the parameters say, and report."""
    with psycopg.connect(address(os.environ["DATABASE_URL"]), connect_timeout=15) as connection:
        adoption = Adoption(connection, parameters)
        if parameters["action"] == "look":
            report = adoption.look()
            connection.rollback()
        else:
            report = adoption.take(iter(sys.stdin.buffer.readline, b""))
        say({"report": report})


if __name__ == "__main__":
    try:
        main(PARAMETERS)  # type: ignore[name-defined]  # noqa: F821 - given by pod_program
    except RefusedError as refused:
        say({"refused": str(refused)})
    except psycopg.Error as error:
        # Its own text quotes values.
        sys.exit(f"{type(error).__name__} {error.sqlstate or ''} {error.diag.table_name or ''}".strip())
