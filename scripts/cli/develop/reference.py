"""The page of the command line: every command with what it takes, made from the commands themselves."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from typer import _click as click

from scripts.cli.app import COMMANDS, Entry, load
from scripts.cli.operations.nouns import COMMANDS as OPERATIONS
from scripts.core.workspace import ROOT

PAGE = ROOT / "docs" / "reference" / "cli.md"
START, END = "<!-- made by: llmctl docs cli --write -->", "<!-- end -->"

MORE = {
    "adopt": "how-to/adopt-an-installation.md",
    "audit": "reference/cluster.md#logs",
    "backup": "how-to/backup-and-restore.md",
    "bench": "reference/performance.md",
    "chat": "how-to/chat.md",
    "cleanup": "how-to/delete-an-environment.md",
    "cluster": "explanation/real-kubernetes.md",
    "cost": "how-to/costs.md",
    "db": "how-to/restore-postgresql.md",
    "deploy": "explanation/deployments.md",
    "diff": "how-to/diff.md",
    "disks": "how-to/disks.md",
    "doctor": "how-to/symptoms.md",
    "drill": "how-to/runbook.md",
    "env": "reference/environment.md",
    "gateway": "how-to/llm-gateway.md",
    "images": "how-to/images.md",
    "models": "how-to/models.md",
    "off-hours": "how-to/costs.md#stop-the-cluster-while-nobody-works",
    "opik": "how-to/operate-opik.md",
    "pipeline": "how-to/pull-requests.md",
    "policy": "how-to/pull-requests.md#gates",
    "preflight": "reference/preflight.md",
    "privacy": "how-to/personal-data.md",
    "rehearse": "how-to/rehearse.md",
    "remote": "how-to/remote-runs.md",
    "restore": "how-to/backup-and-restore.md#restore-a-set",
    "simulate": "explanation/scaling.md",
    "state": "how-to/shared-state.md",
    "support": "how-to/repair.md#ask-for-help",
    "top": "how-to/monitoring.md",
    "webui": "how-to/chat.md",
}
"""The page in docs/ about a command, for those that have one."""


@cache
def leaves() -> dict[str, click.Command]:
    """Return every command that runs something, by the words that name it; hidden ones are left out."""
    return {
        " ".join(words): command
        for name, entry in COMMANDS.items()
        for words, command in _below(load(entry, name), (name,))
        if not command.hidden
    }


def examples(command: click.Command) -> list[str]:
    """Return the command lines that the end of a command's help gives as examples."""
    return re.findall(r"`(llmctl [^`]+)`", (command.help or "").rpartition("Examples:")[2])


def page(before: str) -> str:
    """Return the page with what is between its marks made again. Raises ValueError where it has no marks."""
    head, found, rest = before.partition(START)
    _, ended, tail = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"{PAGE.name} lacks {START} or {END}")
    return f"{head}{START}\n\n{_text()}\n\n{END}{tail}"


def _below(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, below in command.commands.items():
        yield from _below(below, (*words, name))


def _text() -> str:
    panels: dict[str, list[str]] = {}
    for name, entry in COMMANDS.items():
        panels.setdefault(entry.panel, []).append(name)
    return "\n\n".join(
        block for panel, names in panels.items() for block in (f"### {panel}", _overview(names), *_details(names))
    )


def _overview(names: Iterable[str]) -> str:
    rows = [f"| [`{name}`](#llmctl-{name}) | {COMMANDS[name].help}{_more(name)} |" for name in names]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def _more(name: str) -> str:
    if name not in MORE:
        return ""
    folder, _, file = MORE[name].partition("/")
    path = file if folder == "reference" else f"../{MORE[name]}"
    return f" ([more]({path}))"


def _details(names: Iterable[str]) -> Iterator[str]:
    """Yield the blocks of commands; one that is another's twin, such as `chat`, is named and not repeated."""
    seen: dict[tuple[str, str], str] = {}
    for name in names:
        entry = COMMANDS[name]
        yield f"#### `llmctl {name}`"
        if entry.group and (twin := seen.setdefault((entry.module, entry.attribute), name)) != name:
            yield f"The same as [`llmctl {twin}`](#llmctl-{twin})."
        else:
            yield from _group(name, entry) if entry.group else _command(name, leaves()[name])


def _group(name: str, entry: Entry) -> Iterator[str]:
    inside = {words: command for words, command in leaves().items() if words.startswith(f"{name} ")}
    shared = [words for words, command in inside.items() if _is_shared(words, command)]
    yield entry.help
    for words, command in inside.items():
        if words not in shared:
            yield f"##### `llmctl {words}`"
            yield from _command(words, command)
    if shared:
        links = ", ".join(
            f"`llmctl {words}`"
            + (f" ([as `{verb}`](#llmctl-{verb}))" if (verb := words.rpartition(" ")[2]) != "status" else "")
            for words in shared
        )
        yield f"For this component, with the same options and without COMPONENT: {links}."


def _is_shared(words: str, command: click.Command) -> bool:
    given = OPERATIONS.get(words.rpartition(" ")[2])
    return given is not None and _paragraph(given.__doc__ or "") == _paragraph(command.help or "")


def _command(words: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=command.name)
    positional = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join(_name(each.get_help_record(context)) for each in positional)
    yield _paragraph(command.help or "")
    options = "[OPTIONS]" if len(command.params) > len(positional) else ""
    yield "`" + " ".join(part for part in ("llmctl", words, usage, options) if part) + "`"
    records = [record for each in command.params if (record := each.get_help_record(context))]
    if records:
        yield "\n".join(["| takes | meaning |", "|---|---|", *(_row(record) for record in records)])
    if lines := examples(command):
        yield "\n".join(["```sh", *lines, "```"])


def _name(record: tuple[str, str] | None) -> str:
    return re.sub(r" <.*>$", "", record[0]) if record else ""


def _row(record: Sequence[str]) -> str:
    text = " TEXT" if record[0].startswith("-") else ""
    name = re.sub(r" <(?:str|list\[str\]|path)>", text, record[0]).replace(" range>", ">")
    meaning = re.sub(r"\s*\[([^\[\]]*)\]$", r" (\1)", _plain(record[1])).strip()
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{name}`", meaning)) + " |"


def _paragraph(text: str) -> str:
    """Return the first paragraph of a help text, on one line, as Markdown."""
    first = re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0]
    return _plain(" ".join(first.partition("Examples:")[0].split()))


def _plain(text: str) -> str:
    return re.sub(r"\[/?(?:bold)?\]", "", text.replace("\b", ""))
