"""Opik's schema migrations, read from its own changelog files, and which of them an older server can live with.

No down-migration ever runs: going back changes images and values, never the schema. The files are Liquibase's
formatted SQL: https://docs.liquibase.com/concepts/changelogs/sql-format.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FOLDER = "apps/opik-backend/src/main/resources/liquibase"
"""Where Opik's source keeps the changelogs of MySQL (`db-app-state`) and ClickHouse (`db-app-analytics`)."""


@dataclass(frozen=True, order=True, slots=True)
class ChangeSetId:
    """What identifies a changeset in the databases' migration histories."""

    database: str
    """`db-app-state` for MySQL, `db-app-analytics` for ClickHouse."""
    author: str
    name: str

    def __str__(self) -> str:
        return f"{_STORES.get(self.database, self.database)} {self.name}"


_STORES = {"db-app-state": "MySQL", "db-app-analytics": "ClickHouse"}
STATE, ANALYTICS = _STORES


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """One schema migration."""

    id: ChangeSetId
    statements: tuple[str, ...]
    rollback: str
    """SQL by which upstream would undo it; empty when it says that nothing does."""
    conditional: bool = False
    """Whether Liquibase may leave it out and write nothing down: other database, context or label, or a condition."""

    @property
    def irreversible(self) -> str:
        """Why an older server must not meet this change, empty when it only adds what that server does not look at."""
        for statement in self.statements:
            if not _additive(statement):
                return f"it does more than add: {_shortened(statement)}"
        return "" if self.rollback else "upstream declares it impossible to undo"


def parse(text: str, database: str) -> Iterator[ChangeSet]:
    """Yield the changesets of one changelog file."""
    for part in re.split(r"(?mi)^--\s*changeset\s+", text)[1:]:
        heading, _, body = part.partition("\n")
        author, _, rest = heading.strip().partition(":")
        name = rest.split()[0] if rest.split() else ""
        rollbacks = re.findall(r"(?mi)^--\s*rollback\b[ \t]*(.*)$", body)
        undo = " ".join(line.strip() for line in rollbacks).strip()
        sql = re.sub(r"(?m)--.*$", "", re.sub(r"(?s)/\*.*?\*/", "", body))
        statements = tuple(" ".join(statement.split()) for statement in _split(sql, ";") if statement.strip())
        empty = undo.rstrip(" ;").lower() in {"", "empty", "not required"}
        yield ChangeSet(
            ChangeSetId(database, author, name), statements, "" if empty else undo, bool(_CONDITION.search(part))
        )


_CONDITION = re.compile(
    r"(?i)\A[^\n]*\b(?:dbms|context|contextFilter|labels|ignore):|^--\s*preconditions\b[^\n]*\bCONTINUE\b", re.M
)


def changelog(files: Mapping[str, str]) -> dict[ChangeSetId, ChangeSet]:
    """Return the changesets in `files`, texts by path below `FOLDER`."""
    found: dict[ChangeSetId, ChangeSet] = {}
    for path in sorted(files):
        database = path.split("/")[0]
        if path.endswith(".sql") and database in _STORES:
            found |= {change.id: change for change in parse(files[path], database)}
    return found


_CREATE = re.compile(r"CREATE\s+(TABLE|VIEW|MATERIALIZED\s+VIEW|INDEX)\b(?!.*\bOR\s+REPLACE\b)", re.IGNORECASE)
_ALTER = re.compile(
    r"ALTER\s+TABLE\s+(IF\s+EXISTS\s+)?\S+(\s+ON\s+CLUSTER\s+\S+)?\s+(?P<clauses>.+)", re.IGNORECASE | re.DOTALL
)
_ADD = re.compile(r"ADD\s+(COLUMN|INDEX|KEY)\b", re.IGNORECASE)
_NEEDS_VALUE = re.compile(r"\bNOT\s+NULL\b", re.IGNORECASE)
_HAS_VALUE = re.compile(r"\b(DEFAULT|AUTO_INCREMENT|GENERATED|AS\s*\()", re.IGNORECASE)


def _additive(statement: str) -> bool:
    """Tell whether a statement only adds what an older server does not look at and does not have to fill."""
    if _CREATE.match(statement):
        return True
    alter = _ALTER.fullmatch(statement)
    return alter is not None and all(_only_adds(clause.strip()) for clause in _split(alter["clauses"], ","))


def _only_adds(clause: str) -> bool:
    if not _ADD.match(clause):
        return False
    # An older server inserts without the column.
    return not _NEEDS_VALUE.search(clause) or bool(_HAS_VALUE.search(clause))


def _split(text: str, separator: str) -> Iterator[str]:
    """Split at `separator` outside of quotes and parentheses."""
    depth, quote, start = 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == separator and depth == 0:
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _shortened(statement: str, longest: int = 90) -> str:
    return statement if len(statement) <= longest else f"{statement[:longest]}…"
