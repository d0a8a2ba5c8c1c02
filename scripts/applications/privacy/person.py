"""One person over chat, LLM gateway and traces: export, count, erase, in an order that can be taken up again.

The chat's database tells the person's id and chats, by which the others are searched; so it is erased last, and what
was interrupted is done by the same command again.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.cluster.bundle import bundled
from scripts.cluster.pod_program import PodProgram
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings

from .traces import Traces

FOLDER = Path(__file__).parent
PROGRAM = "scripts.applications.privacy.in_pod.program"
OPEN_FOLDER, OPEN_FILE = 0o700, 0o600
"""For the person who exports, and nobody else."""

Report = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a person is looked for; None for what the environment does not run."""

    chat: PodProgram | None
    gateway: PodProgram | None
    opik: Callable[[], AbstractContextManager[str]] | None
    """Gives the address of Opik's interface for as long as it is used."""


@dataclass(frozen=True)
class Person:
    """A person by the e-mail address of the login."""

    email: str
    places: Places

    def count(self) -> Report:
        """Return what an erasure would do; nothing is changed. Raises OperatorError."""
        return self._over("count")

    def erase(self) -> Report:
        """Erase, and return what was done. Raises OperatorError; what is left then goes with the next attempt."""
        return self._over("erase")

    def export(self, folder: Path) -> Report:
        """Write rows, files and traces into `folder`, which must not exist. Raises OperatorError."""
        try:
            folder.mkdir(OPEN_FOLDER, parents=True)
        except FileExistsError:
            raise OperatorError(f"{folder} exists", "name another folder by --output", ExitCode.USAGE) from None
        report = self._over("export", folder)
        _written(folder / "report.json", json.dumps(report, indent=2, default=str) + "\n")
        return report

    def _over(self, action: str, folder: Path | None = None) -> Report:
        email = self.email.strip().lower()
        # Counted first, for the id and the chats that the others are searched by.
        first = "export" if action == "export" else "count"
        chat = self._database("chat", first, [email], [], folder) if self.places.chat else {}
        ids, threads = chat.get("ids", []), chat.get("related", {}).get("chat", [])
        names = [email, *ids]
        report: Report = {"person": email, "action": action}
        if self.places.opik:
            report["traces"] = self._traces(action, names, threads, folder)
        if self.places.gateway:
            report["gateway"] = self._database("gateway", action, names, threads, folder)
        if self.places.chat:
            report["chat"] = self._database("chat", "erase", [email], [], folder) if action == "erase" else chat
        for part in ("chat", "gateway"):
            report.get(part, {}).pop("related", None)
        return report

    def _database(
        self, place: str, action: str, names: list[str], related: list[str], folder: Path | None
    ) -> dict[str, Any]:
        run = self.places.chat if place == "chat" else self.places.gateway
        assert run is not None
        parameters = {"action": action, "names": names, "related": related, "rules": rules(place)}
        report: dict[str, Any] | None = None
        for line in run(bundled(PROGRAM), parameters):
            if "refused" in line:
                raise OperatorError(f"{place}: {line['refused']}; nothing was changed there", code=ExitCode.REFUSED)
            if "report" in line:
                report = dict(line["report"])
            elif folder:
                _keep(folder / place, line)
        if report is None:
            raise OperatorError(f"{place}: the program ended without a report", "run the command again")
        return report

    def _traces(self, action: str, names: list[str], threads: list[str], folder: Path | None) -> dict[str, int]:
        assert self.places.opik is not None
        with self.places.opik() as base:
            traces = Traces(base, names, threads)
            found = traces.found()
            if folder:
                for what, text in traces.texts(found):
                    _keep(folder / "traces", {"table": what, "row": text})
            if action == "erase":
                traces.erase(found)
        return {"projects": len(found), "traces": sum(map(len, found.values()))}


@cache
def rules(place: str) -> dict[str, Any]:
    """Return what each table of a database holds of a person: `chat` or `gateway`."""
    found: dict[str, Any] = YAML(typ="safe").load((FOLDER / f"{place}.yaml").read_text("utf-8"))
    return found


def what_stays(settings: Settings) -> list[str]:
    """Return what no erasure reaches, and until when it is there."""
    logs = settings.cluster.log_analytics_retention_days
    found = [
        "A next login makes a new account: take the person out of the access group first.",
        "Texts of other people that mention the person stay theirs.",
        f"PostgreSQL's backups: {settings.database.backup_retention_days} days. After a restore, erase again.",
        f"Log Analytics (addresses of requests, names of who changed something): {logs} days.",
    ]
    if settings.opik.enabled:
        found.append(f"Backups of Opik's disks: {settings.disks.backup_retention_days} days.")
    if settings.chat.enabled:
        found.append("Pictures and speech that a pod of the chat made lie in the pod until its next restart.")
    return found


def _keep(folder: Path, line: Mapping[str, Any]) -> None:
    """Append a row to its table's file, or a part to an upload."""
    folder.mkdir(OPEN_FOLDER, parents=True, exist_ok=True)
    if "table" in line:
        _append(folder / f"{line['table']}.jsonl", (json.dumps(line["row"], default=str) + "\n").encode())
    else:
        files = folder / "files"
        files.mkdir(OPEN_FOLDER, exist_ok=True)
        # The person chose the name: no part of it may lead out of the folder.
        name = "".join(character if character.isalnum() or character in "._- " else "_" for character in line["file"])
        _append(files / name[:200].lstrip("."), base64.b64decode(line["part"]))


def _append(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OPEN_FILE), "wb") as file:
        file.write(content)


def _written(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OPEN_FILE), "w", encoding="utf-8") as file:
        file.write(text)


def write_report(path: Path, report: Report) -> None:
    """Write a report for the person who ran the command alone."""
    _written(path, json.dumps(report, indent=2, default=str) + "\n")
