"""`llmctl adopt chat`: accounts, chats and files of another Open WebUI."""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.applications.adoption.copying import Copying, Logins, Report
from scripts.applications.adoption.source import Place, Source
from scripts.applications.adoption.uploads import Uploads, folder_of
from scripts.applications.adoption.vectors import REINDEX, TABLE, require_same_model
from scripts.cli.options import AsJson
from scripts.cli.tools import tools_of
from scripts.cluster.pod_program import in_chat
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.chat.backends import embedding_variables
from stacks.settings import Settings

from .options import Confirm, DryRun, Env, agree, show_counts, show_taken

SHOWN = 20
"""Addresses that are told; all of them with --json."""


class Vectors(StrEnum):
    """What becomes of the vectors of documents."""

    REINDEX = "reindex"
    COPY = "copy"


def chat(
    context: typer.Context,
    environment: Env,
    *,
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="SOURCE", help="sqlite:PATH, or env:VARIABLE or file:PATH that hold a PostgreSQL address."
        ),
    ],
    uploads: Annotated[
        str | None, typer.Option("--uploads", metavar="FOLDER", help="Folder, or azure:ACCOUNT/SHARE/FOLDER.")
    ] = None,
    vectors: Annotated[
        Vectors, typer.Option("--vectors", help="Copy only where the same model made vectors of the same length.")
    ] = Vectors.REINDEX,
    dry_run: DryRun = False,
    confirm: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Take over the accounts, chats, files, folders, groups and knowledge of another Open WebUI, this version or older.

    The old one is only read. Accounts are matched to logins of Entra by e-mail address; passwords, tokens, keys,
    settings and code stay behind. Rows come in one transaction that is counted; run again, it adds what is new and
    nothing twice.

    Examples: `llmctl adopt chat prod --from sqlite:webui.db --uploads ./uploads --dry-run`,
    `llmctl adopt chat prod --from env:OLD_DATABASE --uploads azure:oldfiles/open-webui/uploads`
    """
    tools = tools_of(context)
    settings = tools.load(environment)
    if not settings.chat.enabled:
        raise OperatorError(f"{environment} has no chat", "set chat.enabled and deploy", ExitCode.REFUSED)
    place = Place.of(source)
    run = in_chat(tools.kubectl_of(environment))
    with place.open() as opened, tempfile.TemporaryDirectory(prefix="llmctl-adopt-") as scratch:
        copying = _copying(opened, settings, run, vectors, tools.entra_logins)
        files = Uploads(folder_of(uploads, Path(scratch)), run) if uploads else None
        with err.status("Counting"):
            report: Report = {"environment": environment, "action": "look", **_look(copying, files)}
        if dry_run:
            _end(report, as_json=as_json)
            return
        _show(report, to_err=True)
        agree(
            tools,
            environment,
            confirm,
            f"{sum(report['source'].values())} rows and {report.get('uploads', {}).get('to_take', 0)} files are written"
            f" into {environment}'s chat; what is there stays",
        )
        report["action"] = "take"
        # Files first: a row without its file would be an empty attachment, a file without a row is nobody's.
        if files:
            report["uploads"]["added"] = _send(files, report["uploads"])
        with err.status("Taking over") as status:
            taken = copying.take(lambda table, rows: status.update(f"Taking over: {table}, {rows} rows"))
    _end({**report, **taken}, as_json=as_json)


def _copying(opened: Source, settings: Settings, run: Any, vectors: Vectors, logins: Logins) -> Copying:
    if vectors is Vectors.COPY:
        require_same_model(opened, embedding_variables(settings))
    beside = (TABLE,) if vectors is Vectors.COPY else ()
    return Copying(opened, "chat", run, {}, beside, logins)


def _look(copying: Copying, files: Uploads | None) -> Report:
    people = copying.people()
    found = copying.look()
    report: Report = {
        "source": copying.counts(),
        "here": found["there"],
        "accounts": len(people),
        "accounts_matched": found["matched"],
        "accounts_without_login": copying.without_login(),
        "stays_behind": copying.left(),
    }
    if files:
        report["uploads"] = files.look()
        paths = [str(row[0]).replace("\\", "/").rpartition("/")[2] for row in _file_paths(copying)]
        have = set(files.folder.sizes())
        report["uploads"]["missing"] = sum(1 for name in paths if name not in have)
    if copying.beside:
        report["vectors"] = "copied"
    else:
        report["vectors"] = REINDEX
    return report


def _file_paths(copying: Copying) -> list[Any]:
    if "path" not in copying.tables.get("file", ()):
        return []
    return [row for row in copying.source.rows("file", ["path"]) if row[0]]


def _send(files: Uploads, counted: Report) -> int:
    sent = 0
    with err.status("Sending uploads") as status:

        def tell(_name: str) -> None:
            nonlocal sent
            sent += 1
            status.update(f"Sending uploads: {sent} of {counted['to_take']}")

        return files.take(counted["lacking"], tell)


def _end(report: Report, *, as_json: bool) -> None:
    report.get("uploads", {}).pop("lacking", None)
    if as_json:
        print_json(report)
    else:
        _show(report)


def _show(report: Report, *, to_err: bool = False) -> None:
    console = err if to_err else out

    def line(text: str) -> None:
        console.print(text, markup=False)

    line(f"accounts: {report['accounts']}, of which {report['accounts_matched']} are here already")
    if without := report["accounts_without_login"]:
        more = f" and {len(without) - SHOWN} more (--json)" if len(without) > SHOWN else ""
        line(f"without a login in Entra, so that nobody opens what is theirs: {', '.join(without[:SHOWN])}{more}")
    if "tables" in report:
        show_taken(report["tables"])
    else:
        show_counts(report["source"], report["here"], to_err=to_err)
    if found := report.get("uploads"):
        line(
            f"uploads: {found['source']} in the folder, {found['there']} here,"
            f" {found['to_take']} to send ({found['bytes'] / 2**20:.0f} MiB)"
        )
        if found["missing"]:
            line(f"  {found['missing']} files that the database names are not in the folder")
    for table, why in report["stays_behind"].items():
        line(f"stays behind: {table}, {why}")
    line(f"vectors: {report['vectors']}")
