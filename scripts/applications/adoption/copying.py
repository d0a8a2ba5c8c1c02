"""Rows of a source, streamed into a pod, where `in_pod/program.py` takes them in."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.cluster.bundle import bundled
from scripts.cluster.pod_program import FedProgram
from scripts.core.errors import ExitCode, OperatorError

from .source import Source

FOLDER = Path(__file__).parent
PROGRAM = "scripts.applications.adoption.in_pod.program"

Report = dict[str, Any]
Logins = Callable[[Sequence[str]], Mapping[str, str]]


@dataclass
class Copying:
    """What of one source goes to one database, and how many rows that is."""

    source: Source
    place: str
    """`chat` or `keys`: which rules hold."""
    run: FedProgram
    values: Mapping[str, Any] = field(default_factory=dict)
    beside: Sequence[str] = ()
    """Tables that are sent although no migration knows them."""
    logins: Logins = lambda _emails: {}
    """Gives the object ids of accounts in Entra, by e-mail address."""

    _known: Mapping[str, str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.rules = rules(self.place)
        there = self.source.tables()
        for table in self.rules["needs"]:
            if table not in there:
                raise OperatorError(
                    f"this is no database of {PROGRAMS[self.place]}: it has no table {table}",
                    "name the database that the old installation wrote to",
                    ExitCode.USAGE,
                )
        secret = self.rules.get("secret", {})
        sent = [*self.rules["take"], *self.rules.get("send", ()), *self.beside]
        self.tables = {
            table: [column for column in there[table] if column not in secret.get(table, ())]
            for table in sent
            if table in there and self.rules.get("only_with", {}).get(table, there[table][0]) in there[table]
        }

    def counts(self) -> dict[str, int]:
        """Return the rows of every table that is sent."""
        return {table: self.source.count(table) for table in self.tables}

    def left(self) -> dict[str, str]:
        """Return, for each table with rows that stays behind, how many those are and why."""
        known = self.rules.get("left", {})
        found = {}
        for table in self.source.tables():
            why = known.get(table, "nothing that this version knows" if "left" in self.rules else "")
            if table not in self.tables and table not in self.beside and why and (count := self.source.count(table)):
                found[table] = f"{count} rows: {why}"
        return found

    def revision(self) -> str | None:
        """Return the revision of the source's schema. Raises OperatorError where the rules need one."""
        if not self.rules.get("migrate"):
            return None
        found = [str(row[0]) for row in self.source.rows("alembic_version", ["version_num"])]
        if len(found) != 1:
            raise OperatorError(
                "the source's schema has no single revision: a migration was interrupted, or it is older than 0.3",
                "start the old chat once with version 0.4 or later, and let its migrations end",
                ExitCode.USAGE,
            )
        return found[0]

    def without_login(self) -> list[str]:
        """Return the addresses that nobody logs in with."""
        return sorted(email for _, email in self.people() if email not in self._subjects())

    def _subjects(self) -> Mapping[str, str]:
        if self._known is None:
            self._known = self.logins([email for _, email in self.people()])
        return self._known

    def people(self) -> list[tuple[str, str]]:
        """Return id and e-mail address of every account. Raises OperatorError for an address that two accounts have."""
        if "people" not in self.rules:
            return []
        found = [(str(one), str(email)) for one, email in self.source.rows("user", ["id", "email"]) if email]
        emails = [email.lower() for _, email in found]
        if double := sorted({email for email in emails if emails.count(email) > 1}):
            raise OperatorError(
                f"two accounts have one e-mail address: {double[0]}",
                "delete or rename one of them in the old chat's Admin Panel",
                ExitCode.USAGE,
            )
        return found

    def look(self) -> Report:
        """Return what the database holds already. Raises OperatorError for what could not be taken."""
        return self._report("look", (), lambda _table, _rows: None)

    def take(self, tell: Callable[[str, int], object]) -> Report:
        """Copy; `tell` hears of every table. Raises OperatorError; nothing is taken then."""
        return self._report("take", self._lines(), tell)

    def _report(self, action: str, data: "Iterator[bytes] | tuple[()]", tell: Callable[[str, int], object]) -> Report:
        parameters = {
            "action": action,
            "rules": self.rules | {"beside": list(self.beside)},
            "values": dict(self.values),
            "tables": self.tables,
            "revision": self.revision(),
            "people": [[one, email, self._subjects().get(email, "")] for one, email in self.people()],
        }
        report: Report | None = None
        for line in self.run(bundled(PROGRAM), parameters, data):
            if "refused" in line:
                raise OperatorError(f"{line['refused']}; nothing was taken", code=ExitCode.REFUSED)
            if "loaded" in line:
                tell(line["loaded"], line["rows"])
            report = line.get("report", report)
        if report is None:
            raise OperatorError("the program in the pod ended without a report", "run the command again")
        return report

    def _lines(self) -> Iterator[bytes]:
        total = 0
        for table, columns in self.tables.items():
            yield _line({"table": table, "columns": columns})
            for row in self.source.rows(table, columns):
                total += 1
                yield _line(list(row))
        yield _line({"end": total})


PROGRAMS = {"chat": "Open WebUI", "keys": "LiteLLM"}


def rules(place: str) -> dict[str, Any]:
    """Return what is taken of a database: `chat` or `keys`."""
    found: dict[str, Any] = YAML(typ="safe").load((FOLDER / f"{place}.yaml").read_text("utf-8"))
    return found


def _line(content: Any) -> bytes:
    return json.dumps(content).encode() + b"\n"
