"""Find, hand over or erase one person in the database of a pod; runs inside the pod, with the pod's own address.

Started by `pod_program` with PARAMETERS, so that no name stands on a command line: `action` (`count`, `export`,
`erase`), `names` (e-mail address, and ids in other databases), `related` (ids that count where a column is equal to
one of them, such as those of chats), and `rules`, one of the YAML files beside this module. Prints one JSON object a
line: rows and files of an export, then {"report": ...}. `count` does what `erase` does, and rolls it back.
"""

import base64
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[Any, ...]]
CHUNK = 3 * 2**18
"""Bytes of a file in one line; a multiple of three, so that the parts join."""
SECRET = ("password", "token", "key", "api_key", "session_stamp")
"""Columns that an export leaves out: they open something."""
TEXTS = ("text", "character varying", "json", "jsonb", "ARRAY", "bytea")
TLS = {"sslmode": "sslmode", "sslrootcert": "sslrootcert", "sslcert": "sslrootcert"}
"""Options of a database's address that count here; Prisma calls the authorities' file `sslcert`, and a check of
certificate and name `sslaccept=strict`."""


class RefusedError(Exception):
    """Nothing was changed; the text says why."""


def say(line: dict[str, Any]) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(line, default=str) + "\n")


def address(url: str) -> str:
    """Return a database's address without the options that only another client knows."""
    parts = urlsplit(url)
    given = {key: found[-1] for key, found in parse_qs(parts.query).items()}
    options = {TLS[key]: value for key, value in given.items() if key in TLS}
    if given.get("sslaccept") == "strict":
        options["sslmode"] = "verify-full"
    return urlunsplit((parts.scheme.partition("+")[0], parts.netloc, parts.path, urlencode(options), ""))


