"""`llmctl audit`: who did what in chat administration, LLM gateway, vault and cluster."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from scripts.applications.audit.log import MOST, AuditLog, Entry, duration
from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.core.azure import AzureError
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


class What(StrEnum):
    """Where something was done."""

    CHAT = "chat"
    GATEWAY = "gateway"
    VAULT = "vault"
    CLUSTER = "cluster"


@app.command()
def audit(
    context: typer.Context,
    environment: Environment = None,
    *,
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="How far back, such as 24h or 7d.")] = "24h",
    what: Annotated[list[What] | None, typer.Option("--what", help="Only this; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who did what: in the chat's administration, with keys of the LLM gateway, in vault and cluster.

    Read from Log Analytics, with your own permissions (Log Analytics Reader). Entries arrive some minutes late and are
    kept for `cluster.log_analytics_retention_days`.

    Examples: `llmctl audit prod --since 7d`, `llmctl audit prod --what vault --json`
    """
    back = duration(since)
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    kept = settings.cluster.log_analytics_retention_days
    if back.days > kept:
        fix = "raise cluster.log_analytics_retention_days for the time to come"
        raise OperatorError(f"{name} keeps logs for {kept} days", fix, ExitCode.USAGE)
    log = AuditLog(tools.outputs_of(name, "aks")["aks"]["log_analytics_workspace_id"])
    found: list[Entry] = []
    missing: dict[str, str] = {}
    for one in what or list(What):
        try:
            found += log.entries(one.value, back)
        except AzureError as error:
            if "Failed to resolve table" not in error.message and "SEM0100" not in error.message:
                raise
            missing[one.value] = "nothing has been logged yet"
    found.sort(key=lambda entry: entry.time)
    if as_json:
        print_json([asdict(entry) for entry in found])
    else:
        for entry in found:
            came = f" from {entry.came}" if entry.came else ""
            result = f": {entry.result}" if entry.result else ""
            out.print(f"{entry.time} {entry.what}: {entry.who} {entry.did} {entry.on}{came}{result}", markup=False)
    for place, why in missing.items():
        err.print(f"{place}: {why}", markup=False)
    if len(found) >= MOST:
        err.print(f"Only the first {MOST} of each: ask for a shorter time.", markup=False)
