"""Arguments and answers that all commands of this noun share."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from scripts.cli.tools import Tools
from scripts.core.consent import confirm_by_name
from scripts.core.console import err, out
from scripts.core.targets import complete_environment

Env = Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environment, help="The environment.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count and check, and change nothing.")]
Confirm = Annotated[
    str | None, typer.Option("--confirm", metavar="ENV", help="Agree beforehand, by the environment's name.")
]


def agree(tools: Tools, environment: str, confirm: str | None, what: str) -> None:
    """Return when somebody has agreed to `what` by the environment's name. Raises OperatorError (REFUSED) otherwise."""
    confirm_by_name(environment, confirm, f"{what}.", done="written", terminal=tools.terminal)


def show_counts(counts: Mapping[str, int], there: Mapping[str, int], *, to_err: bool) -> None:
    """Print what would come and what is there, by table."""
    for table, count in counts.items():
        if count or there.get(table):
            (err if to_err else out).print(
                f"  {table}: {count} in the source, {there.get(table, 0)} here", markup=False
            )


def show_taken(tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what was taken, by table, with what was not and why."""
    for table, found in tables.items():
        if not any(found[key] for key in ("source", "to_take", "after")):
            continue
        parts = [f"{found['added']} added", f"{found['there']} were here"]
        parts += [
            f"{found[key]} {text}"
            for key, text in (
                ("left", "left behind or joined to an account here"),
                ("without_parent", "without what they belong to"),
                ("other_value_there", "with a name that another row has here"),
            )
            if found[key]
        ]
        out.print(f"  {table}: {', '.join(parts)}; {found['after']} now", markup=False)