class Person:
    """One person in one database, within a transaction."""

    def __init__(self, connection: Connection, rules: dict[str, Any], names: list[str], related: list[str]) -> None:
        self.connection = connection
        self.rules = rules
        self.tables: dict[str, dict[str, Any]] = rules["tables"]
        self.columns = self._columns()
        self.account = self._account(names)
        found = {*names, *self.account}
        self.ids = sorted(name for name in found if "@" not in name)
        self.emails = sorted(name for name in found if "@" in name)
        self.identities = sorted({*found, *related})
        self.chosen: dict[str, list[str]] = {}
        """Table to the rows (ctid) that are the person's."""
        self.gone: dict[str, list[str]] = {}
        """Table to the ids of the rows that go."""
        self.kept: dict[str, list[tuple[str, str]]] = {}
        """Table to rows that stay for others: id and who gets them."""
        self.shared: list[dict[str, str]] = []

    def _ask(self, statement: sql.SQL | sql.Composed, *values: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.connection.execute(statement, values).fetchall()
        return found

    def _columns(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        statement = sql.SQL(
            "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c"
            " JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
        )
        for table, column, kind in self._ask(statement):
            found.setdefault(table, {})[column] = kind
        return found

    def unclassified(self) -> list[str]:
        """Return columns that seem to name a person, and that the rules say nothing about."""
        suspicious = tuple(self.rules["naming"])
        said = {
            f"{table}.{column}"
            for table, rule in self.tables.items()
            for key in ("delete", "hand_over", "clear", "keep")
            for column in rule.get(key, ())
        }
        said |= {f"{table}.{rule['shared']}" for table, rule in self.tables.items() if "shared" in rule}
        return sorted(
            name
            for table, columns in self.columns.items()
            for column in columns
            if column in suspicious and (name := f"{table}.{column}") not in said
        )

    def _account(self, names: list[str]) -> list[str]:
        """Return id and e-mail address of the account in this database, as they stand there; nothing without one."""
        known = self.rules["account"]
        found = self._ask(
            sql.SQL("SELECT {id}, {email} FROM {table} WHERE lower({email}) = ANY(%s) OR {id} = ANY(%s)").format(
                id=sql.Identifier(known["id"]),
                table=sql.Identifier(known["table"]),
                email=sql.Identifier(known["email"]),
            ),
            [name.lower() for name in names],
            names,
        )
        return [str(value) for row in found for value in row if value]

    def heir(self) -> str:
        """Return who gets what stays for others. Raises RefusedError for the last administrator's account."""
        if "heir" in self.rules:
            return str(self.rules["heir"])
        found = self._ask(
            sql.SQL("SELECT id FROM {} WHERE role = 'admin' AND NOT id = ANY(%s) ORDER BY created_at, id").format(
                sql.Identifier(self.rules["account"]["table"])
            ),
            self.ids,
        )
        if not found:
            raise RefusedError("this is the last administrator's account")
        return str(found[0][0])

    def choose(self) -> None:
        """Decide on every row: parents come first in the rules."""
        heir = self.heir()
        for table, rule in self.tables.items():
            columns = self.columns.get(table)
            if columns is None:
                continue
            id_column = sql.Identifier(rule.get("id", "id")) if rule.get("id", "id") in columns else sql.SQL("NULL")
            rows: dict[str, str] = {}
            where = [(column, self.identities) for column in _owners(rule)]
            where += [(column, self.gone.get(parent, [])) for column, parent in rule.get("with", {}).items()]
            where += [
                (column, [name % one for one in self._ids_of(source)])
                for column, names in rule.get("named", {}).items()
                for source, name in names.items()
            ]
            for column, values in where:
                if values and column in columns:
                    rows |= self._rows(table, id_column, column, "{column} = ANY(%s)", values)
            for column in rule.get("anywhere", ()):
                for name in (*self.ids, *self.emails):
                    rows |= self._rows(table, id_column, column, "strpos({column}::text, %s) > 0", name)
            if "shared" in rule or "report_when_granted" in rule:
                rows = self._without_shared(table, rule, rows, heir)
            self.chosen[table] = list(rows)
            self.gone[table] = [one for one in rows.values() if one]

    def _rows(
        self, table: str, id_column: sql.Composable, column: str, condition: LiteralString, value: Any
    ) -> dict[str, str]:
        """Return rows with their ids, held until the end: only so does a row keep its ctid."""
        statement = sql.SQL("SELECT ctid::text, {id}::text FROM {table} WHERE {condition} FOR UPDATE").format(
            id=id_column,
            table=sql.Identifier(table),
            condition=sql.SQL(condition).format(column=sql.Identifier(column)),
        )
        return {str(row): one for row, one in self._ask(statement, value)}

    def _ids_of(self, source: str) -> list[str]:
        return self.ids if source == "person" else self.gone.get(source, [])

    def _without_shared(self, table: str, rule: dict[str, Any], rows: dict[str, str], heir: str) -> dict[str, str]:
        mine: dict[str, str] = {}
        for row, one in rows.items():
            others = self._others(rule, one, heir)
            if others is None:
                mine[row] = one
                continue
            title = self._ask(
                sql.SQL("SELECT {}::text FROM {} WHERE ctid = %s::tid").format(
                    sql.Identifier(rule.get("title", "id")), sql.Identifier(table)
                ),
                row,
            )[0][0]
            stays = "shared" in rule
            self.shared.append({"kind": table, "title": title or one, "becomes": "kept" if stays else "erased"})
            if stays:
                self.kept.setdefault(table, []).append((one, others))
            else:
                mine[row] = one
        return mine

    def _others(self, rule: dict[str, Any], one: str, heir: str) -> str | None:
        """Return who gets a thing that others use; None when nobody else does."""
        if "grants" in self.rules and (kind := rule.get("grants")):
            grants = self.rules["grants"]
            if self._ask(
                sql.SQL(
                    "SELECT 1 FROM {} WHERE resource_type = %s AND resource_id = %s"
                    " AND NOT (principal_type = 'user' AND principal_id = ANY(%s)) LIMIT 1"
                ).format(sql.Identifier(grants)),
                kind,
                one,
                self.ids,
            ):
                return heir
        for used in rule.get("used_by", ()):
            other, column, member = used["table"], used["column"], used.get("member")
            if other not in self.columns:
                continue
            found = self._ask(
                sql.SQL(
                    "SELECT {member}::text FROM {other} WHERE {column} = %s AND NOT {user} = ANY(%s) LIMIT 1"
                ).format(
                    member=sql.Identifier(member or column),
                    other=sql.Identifier(other),
                    column=sql.Identifier(column),
                    user=sql.Identifier(member or used["not_in"]),
                ),
                one,
                self.ids if member else self.gone.get(used["of"], []),
            )
            if found:
                return str(found[0][0]) if member else heir
        for used in rule.get("named_in", ()):
            if self._ask(
                sql.SQL("SELECT 1 FROM {} WHERE strpos({}::text, %s) > 0 LIMIT 1").format(
                    sql.Identifier(used["table"]), sql.Identifier(used["column"])
                ),
                one,
            ):
                return heir
        return None

    def files(self) -> list[tuple[str, str]]:
        """Return the name and path of every file of the rows that go."""
        known = self.rules.get("files")
        if not known or not self.chosen.get(known["table"]):
            return []
        return [
            (str(name), str(path))
            for name, path in self._ask(
                sql.SQL(
                    "SELECT id || '-' || {name}, {path} FROM {table} mine WHERE ctid = ANY(%s::tid[]) AND {path} <> ''"
                    " AND NOT EXISTS (SELECT 1 FROM {table} other WHERE other.{path} = mine.{path}"
                    " AND NOT other.ctid = ANY(%s::tid[]))"
                ).format(
                    name=sql.Identifier(known["name"]),
                    path=sql.Identifier(known["path"]),
                    table=sql.Identifier(known["table"]),
                ),
                self.chosen[known["table"]],
                self.chosen[known["table"]],
            )
        ]

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return what is the person's, and what stays for others of it, without what opens something."""
        for table, rule in self.tables.items():
            if table not in self.columns:
                continue
            shown = [
                column
                for column, kind in self.columns[table].items()
                if column not in SECRET and kind not in ("USER-DEFINED", "bytea")
            ]
            owned = [column for column in (*_owners(rule), *rule.get("hand_over", ())) if column in self.columns[table]]
            statement = sql.SQL("SELECT {} FROM {} WHERE {}").format(
                sql.SQL(", ").join(map(sql.Identifier, shown)),
                sql.Identifier(table),
                sql.SQL(" OR ").join(
                    [
                        sql.SQL("ctid = ANY(%(chosen)s::tid[])"),
                        *(sql.SQL("{} = ANY(%(ids)s)").format(sql.Identifier(column)) for column in owned),
                    ]
                ),
            )
            values = {"chosen": self.chosen.get(table, []), "ids": self.identities}
            with self.connection.cursor(name="export") as cursor:
                cursor.itersize = 200
                cursor.execute(statement, values)
                for row in cursor:
                    yield table, dict(zip(shown, row, strict=True))

    def erase(self) -> dict[str, Any]:
        """Do it; return how many rows that were, by table, and what still names the person."""
        heir = self.heir()
        deleted: dict[str, int] = {}
        handed_over: dict[str, int] = {}
        for table in reversed(list(self.chosen)):
            if not self.chosen[table]:
                continue
            self.connection.execute(
                sql.SQL("DELETE FROM {} WHERE ctid = ANY(%s::tid[])").format(sql.Identifier(table)),
                (self.chosen[table],),
            )
            deleted[table] = len(self.chosen[table])
        for table, rule in self.tables.items():
            if table not in self.columns:
                continue
            for one, owner in self.kept.get(table, ()):
                handed_over[table] = handed_over.get(table, 0) + self._set(table, rule["shared"], owner, "id", [one])
            for column in rule.get("hand_over", ()):
                if column in self.columns[table] and (count := self._set(table, column, heir, column, self.identities)):
                    handed_over[table] = handed_over.get(table, 0) + count
            for column in rule.get("clear", ()):
                if column in self.columns[table]:
                    self._set(table, column, rule.get("clear_to"), column, self.identities)
            for column, parent in rule.get("forget", {}).items():
                if column in self.columns[table] and self.gone.get(parent):
                    self._set(table, column, None, column, self.gone[parent])
        replaced = self._replace(heir)
        return {
            "account": bool(self.account),
            "deleted": deleted,
            "handed_over": handed_over,
            "shared": self.shared,
            "replaced": replaced,
            "mentions": self.mentions(),
        }

    def _set(self, table: str, column: str, value: str | None, where: str, values: list[str]) -> int:
        return self.connection.execute(
            sql.SQL("UPDATE {} SET {} = %s WHERE {} = ANY(%s)").format(
                sql.Identifier(table), sql.Identifier(column), sql.Identifier(where)
            ),
            (value, values),
        ).rowcount

    def _texts(self) -> Iterator[tuple[str, str, str]]:
        for table, columns in sorted(self.columns.items()):
            for column, kind in sorted(columns.items()):
                if kind in TEXTS and column not in self.tables.get(table, {}).get("keep", ()):
                    yield table, column, kind

    def _replace(self, heir: str) -> dict[str, int]:
        """Put the heir in the place of the person's id wherever it still stands inside a text."""
        names = [*self.ids, *(self.emails if self.rules.get("replace_email") else ())]
        found: dict[str, int] = {}
        for table, column, kind in self._texts():
            if kind == "bytea":
                continue
            cast_to = sql.SQL("text[]" if kind == "ARRAY" else kind)
            for name in names:
                count = self.connection.execute(
                    sql.SQL(
                        "UPDATE {t} SET {c} = replace({c}::text, %s, %s)::{k} WHERE strpos({c}::text, %s) > 0"
                    ).format(t=sql.Identifier(table), c=sql.Identifier(column), k=cast_to),
                    (name, heir, name),
                ).rowcount
                if count:
                    found[f"{table}.{column}"] = found.get(f"{table}.{column}", 0) + count
        return found

    def mentions(self) -> dict[str, int]:
        """Return how many rows still name the person, by column, in whatever letters: other people's texts."""
        found: dict[str, int] = {}
        for table, column, _ in self._texts():
            for name in {*self.ids, *self.emails}:
                count = self._ask(
                    sql.SQL("SELECT count(*) FROM {} WHERE strpos(lower({}::text), %s) > 0").format(
                        sql.Identifier(table), sql.Identifier(column)
                    ),
                    name.lower(),
                )[0][0]
                if count:
                    found[f"{table}.{column}"] = found.get(f"{table}.{column}", 0) + count
        return found


def _owners(rule: dict[str, Any]) -> list[str]:
    return [*rule.get("delete", ()), *([rule["shared"]] if "shared" in rule else [])]


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


def export(person: Person) -> dict[str, Any]:
    """Print every row and file; return how many."""
    rows: dict[str, int] = {}
    for table, row in person.rows():
        rows[table] = rows.get(table, 0) + 1
        say({"table": table, "row": row})
    files, missing = 0, []
    for name, path in person.files():
        found = inside(path)
        if found is None or not found.exists():
            missing.append(name)
            continue
        files += 1
        with found.open("rb") as opened:
            while part := opened.read(CHUNK):
                say({"file": name, "part": base64.b64encode(part).decode()})
    return {"account": bool(person.account), "rows": rows, "files": files, "missing_files": missing}


def main(parameters: dict[str, Any]) -> None:
    """Do what the parameters say, and report."""
    with psycopg.connect(address(os.environ["DATABASE_URL"]), connect_timeout=15) as connection:
        person = Person(connection, parameters["rules"], parameters["names"], parameters["related"])
        if unknown := person.unclassified():
            raise RefusedError(f"this version has columns that no rule knows: {', '.join(unknown)}")
        action = parameters["action"]
        if action == "export" and not person.rules.get("heir"):
            # Nothing is handed over, so that a last administrator can be exported.
            person.rules = {**person.rules, "heir": ""}
        person.choose()
        related = {name: person.gone.get(name, []) for name in person.rules.get("related", ())}
        if action == "export":
            report = export(person)
            connection.rollback()
        else:
            files = person.files()
            report = person.erase()
            report["files"] = {"removed": len(files), "elsewhere": []}
            if action == "erase":
                # Before the commit: a row without its file can be erased again, a file without a row by nobody.
                report["files"] = remove(files)
                report["sessions"] = forget_sessions([*person.ids, *person.emails])
                connection.commit()
            else:
                connection.rollback()
        say({"report": {**report, "ids": person.ids, "related": related}})


if __name__ == "__main__":
    try:
        main(PARAMETERS)  # type: ignore[name-defined]  # noqa: F821 - given by pod_program
    except RefusedError as refused:
        say({"refused": str(refused)})
    except psycopg.Error as error:
        # Its own text quotes values.
        sys.exit(f"{type(error).__name__} {error.sqlstate or ''} {error.diag.table_name or ''}".strip())
