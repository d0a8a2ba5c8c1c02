"""`llmctl privacy`: export and erase what the platform holds about one person."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scripts.applications.privacy.person import Person, Places, Report, what_stays, write_report
from scripts.cli.options import AsJson
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pod_program import in_chat, in_gateway
from scripts.core.consent import confirm_by_name
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment
from scripts.opik.cluster import FRONTEND
from scripts.opik.cluster import NAMESPACE as OPIK
from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="One person's data: export it, erase it.",
)

LATER = (
    "the LLM gateway writes what it has counted up to some minutes later: where the person called a model just before,"
    " run the same command once more; it is complete when it erases nothing"
)
"""Said after an erasure (`proxy_batch_write_at` in the LLM gateway's configuration)."""

_ENV = Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environment, help="The environment.")]
_PERSON = Annotated[str, typer.Argument(metavar="PERSON", help="E-mail address of the person's login.")]


@app.command("export")
def export(
    context: typer.Context,
    environment: _ENV,
    person: _PERSON,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder; left out: ENV-PERSON-TIME in this one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write everything that chat, LLM gateway and traces hold of a person into files that you alone can read.

    Rows as JSON lines, uploads as they are; passwords, tokens and keys are left out. Prints counts, never texts.

    Examples: `llmctl privacy export prod mia@example.com`,
    `llmctl privacy export prod mia@example.com --output mia --json`
    """
    _require_email(person)
    settings, places = _opened(tools_of(context), environment)
    folder = output or Path(f"{settings.name}-{person.replace('@', '-at-')}-{_now()}")
    with err.status("Exporting"):
        report = Person(person, places).export(folder)
    if as_json:
        print_json({**report, "folder": str(folder)})
        return
    _show(report)
    out.print(f"Written to {folder}. It holds private texts: hand it over encrypted, then remove it.", markup=False)


@app.command("erase")
def erase(
    context: typer.Context,
    environment: _ENV,
    person: _PERSON,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would go, and change nothing.")] = False,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="PERSON", help="Agree beforehand, by the address once more.")
    ] = None,
    report_file: Annotated[
        Path | None, typer.Option("--report", help="Write the report to this file; it names the person.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person from chat, LLM gateway and traces, for good. Counts first, then asks for the e-mail address.

    What others use stays and gets another owner. Interrupted or failed, the same command goes on. The last
    administrator's account is refused.

    Examples: `llmctl privacy erase prod mia@example.com --dry-run`,
    `llmctl privacy erase prod mia@example.com --report mia.json`
    """
    _require_email(person)
    tools = tools_of(context)
    settings, places = _opened(tools, environment)
    stays = what_stays(settings)
    found = Person(person, places)
    with err.status("Counting"):
        report: Report = {"environment": settings.name, **found.count(), "stays": stays}
    if not dry_run:
        _show(report, to_err=True)
        confirm_by_name(
            person,
            confirm,
            f"{person} is erased from {settings.name}, for good.",
            done="erased",
            terminal=tools.terminal,
        )
        with err.status("Erasing"):
            report = {"environment": settings.name, **found.erase(), "stays": stays, "time": datetime.now(UTC)}
        if settings.gateway.enabled:
            report["again"] = LATER
    if report_file:
        write_report(report_file, report)
    if as_json:
        print_json(report)
    else:
        _show(report)


def _show(report: Report, *, to_err: bool = False) -> None:
    console = err if to_err else out

    def line(text: str) -> None:
        console.print(text, markup=False)

    verb = {"count": "would be erased", "erase": "erased", "export": "exported"}[report["action"]]
    for place in ("chat", "gateway"):
        if place not in report:
            continue
        part = report[place]
        counted = part.get("deleted", part.get("rows", {}))
        line(f"{place}: {'' if part['account'] else 'no account; '}{sum(counted.values())} rows {verb}")
        for table, count in sorted(counted.items()):
            line(f"  {table}: {count}")
        for table, count in sorted(part.get("handed_over", {}).items()):
            line(f"  {table}: {count} stay, with another owner")
        for one in part.get("shared", ()):
            line(f"  used by others: {one['kind']} {one['title']!r}: {one['becomes']}")
        for column, count in sorted(part.get("mentions", {}).items()):
            line(f"  {column}: {count} rows of others mention the person and stay")
        files = part.get("files")
        if isinstance(files, dict) and (files["removed"] or files["elsewhere"]):
            line(f"  files: {files['removed']} {verb}")
            for name in files["elsewhere"]:
                line(f"  not on the share, remove it yourself: {name}")
    if "traces" in report:
        line(f"traces: {report['traces']['traces']} {verb}")
    for text in report.get("stays", ()):
        line(f"stays: {text}")
    if "again" in report:
        line(f"again: {report['again']}")


def _opened(tools: Tools, environment: str) -> tuple[Settings, Places]:
    settings = tools.load(environment)
    kubectl = tools.kubectl_of(settings.name)
    return settings, Places(
        chat=in_chat(kubectl) if settings.chat.enabled else None,
        gateway=in_gateway(kubectl) if settings.gateway.enabled else None,
        opik=(lambda: _opik(kubectl)) if settings.opik.enabled else None,
    )


@contextmanager
def _opik(kubectl: Kubectl) -> Iterator[str]:
    with kubectl.forwarded(OPIK, *FRONTEND) as base:
        yield f"{base}/api"


def _require_email(person: str) -> None:
    name, at, domain = person.partition("@")
    if not (name and at and domain) or any(character.isspace() for character in person):
        raise OperatorError(
            f"{person!r} is no e-mail address", "name the person by the login's address", ExitCode.USAGE
        )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
