"""People and groups of the chat: who may log in, as what, and what is shared with whom."""

from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from scripts.applications.chat.accounts import Account, Accounts, accounts_of
from scripts.cli.options import AsJson, Environment, mail_address, seconds_of, shown
from scripts.cli.tools import tools_of
from scripts.core.consent import confirm_by_name
from scripts.core.console import err, out, print_csv, print_json
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings
from stacks.settings.chat import ChatSettings
from stacks.settings.identity import IdentitySettings

from .opened import settings_of_chat


class Role(StrEnum):
    """What somebody may do in the chat."""

    PENDING = "pending"
    USER = "user"
    ADMIN = "admin"


Person = Annotated[
    str, typer.Argument(metavar="PERSON", callback=mail_address, help="E-mail address of the person's login.")
]
GroupName = Annotated[str, typer.Argument(metavar="GROUP", callback=shown, help="Name of the group.")]
People = Annotated[list[str] | None, typer.Option(metavar="PERSON", help="E-mail address; repeatable.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values, for a spreadsheet.")]


def users(
    context: typer.Context,
    environment: Environment = None,
    *,
    role: Annotated[Role | None, typer.Option(help="Only people of this role.")] = None,
    inactive_for: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only people who were not there for so long, such as 90d.")
    ] = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show everybody who has logged in to the chat: address, role, groups, when they were last there.

    Examples: `llmctl webui users prod --inactive-for 90d`, `llmctl webui users prod --role admin --csv`
    """
    idle = timedelta(seconds=seconds_of(inactive_for or "", "--inactive-for"))
    if as_csv and as_json:
        raise OperatorError("--csv and --json exclude each other", code=ExitCode.USAGE)
    _, accounts = _accounts(context, environment)
    found = [account for account in accounts.people() if role in (None, account.role)]
    if idle:
        found = [account for account in found if account.last_active < tools_of(context).now() - idle]
    if as_json:
        print_json([asdict(account) for account in found])
    elif as_csv:
        print_csv(
            ["email", "name", "role", "groups", "last_active", "created"],
            [
                (one.email, one.name, one.role, " ".join(one.groups), f"{one.last_active:%F}", f"{one.created:%F}")
                for one in found
            ],
        )
    else:
        _show(found)


def role(
    context: typer.Context,
    person: Person,
    new: Annotated[Role, typer.Argument(metavar="ROLE", help="pending (shut out), user or admin.")],
    environment: Environment = None,
) -> None:
    """Change what somebody may do, at once; `pending` shuts them out. At their next login Entra decides again.

    Examples: `llmctl webui role mia@example.com pending prod`, `llmctl webui role mia@example.com admin prod`
    """
    settings, accounts = _accounts(context, environment)
    before = accounts.set_role(person, new.value)
    out.print(f"{before.email}: {before.role} before, {new.value} now", markup=False)
    err.print(f"It holds until their next login. {_lasting(settings.identity)}", markup=False)


def log_out(context: typer.Context, person: Person, environment: Environment = None) -> None:
    """End every session of somebody, at once. Who may log in stays as it is.

    Examples: `llmctl webui log-out mia@example.com prod`, `llmctl webui log-out mia@example.com`
    """
    _, accounts = _accounts(context, environment)
    accounts.log_out(person)
    out.print(f"{person}: logged out everywhere", markup=False)


def groups(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show the groups, which knowledge bases and models are shared with.

    Examples: `llmctl webui groups prod`, `llmctl webui groups dev --json`
    """
    _, accounts = _accounts(context, environment)
    found = accounts.groups()
    if as_json:
        print_json([asdict(group) for group in found])
        return
    for group in found:
        people = "1 person" if group.members == 1 else f"{group.members} people"
        about = f"; {group.description}" if group.description else ""
        out.print(f"{group.name}: {people}{about}", markup=False)
    if not found:
        err.print("No group.")


def group(
    context: typer.Context,
    name: GroupName,
    environment: Environment = None,
    *,
    add: People = None,
    remove: People = None,
) -> None:
    """Add people to a group, or remove them; a group that does not exist is made. Safe to repeat.

    Examples: `llmctl webui group divers prod --add mia@example.com --add tom@example.com`,
    `llmctl webui group divers prod --remove tom@example.com`
    """
    settings, accounts = _accounts(context, environment)
    _refuse_synchronized(settings.chat)
    new = accounts.set_members(name, add=add or (), remove=remove or ())
    out.print(f"{name}: {'made' if new else 'changed'}", markup=False)


def remove_group(
    context: typer.Context,
    name: GroupName,
    environment: Environment = None,
    *,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="GROUP", help="Agree beforehand, by the name once more.")
    ] = None,
) -> None:
    """Remove a group: its people stay, what was shared with it is shared with them no longer.

    Examples: `llmctl webui remove-group divers prod`, `llmctl webui remove-group divers dev --confirm divers`
    """
    settings, accounts = _accounts(context, environment)
    _refuse_synchronized(settings.chat)
    members = accounts.group(name).members
    people = "1 person" if members == 1 else f"{members} people"
    question = f"{name}, with {people}, is removed, and what was shared with it is no longer."
    confirm_by_name(name, confirm, question, done="removed", terminal=tools_of(context).terminal)
    accounts.remove_group(name)
    out.print(f"{name}: removed", markup=False)


def _accounts(context: typer.Context, environment: str | None) -> tuple[Settings, Accounts]:
    tools = tools_of(context)
    settings = settings_of_chat(tools, environment)
    return settings, accounts_of(settings.domain, tools.kubectl_of(settings.name), tools.in_pod)


def _lasting(identity: IdentitySettings) -> str:
    if identity.assignment_required:
        return "For good: assign a role of the chat's enterprise application in Entra, or take it away."
    return "For good: add the person to the access group in Entra, or remove them; operators are administrators."


def _refuse_synchronized(chat: ChatSettings) -> None:
    if chat.sync_groups:
        raise OperatorError(
            "groups come from Entra at each login (chat.sync_groups)", "change the group in Entra", ExitCode.REFUSED
        )


def _show(found: list[Account]) -> None:
    table = Table("address", "name", "role", "groups", "last there", box=None, header_style="bold")
    for account in found:
        table.add_row(account.email, account.name, account.role, ", ".join(account.groups), f"{account.last_active:%F}")
    out.print(table)
    err.print(f"{len(found)} {'person' if len(found) == 1 else 'people'}.")
